"""The page that bench_images.py writes."""

from typing import NamedTuple

from _image_contenders import FLOORS
from _image_operations import MAIN
from _pages import filled, table, versions

OURS = ("eager", "graph", "tf.data", "jit")
KERAS = tuple(f"Keras {mode}" for mode in OURS)
SINGLE = (
    "albumentations",
    "albumentations, not stacked",
    "albumentations, 2 processes",
    "torchvision",
)
OTHER_BACKENDS = (
    "JAX eager",
    "JAX tf.data",
    "JAX jit",
    "torch eager",
    "torch tf.data",
)
TITLES = {
    "geometry": "flip + rotation + zoom + translation",
    "colour": "brightness + contrast + saturation + hue",
    "RandAugment": "RandAugment, 2 operations",
    "flip": "horizontal flip",
    "erasing": "erasing, constant",
}


class Key(NamedTuple):
    name: str
    size: int
    dtype: str


def on_screen(key, found, batch):
    """What was measured of one comparison, in a line."""
    shown = [
        f"{mode} {rate(found, mode, batch)} ({seconds(found, mode)} s)"
        for mode in found
    ]
    return f"{key.name} {key.size} {key.dtype}: " + ", ".join(shown)


def rate(found, mode, batch):
    if mode not in found:
        return ""
    if found[mode][0] is None:
        return "fails"
    return f"{batch / found[mode][0]:,.0f}"


def seconds(found, mode):
    """What the first call takes beyond a later one, mostly to compile."""
    if mode not in found or None in found[mode]:
        return ""
    usual, first = found[mode]
    return f"{max(first - usual, 0):.1f}"


def ratio(found, mode, peer):
    """How many times faster a way of ours is than a peer."""
    if not (found.get(mode) and found.get(peer)):
        return None
    ours, theirs = found[mode][0], found[peer][0]
    return theirs / ours if ours and theirs else None


def page(results, absent, shapes, peaks, batch):
    """The page, in Markdown.

    Args:
        results: A dict: a `Key` to a dict: mode to (seconds, seconds of the
            first call).
        absent: A dict: peer to the reason why it was not measured, or `None`.
        shapes: The head and the rows of the table on new shapes, if any.
        peaks: The table of the memory, if any.
        batch: Size of the batches.
    """
    peers = [peer for peer, reason in absent.items() if not reason]
    introduction = f"""
    Images per CPU second: batches of {batch} photographs, one thread, medians
    of turns that all contenders take in one run: ours and Keras' in one
    process, albumentations in another, of which one stands still while the
    other works. `make bench-images` repeats it;
    {versions("keras", "tensorflow", "jax", "torch", *peers)}.

    The same operation, as near as the libraries allow, on images that lie in
    memory. Ours and Keras' take a batch and give a batch; "tf.data" is
    `dataset.map(layer)` on batches, "graph" a `tf.function`, "jit" the same
    with `jit_compile=True`. albumentations takes the images one by one in a
    loop in Python, after which they are stacked; "not stacked" leaves them in a
    list, where images that were not changed are not even copied. With two
    processes, the images come back through pipes, and the CPU seconds of all
    processes count. Images of float32 are from 0 to 1.

    {absences(absent)}"""
    parts = ["# Images", filled(introduction)]
    parts += ["## Targets", filled(TARGETS), table(*targets(results))]
    for size, dtype in dict.fromkeys(key[1:] for key in results):
        here = {
            key.name: found
            for key, found in results.items()
            if key[1:] == (size, dtype) and key.name in MAIN
        }
        if here:
            parts += [
                f"## {size} x {size} x 3, {dtype}",
                table(*rates(here, (*KERAS, *SINGLE), batch)),
                "Ours, on each backend:",
                table(*rates(here, (*OURS, *OTHER_BACKENDS), batch)),
            ]
    parts += others(results, batch)
    parts += ["## Floors", filled(FLOOR), table(*floors(results, batch))]
    parts += ["## Compilation", filled(COMPILATION)]
    parts += [table(*compilation(results))]
    if shapes:
        parts += [filled(NEW_SHAPES), table(*shapes)]
    if peaks:
        parts += ["## Memory", filled(MEMORY), peaks.strip()]
    return "\n\n".join(parts) + "\n"


def absences(absent):
    return " ".join(
        f"{peer} is not in the tables: {reason}"
        for peer, reason in absent.items()
        if reason
    )


TARGETS = """
    How many times faster ours in `tf.data` is than Keras' layers in `tf.data`
    and than albumentations in one process, and how many times it was to be."""


def targets(results):
    head = ["operation", "size", "dtype", "to Keras", "target"]
    head += ["to albumentations", "target"]
    rows = []
    for key, found in results.items():
        if key.name not in MAIN:
            continue
        row = [TITLES.get(key.name, key.name), str(key.size), key.dtype]
        for peer, target in zip(
            ("Keras tf.data", "albumentations"), aims(key), strict=True
        ):
            reached = ratio(found, "tf.data", peer)
            row += [
                f"{reached:.1f}" if reached else "",
                verdict(reached, target),
            ]
        rows.append(row)
    return head, rows


def aims(key):
    """The targets to Keras and to albumentations, `None` where none is set."""
    comparison = MAIN[key.name]
    if key.size == 32:
        return None, comparison.small_target
    if (key.size, key.dtype) == (224, "uint8"):
        return comparison.keras_target, comparison.target
    return None, None


def verdict(reached, target):
    if target is None:
        return ""
    if reached is None:
        return f"{target:g}"
    return f"{target:g}: {'met' if reached >= target else '**missed**'}"


def rates(here, modes, batch):
    modes = [m for m in modes if any(m in found for found in here.values())]
    rows = [
        [
            TITLES.get(name, name),
            *(rate(found, mode, batch) for mode in modes),
        ]
        for name, found in here.items()
    ]
    return ["operation", *modes], rows


def others(results, batch):
    rows = []
    for key, found in results.items():
        if key.name in MAIN or key.name == FLOORS:
            continue
        row = [key.name]
        if len({(k.size, k.dtype) for k in results if k.name == key.name}) > 1:
            row[0] += f" {key.size} {key.dtype}"
        for mode in (*OURS, "Keras tf.data", "albumentations"):
            row.append(rate(found, mode, batch))
        for peer in ("Keras tf.data", "albumentations"):
            reached = ratio(found, "tf.data", peer)
            row.append(f"{reached:.1f}" if reached else "")
        rows.append(row)
    if not rows:
        return []
    head = ["layer", *OURS, "Keras tf.data", "albumentations"]
    head += ["to Keras", "to albumentations"]
    return ["## Every other layer", filled(OTHERS), table(head, rows)]


OTHERS = """
    224 x 224 x 3, uint8, with the defaults of ours. Peers are compared where
    they have an operation of the same kind, every image changed, with settings
    as near as they can be; the two ratios are those of `tf.data`. Filters of
    other sizes and other noise make some of them hard to compare, and mixing
    and policies have no peer that takes single images."""

FLOOR = """
    What no layer can be faster than, in `tf.data` under XLA, but for the copy,
    which is NumPy's."""


def floors(results, batch):
    rows = []
    for key, found in results.items():
        if key.name == FLOORS:
            rows += [
                [mode, str(key.size), key.dtype, rate(found, mode, batch)]
                for mode in found
            ]
    return ["operation", "size", "dtype", "images per CPU second"], rows


COMPILATION = """
    CPU seconds that the first call takes beyond a later one, at the first size
    and dtype of the above: tracing, compiling and what a layer looks up
    once."""


def compilation(results):
    modes = [*OURS, "JAX eager", "JAX jit", *KERAS]
    rows, seen = [], set()
    for key, found in results.items():
        if key.name == FLOORS or key.name in seen:
            continue
        seen.add(key.name)
        name = TITLES.get(key.name, key.name)
        rows.append([name, *(seconds(found, mode) for mode in modes)])
    return ["first call of", *modes], rows


NEW_SHAPES = """
    A new shape compiles once. In this order, batches of these sizes: CPU
    seconds of the call, and how often `apply` of the layer had been traced
    after it."""

MEMORY = """
    What a layer holds at once, at most, in batches of float32: what comes in,
    what goes out and what lies between, as XLA plans it under JAX. More than 3
    is set in bold."""

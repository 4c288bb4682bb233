"""What the workers of bench_images.py time: one batch, in every way."""

import functools
import importlib.util
import os

import numpy as np
from _image_operations import COMPARISONS, Comparison, Kit
from _image_processes import Processes, Step

CLASSES = 10
FLOORS = "floors"
BACKENDS = ("tensorflow", "jax", "torch")
RANGES = {"uint8": (0, 255), "float32": (0.0, 1.0)}


def steps(backend, name, size, dtype, batch, extent):
    """A comparison, in all ways that a process knows.

    Args:
        backend: A backend of Keras, or a peer that works on single images.
        name: A name in `COMPARISONS`, the name of a layer of ours, or
            `FLOORS`.
        size: Height and width of the images.
        dtype: `"uint8"` or `"float32"`.
        batch: How many images there are.
        extent: `"whole"`, or `"tensorflow"` to leave the other backends out,
            or `"brief"` to time the peers in their fastest way alone too.

    Yields:
        (mode, function without arguments).
    """
    images = photographs(size, dtype, batch)
    if name == FLOORS:
        if backend == "tensorflow":
            yield from floors(images)
        return
    comparison = comparison_of(name)
    if backend in PEERS:
        if getattr(comparison, backend) is None:
            return
        description = backend, name, size, dtype, batch
        content = functools.cache(
            functools.partial(transform_and_images, *description)
        )
        yield backend, lambda: np.stack(one_by_one(*content()))
        if backend == "albumentations" and extent != "brief":
            yield f"{backend}, not stacked", lambda: one_by_one(*content())
            yield f"{backend}, 2 processes", Step(processes(), description)
        return
    if extent != "whole" and backend != "tensorflow":
        return
    import keras

    from keras_regopt import augmentation

    data = images
    if comparison.labels:
        labels = np.eye(CLASSES, dtype="float32")[np.arange(batch) % CLASSES]
        data = {"images": images, "labels": labels}
    kits = {
        "": (comparison.ours, Kit(augmentation, size, RANGES[dtype])),
        "Keras ": (comparison.keras, Kit(keras.layers, size, RANGES[dtype])),
    }
    for prefix, (make, kit) in kits.items():
        if make is None or (prefix and backend != "tensorflow"):
            continue
        modes = MODES[backend]
        if extent == "brief" and prefix:
            modes = {"tf.data": modes["tf.data"]}
        for mode, prepare in modes.items():
            yield prefix + mode, Prepared(prepare, make, kit, data)


@functools.cache
def processes():
    return Processes(2)


def photographs(size, dtype, batch):
    """Cuttings of the two photographs that scikit-learn carries."""
    from sklearn.datasets import load_sample_images

    random = np.random.default_rng(0)
    images = []
    for number in range(batch):
        image = load_sample_images().images[number % 2]
        top, left = (random.integers(0, n - size) for n in image.shape[:2])
        images.append(image[top : top + size, left : left + size])
    images = np.stack(images)
    return images if dtype == "uint8" else images.astype("float32") / 255


def comparison_of(name):
    if name in COMPARISONS:
        return COMPARISONS[name]
    return Comparison(lambda kit: getattr(kit, name)())


class Prepared:
    """A step that is made when it is first called, and may fail then."""

    def __init__(self, prepare, *arguments):
        self._prepare = functools.partial(prepare, *arguments)
        self._step = None

    def __call__(self):
        if self._step is None:
            self._step = self._prepare()
        return self._step()


# --------------------------------------------------------------- ways of Keras


def eager(make, kit, data):
    import keras

    layer = make(kit)
    data = keras.tree.map_structure(keras.ops.convert_to_tensor, data)

    def step():
        result = layer(data, training=True)
        return keras.tree.map_structure(keras.ops.convert_to_numpy, result)

    return step


def in_graph(make, kit, data, jit_compile=False):
    import keras
    import tensorflow as tf

    layer = make(kit)
    data = keras.tree.map_structure(tf.constant, data)
    function = tf.function(
        lambda x: layer(x, training=True),
        jit_compile=jit_compile,
        autograph=False,
    )
    return lambda: keras.tree.map_structure(lambda x: x.numpy(), function(data))


def in_tf_data(make, kit, data):
    layer = make(kit)
    return mapped(lambda x: layer(x, training=True), data)


def mapped(function, data):
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensors(data).repeat()
    # Work done ahead would be counted in the others' turns.
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.inject_prefetch = False
    batches = iter(dataset.with_options(options).map(function))
    return lambda: next(batches)


def in_jax_jit(make, kit, data):
    import jax

    layer = make(kit)
    data = jax.tree.map(jax.numpy.asarray, data)
    function = jax.jit(
        lambda state, x: layer.stateless_call([], state, x, training=True)
    )
    state = [v.value for v in layer.non_trainable_variables]

    def step():
        nonlocal state
        result, state = function(state, data)
        return jax.block_until_ready(result)

    return step


MODES = {
    "tensorflow": {
        "eager": eager,
        "graph": in_graph,
        "tf.data": in_tf_data,
        "jit": functools.partial(in_graph, jit_compile=True),
    },
    "jax": {
        "JAX eager": eager,
        "JAX tf.data": in_tf_data,
        "JAX jit": in_jax_jit,
    },
    "torch": {"torch eager": eager, "torch tf.data": in_tf_data},
}


def floors(images):
    """What no augmentation can be faster than."""
    import tensorflow as tf

    def compiled(function):
        return tf.function(function, jit_compile=True, autograph=False)

    yield "memory copy", functools.partial(np.array, images)
    yield (
        "cast to float32",
        mapped(compiled(lambda x: tf.cast(x, "float32")), images),
    )
    yield (
        "a * x + b, in float32",
        mapped(compiled(lambda x: 1.1 * tf.cast(x, "float32") + 2.0), images),
    )
    yield (
        "a * x + b, in the dtype of the images",
        mapped(
            compiled(lambda x: tf.cast(0.9 * tf.cast(x, "float32"), x.dtype)),
            images,
        ),
    )


# ------------------------------------------------ peers that take single images


def transform_and_images(peer, name, size, dtype, batch):
    """A function of one image, and the images, as a peer likes them."""
    images = photographs(size, dtype, batch)
    kit = Kit(PEERS[peer](), size, RANGES[dtype])
    transform = getattr(comparison_of(name), peer)(kit)
    if peer == "torchvision":
        import torch

        return transform, torch.tensor(images).permute(0, 3, 1, 2)
    return lambda image: transform(image=image)["image"], images


def one_by_one(transform, images):
    return [transform(image) for image in images]


def _albumentations():
    # Else it asks the network for news of itself.
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
    import albumentations
    import cv2

    cv2.setNumThreads(1)
    return albumentations


def _torchvision():
    from torchvision.transforms import v2

    return v2


PEERS = {"albumentations": _albumentations, "torchvision": _torchvision}
REMEDIES = {
    "albumentations": "`pip install 'keras_regopt[bench]'` brings it.",
    "torchvision": "It must fit the build of torch: its package on PyPI is "
    "made for CUDA, and does not load with the CPU build that is pinned "
    "here.",
}


def missing(peer):
    """Why a peer cannot be measured, and what to do: `None` if it can."""
    if importlib.util.find_spec(peer) is None:
        return f"it is not installed. {REMEDIES[peer]}"
    try:
        PEERS[peer]()
    except Exception as error:
        return f"it does not load ({error}). {REMEDIES[peer]}"
    return None

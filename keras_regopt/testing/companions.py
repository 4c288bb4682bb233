"""The promises of augmentations on what is near the data: other elements,
padding, nothing at all, and what belongs to them.
"""

import numpy as np

from keras_regopt.testing._backend import to_numpy
from keras_regopt.testing._contract import NotApplicable, require
from keras_regopt.testing._elements import layer_and_elements, nothing_for


def does_not_depend_on_its_neighbours(subject):
    """What becomes of an element is the same in any company, unless mixed."""
    layer, x = layer_and_elements(subject, seed=0)
    if layer.mixes:
        raise NotApplicable("It mixes the elements of a batch")
    others = np.concatenate([x[:1], np.repeat(x[1:2], len(x) - 1, axis=0)])
    first, second = (
        to_numpy(subject.make(seed=0)(batch, training=True))[:1]
        for batch in (x, others)
    )
    require(_alike(first, second), "it does")


def does_not_depend_on_padding(subject):
    """What is valid becomes the same with more padding behind it."""
    layer, x = layer_and_elements(subject, seed=0)
    if layer.mixes or layer.key not in ("audio", "spectrograms", "token_ids"):
        raise NotApplicable("There is no padding")
    axis = -1 if layer.last_axis_first else 1
    room = [(0, 0)] * x.ndim
    room[axis] = (0, x.shape[axis] // 4)
    outputs = []
    for batch in (x, np.pad(x, room)):
        data = {layer.key: batch}
        if layer.key != "token_ids":
            data["lengths"] = np.full(len(x), x.shape[axis])
        output = subject.make(seed=0)(data, training=True)[layer.key]
        outputs.append(np.swapaxes(to_numpy(output), axis, 1))
    size = min(output.shape[1] for output in outputs)
    first, second = (output[:, :size] for output in outputs)
    require(_alike(first, second), "it does")


def bears_nothing(subject):
    """Silence, an empty string, one token, padding alone: all is finite."""
    layer, _ = layer_and_elements(subject)
    output = to_numpy(layer(nothing_for(layer), training=True))
    if not layer.holds_strings:
        require(np.isfinite(output.astype("float64")).all(), f"{output}")


def moves_targets_along(subject):
    """What belongs to sound and tokens goes with them; lengths stay true."""
    layer, x = layer_and_elements(subject)
    check = {"audio": _goes_with_sound, "token_ids": _goes_with_tokens}
    if layer.key not in check or layer.mixes:
        raise NotApplicable("Nothing belongs to it")
    check[layer.key](layer, x)


def _goes_with_sound(layer, x):
    valid = np.array([8000, 6000, 4000, 8000, 100, 0])
    x = x * (np.arange(8000) < valid[:, None])[(...,) + (None,) * (x.ndim - 2)]
    data = {"audio": x, "targets": x, "lengths": valid}
    output = {k: to_numpy(v) for k, v in layer(data, training=True).items()}
    expected = output["audio"] if "targets" in layer.targets else x
    require(
        _alike(output["targets"], expected),
        "the targets do not become what they should",
    )
    size = output["audio"].shape[1]
    lengths = output["lengths"]
    require(
        (lengths >= 0).all() and (lengths <= size).all(),
        f"the lengths are {lengths}",
    )
    beyond = np.arange(size) >= lengths[:, None]
    loudest = np.abs(output["audio"][beyond]).max(initial=0)
    require(loudest < 1e-4, f"beyond the lengths there is {loudest}")


def _goes_with_tokens(layer, ids):
    mask = ids != 0
    data = {"token_ids": ids, "padding_mask": mask, "token_labels": ids * 10}
    output = {k: to_numpy(v) for k, v in layer(data, training=True).items()}
    mask = output["padding_mask"].astype(bool)
    require(
        ((output["token_ids"] == layer.padding_id) == ~mask).all(),
        "padding is not the padding of the mask",
    )
    require(mask.any(axis=1).all(), "no token is left")
    for before, after, kept in zip(
        ids, output["token_labels"], mask, strict=True
    ):
        require(
            set(after[kept]) <= {10 * i for i in before if i},
            f"labels of {10 * before} became {after}",
        )


def _alike(first, second):
    """Whether arrays are equal, floats but for rounding."""
    if first.dtype.kind != "f":
        return np.array_equal(first, second)
    # A low-pass rings around the ends of a transform, at -55 decibels.
    largest = np.abs(first).max(initial=1e-6)
    return np.allclose(first, second, rtol=0, atol=10 ** (-50 / 20) * largest)


PROMISES = [
    does_not_depend_on_its_neighbours,
    does_not_depend_on_padding,
    bears_nothing,
    moves_targets_along,
]

"""A few elements of each kind of data that is augmented."""

import keras
import numpy as np

from keras_regopt.testing._contract import NotApplicable

WORDS = (
    "A quick, old fox jumps over it. The dog is lazy! Does it bark at night?"
)
# Ids of the vocabulary of the tokens below; 0 is padding.
FIRST, LAST = 1, 2


def elements_of(layer):
    """Six elements such as a layer takes.

    Args:
        layer: An augmentation.

    Returns:
        An array with a batch axis, of few and different elements.
    """
    return ELEMENTS[layer.key](layer)


def nothing_for(layer):
    """Elements in which there is nothing, or as good as nothing."""
    if layer.key == "token_ids":
        ids = np.zeros((3, 12), "int32")
        ids[0, :3] = FIRST, 7, LAST
        ids[1, 0] = 9
        return ids
    if layer.key == "texts":
        return np.array([b"", b" ", b"a"])
    return np.zeros_like(elements_of(layer)[:3])


def require_dtype(layer):
    """Leaves out what no tensor of this backend can hold."""
    if layer.holds_strings and keras.backend.backend() != "tensorflow":
        raise NotApplicable("Only TensorFlow has strings")


def fed(x):
    """Elements as the methods of a model take them: no arrays of strings."""
    return keras.ops.convert_to_tensor(x) if x.dtype.kind == "S" else x


def layer_and_elements(subject, **changes):
    """A new layer, and elements for it."""
    layer = subject.make(**changes)
    require_dtype(layer)
    return layer, elements_of(layer)


def input_for(layer, x):
    """The symbolic input of a model for elements, the batch size open."""
    dtype = "string" if layer.holds_strings else x.dtype.name
    return keras.Input(x.shape[1:], dtype=dtype)


def distinct(x):
    """How many different elements an array has."""
    return len({tuple(np.ravel(element).tolist()) for element in x})


def _images(layer):
    random = np.random.default_rng(0)
    return random.uniform(0, 255, (6, 12, 10, 3)).round().astype("float32")


def _audio(layer):
    """Half a second of a tone that grows, and some noise."""
    random = np.random.default_rng(0)
    time = np.arange(8000) / 16000
    pitch = random.uniform(200, 2000, (6, 1))
    clips = 0.2 * np.sin(2 * np.pi * pitch * time) * (0.2 + time)
    clips = (clips + random.normal(0, 0.02, clips.shape)).astype("float32")
    return clips if layer.element_rank == 1 else np.stack([clips, -clips], -1)


def _spectrograms(layer):
    random = np.random.default_rng(0)
    shape = (6, 16, 20) if layer.last_axis_first else (6, 20, 16)
    return random.normal(-3, 1, shape).astype("float32")


def _token_ids(layer):
    random = np.random.default_rng(0)
    ids = random.integers(5, 40, (6, 12)).astype("int32")
    ids[:, 0] = FIRST
    for row, length in enumerate((12, 9, 7, 11, 8, 10)):
        ids[row, length - 1] = LAST
        ids[row, length:] = 0
    return ids


def _texts(layer):
    words = WORDS.split()
    texts = [" ".join(words[i:] + words[:i]) for i in range(6)]
    return np.array([text.encode() for text in texts])


ELEMENTS = {
    "images": _images,
    "audio": _audio,
    "spectrograms": _spectrograms,
    "token_ids": _token_ids,
    "texts": _texts,
}

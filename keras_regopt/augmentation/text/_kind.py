"""What all augmentations of token ids, and their containers, have in common."""

import keras

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation._kind import Kind
from keras_regopt.augmentation._looking import look_until_settled


class Tokens(Kind):
    """Token ids, and what belongs to the tokens."""

    name = "token ids"
    twin = "token_labels"

    def look(self, layer, inputs, tensor):
        super().look(layer, inputs, tensor)
        if not isinstance(inputs, dict) and _makes_labels(layer):
            raise ValueError(
                f"With `labels=True`, the inputs of {type(layer).__name__} "
                f"must be a dict, to which the labels are added. Received: a "
                f"tensor. Write `{{'{layer.key}': ids}}`."
            )
        _look_at_ids(layer, tensor)

    def output_spec(self, layer, outputs):
        if not _makes_labels(layer):
            return outputs
        ids = outputs[layer.key]
        return {
            **outputs,
            "token_labels": keras.KerasTensor(ids.shape, ids.dtype),
            "token_weights": keras.KerasTensor(ids.shape, "float32"),
        }


class Strings(Kind):
    """Strings."""

    name = "strings"


TOKENS, STRINGS = Tokens(), Strings()


def leaves(layer):
    """The layers without layers in it that a layer consists of."""
    parts = getattr(layer, "parts", None)
    return [layer] if parts is None else [x for p in parts for x in leaves(p)]


def _makes_labels(layer):
    return any(getattr(x, "labels", False) is True for x in leaves(layer))


def _look_at_ids(layer, tensor):
    """Refuses ids that are none, at the first look at the data of a layer."""
    if 0 in tensor.shape:
        return
    sizes = [getattr(x, "vocabulary_size", None) for x in leaves(layer)]
    size = min([s for s in sizes if s is not None], default=None)

    def judge(least, most):
        if least < 0 or (size is not None and most >= size):
            allowed = "" if size is None else f", and below {size}"
            raise ValueError(
                f"The {layer.key} of {type(layer).__name__} must be ids from 0 "
                f"on{allowed}. Received: ids from {least:.0f} to {most:.0f}"
            )
        return True

    look_until_settled(
        layer,
        "ids seen",
        tensor,
        lambda: [ops.min(tensor), ops.max(tensor)],
        judge,
    )

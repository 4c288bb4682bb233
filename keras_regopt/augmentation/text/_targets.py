"""What moves along with token ids: masks, segments and labels of tokens."""

import keras

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation._batch import select
from keras_regopt.augmentation._targets import Target


class OfTokens(Target):
    """One value a token, which goes with its token.

    Args:
        filler: The value of the padding that takes the room of tokens that
            are gone.
    """

    hook = "apply_to_tokens"
    is_set = False
    is_tensor = True

    def __init__(self, filler=0):
        self.filler = filler

    def check(self, layer, value, data):
        shapes = tuple(value.shape), tuple(data.shape)
        pairs = zip(*shapes, strict=False)
        fits = all(None in pair or pair[0] == pair[1] for pair in pairs)
        if len(shapes[0]) < len(shapes[1]) or not fits:
            raise ValueError(
                f"What belongs to the {layer.key} of {type(layer).__name__} "
                f"must have one value a token, of shape {shapes[1]}. Received: "
                f"shape={shapes[0]}"
            )

    def moved(self, layer, value, parameters, chosen, shape):
        moved = layer.apply_to_tokens(value, parameters, self.filler)
        return select(chosen, moved, value)


# By their keys in a dict of inputs.
TARGETS = {
    "padding_mask": OfTokens(),
    "segment_ids": OfTokens(),
    "token_labels": OfTokens(),
    "token_weights": OfTokens(),
}


def taken(values, source, filler):
    """Values of tokens by the numbers of these; of -1, the filler.

    Args:
        values: Tensor of shape `(batch, length, ...)`.
        source: Integer tensor of shape `(batch, length)`.
        filler: A number.

    Returns:
        A tensor of the dtype of `values`.
    """
    more = tuple(range(2, len(values.shape)))
    index = ops.expand_dims(source, axis=more) if more else source
    found = ops.take_along_axis(values, ops.maximum(index, 0), axis=1)
    dtype = keras.backend.standardize_dtype(values.dtype)
    fillers = ops.cast(ops.full_like(found, filler), dtype)
    return ops.where(index >= 0, found, fillers)

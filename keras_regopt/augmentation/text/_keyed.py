"""Bases of the augmentations of token ids that draw for each token."""

from keras_regopt._validate import in_range
from keras_regopt.augmentation.text._base import TokenAugmentation
from keras_regopt.augmentation.text.functional._draws import (
    happens,
    indices,
    token_bits,
)

# What goes with its token.
TOKEN_TARGETS = frozenset(
    {"padding_mask", "segment_ids", "token_labels", "token_weights"}
)


class KeyedAugmentation(TokenAugmentation):
    """Base of those that draw a number for each token.

    All numbers of a text are hashes of one key and of the index of a token, so
    they do not depend on the padding behind the text.

    A subclass writes `resolve`, and draws by `bits`.

    Args:
        **kwargs: Those of `TokenAugmentation`.
    """

    def sample(self, shape, seed):
        # One operation: outside of a compiled program, each of them counts.
        key = self.random.randint(
            (shape[0],), 0, 2**31 - 1, dtype="int32", seed=seed
        )
        return {"key": key}

    def bits(self, inputs, parameters, stream=0):
        """Integers, all equally likely, one for each token.

        Args:
            inputs: Tensor of shape `(batch, length)`.
            parameters: What `sample` returned.
            stream: Number of the stream, from 0 on.

        Returns:
            Int32 tensor of the shape of the inputs.
        """
        index = indices(self.ops.shape(inputs)[1])
        return token_bits(parameters["key"], index, stream)

    def padding(self, ids, context):
        """Which tokens are padding, a boolean tensor of the shape of `ids`."""
        if "padding_mask" in context:
            mask = self.ops.cast(context["padding_mask"], "bool")
            return self.ops.logical_not(mask)
        return self.ops.equal(ids, self.padding_id)


class FractionAugmentation(KeyedAugmentation):
    """Base of those that change each token with one probability.

    Args:
        fraction: The probability that a token that is free changes.
        **kwargs: Those of `TokenAugmentation`.
    """

    def __init__(self, *, fraction: float, **kwargs):
        super().__init__(**kwargs)
        self.fraction = in_range(self, "fraction", fraction, 0, 1)

    def drawn(self, inputs, parameters, free):
        """Which free tokens change, a boolean tensor."""
        bits = self.bits(inputs, parameters)
        return self.ops.logical_and(free, happens(bits, self.fraction))


class ReplacingAugmentation(FractionAugmentation):
    """Base of those that put other ids in the place of some.

    A subclass writes `resolve`, which adds `"ids"`, the new ids.

    Args:
        **kwargs: Those of `FractionAugmentation`.
    """

    def apply(self, inputs, parameters):
        return self.ops.cast(parameters["ids"], inputs.dtype)

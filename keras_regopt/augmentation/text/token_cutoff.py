from collections.abc import Sequence

from keras_regopt._registry import register
from keras_regopt._validate import boolean
from keras_regopt.augmentation.text._keyed import FractionAugmentation
from keras_regopt.augmentation.text.functional._draws import (
    happens,
    indices,
    token_bits,
    whole_numbers,
)
from keras_regopt.augmentation.text.functional._order import ranks, spare_one


@register
class TokenCutoff(FractionAugmentation):
    """Hides some tokens of a text: padding stands in their place.

    Makes a model decide by the rest of the text. Unlike deletion, it leaves
    every other token where it is. `padding_mask`, where there is one, hides
    the same tokens, so that the model does not attend to them;
    `segment_ids`, `token_labels` and `token_weights` stay. At least one token
    stays, and so do special ones. `layers.EmbeddingCutoff` does the same
    inside the model.

    Args:
        fraction: How many of the tokens are hidden, from 0 to 1. Defaults to
            `0.1`.
        span: Whether the hidden tokens are one span of neighbours. Otherwise
            each is hidden with the probability `fraction`. Defaults to
            `False`.
        padding_id: The id of padding. Defaults to `0`.
        special_ids: Sequence of more ids that are never hidden. Defaults to
            `()`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that a text changes at all), and
            `name` and `dtype` of a Keras layer.

    Input shape:
        Integers `(length,)` or `(batch, length)`, or a dict; see
        `TokenAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If `fraction` is not from 0 to 1, or an id is below 0.

    Examples:
        >>> layer = TokenCutoff(fraction=0.5, span=True, seed=0)
        >>> new = layer(np.array([[11, 12, 13, 14]]))
        >>> int(keras.ops.convert_to_numpy(new == 0).sum())
        2

    References:
        Shen et al. 2020, A simple but tough-to-beat data augmentation approach
        for natural language understanding and generation (arXiv 2009.13818).
    """

    targets = frozenset({"padding_mask"})

    def __init__(
        self,
        fraction: float = 0.1,
        span: bool = False,
        padding_id: int = 0,
        special_ids: Sequence[int] = (),
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(
            fraction=fraction,
            padding_id=padding_id,
            special_ids=special_ids,
            seed=seed,
            **kwargs,
        )
        self.span = boolean(self, "span", span)

    def resolve(self, inputs, parameters, context):
        ops = self.ops
        free = self.free(inputs, context)
        if self.span:
            hidden = self._spans(free, parameters["key"])
        else:
            hidden = self.drawn(inputs, parameters, free)
            hidden = spare_one(free, hidden, self.bits(inputs, parameters))
        index = indices(ops.shape(inputs)[1])
        return {**parameters, "source": ops.where(hidden, -1, index)}

    def _spans(self, free, key):
        """One span of each text, not of all its tokens."""
        ops = self.ops
        rank, count = ranks(free)
        size = self.fraction * ops.cast(count, "float32")
        whole = ops.floor(size)
        # Rounded up as often as makes the fraction right on average.
        more = happens(token_bits(key, indices(1), 1), size - whole)
        size = ops.cast(whole, "int32") + ops.cast(more, "int32")
        size = ops.maximum(ops.minimum(size, count - 1), 0)
        start = whole_numbers(token_bits(key, indices(1), 2), count - size + 1)
        inside = ops.logical_and(rank >= start, rank < start + size)
        return ops.logical_and(free, inside)

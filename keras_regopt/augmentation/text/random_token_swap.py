from collections.abc import Sequence

from keras_regopt._registry import register
from keras_regopt.augmentation.text._keyed import (
    TOKEN_TARGETS,
    FractionAugmentation,
)
from keras_regopt.augmentation.text.functional._order import swapped


@register
class RandomTokenSwap(FractionAugmentation):
    """Lets pairs of tokens of a text change places.

    Teaches a model not to hang on the order of words: one of the four
    operations of EDA, here on ids. Each token has one partner, drawn from all
    others of its text, and the two change places with a probability by which
    `fraction` of the tokens move on average. Padding, special tokens, and so
    the length of the text stay where they are. `token_labels` and
    `token_weights` move with their tokens; where there are `segment_ids`,
    tokens stay within their segment.

    Args:
        fraction: How many of the tokens move, from 0 to 1. In a text of n
            tokens it can be no more than `(n - 1) / n`. Defaults to `0.1`.
        padding_id: The id of padding. Defaults to `0`.
        special_ids: Sequence of more ids that never move. Defaults to `()`.
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
        >>> layer = RandomTokenSwap(fraction=0.5, special_ids=[2, 3], seed=0)
        >>> ids = np.array([2, 11, 12, 13, 14, 15, 3, 0, 0])
        >>> new = keras.ops.convert_to_numpy(layer(ids))
        >>> sorted(new[1:6].tolist()), new[[0, 6, 7, 8]].tolist()
        ([11, 12, 13, 14, 15], [2, 3, 0, 0])

    References:
        Wei and Zou 2019, EDA: easy data augmentation techniques for boosting
        performance on text classification tasks (arXiv 1901.11196).
    """

    targets = TOKEN_TARGETS
    context_keys = ("padding_mask", "segment_ids")

    def __init__(
        self,
        fraction: float = 0.1,
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

    def resolve(self, inputs, parameters, context):
        source = swapped(
            self.free(inputs, context),
            parameters["key"],
            self.fraction,
            context.get("segment_ids"),
        )
        return {**parameters, "source": source}

from collections.abc import Sequence

from keras_regopt._registry import register
from keras_regopt.augmentation.text._keyed import (
    TOKEN_TARGETS,
    FractionAugmentation,
)
from keras_regopt.augmentation.text.functional._order import (
    closed_up,
    spare_one,
)


@register
class RandomTokenDeletion(FractionAugmentation):
    """Deletes tokens of a text and closes the gaps.

    Teaches a model to do without single words: one of the four operations of
    EDA, here on ids. The length stays: there is as much more padding as there
    are fewer tokens, behind the text, or in front of it where its padding is
    in front. At least one token stays, and so do special ones.
    `padding_mask`, `segment_ids`, `token_labels` and `token_weights` follow,
    with zeros for new padding.

    Args:
        fraction: Probability that a token is deleted, from 0 to 1. Defaults
            to `0.1`.
        padding_id: The id of padding. Defaults to `0`.
        special_ids: Sequence of more ids that are never deleted. Defaults to
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
        >>> layer = RandomTokenDeletion(fraction=1.0, special_ids=[2, 3])
        >>> ids = np.array([2, 15, 15, 15, 3, 0])
        >>> keras.ops.convert_to_numpy(layer(ids)).tolist()
        [2, 15, 3, 0, 0, 0]

    References:
        Wei and Zou 2019, EDA: easy data augmentation techniques for boosting
        performance on text classification tasks (arXiv 1901.11196).
    """

    targets = TOKEN_TARGETS

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
        free = self.free(inputs, context)
        gone = self.drawn(inputs, parameters, free)
        gone = spare_one(free, gone, self.bits(inputs, parameters))
        source = closed_up(gone, self.padding(inputs, context))
        return {**parameters, "source": source}

from collections.abc import Sequence

from keras_regopt._registry import register
from keras_regopt.augmentation._ranges import one_or_range
from keras_regopt.augmentation._sampling import one_or_between
from keras_regopt.augmentation.text._keyed import (
    TOKEN_TARGETS,
    KeyedAugmentation,
)
from keras_regopt.augmentation.text.functional._order import (
    closed_up,
    ranks,
)


@register
class RandomSpanCrop(KeyedAugmentation):
    """Keeps one span of neighbouring tokens of a text.

    Teaches a model to judge by a part of the text, as a crop does with an
    image; of two crops, contrastive learning makes a pair. Special tokens
    stay, wherever they are. What is left closes up, and the length stays:
    there is more padding, behind the text, or in front of it where its
    padding is in front. `padding_mask`, `segment_ids`, `token_labels` and
    `token_weights` follow, with zeros for new padding.

    Args:
        keep: How much of the tokens stays, from 0 to 1, rounded to
            whole tokens, but at least one. A pair `(lowest, highest)` is a
            range, from which each text draws its own. Defaults to
            `(0.5, 1.0)`.
        padding_id: The id of padding. Defaults to `0`.
        special_ids: Sequence of more ids that always stay. Defaults to `()`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that a text changes at all), and
            `name` and `dtype` of a Keras layer.

    Input shape:
        Integers `(length,)` or `(batch, length)`, or a dict; see
        `TokenAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If `keep` is out of bounds, or an id is below 0.

    Examples:
        >>> layer = RandomSpanCrop(keep=0.5, special_ids=[2, 3], seed=0)
        >>> ids = np.array([2, 15, 15, 15, 15, 3, 0])
        >>> keras.ops.convert_to_numpy(layer(ids)).tolist()
        [2, 15, 15, 3, 0, 0, 0]

    References:
        Meng et al. 2021, COCO-LM: correcting and contrasting text sequences
        for language model pretraining (arXiv 2102.08473).
    """

    targets = TOKEN_TARGETS

    def __init__(
        self,
        keep: float | tuple[float, float] = (0.5, 1.0),
        padding_id: int = 0,
        special_ids: Sequence[int] = (),
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(
            padding_id=padding_id, special_ids=special_ids, seed=seed, **kwargs
        )
        self.keep = one_or_range(self, "keep", keep, 0, 1)

    def sample(self, shape, seed):
        keep, start = self.uniforms(2, shape[0], seed)
        return {"keep": one_or_between(self.keep, keep), "start": start}

    def resolve(self, inputs, parameters, context):
        ops = self.ops
        free = self.free(inputs, context)
        rank, count = ranks(free)
        size = parameters["keep"][:, None] * ops.cast(count, "float32")
        size = ops.maximum(ops.cast(ops.round(size), "int32"), 1)
        choices = ops.cast(ops.maximum(count - size + 1, 1), "float32")
        start = ops.floor(parameters["start"][:, None] * choices)
        start = ops.cast(start, "int32")
        inside = ops.logical_and(rank >= start, rank < start + size)
        gone = ops.logical_and(free, ops.logical_not(inside))
        source = closed_up(gone, self.padding(inputs, context))
        return {**parameters, "source": source}

from collections.abc import Sequence
from typing import Any

from keras_regopt._registry import register
from keras_regopt.augmentation.text._keyed import (
    TOKEN_TARGETS,
    FractionAugmentation,
)
from keras_regopt.augmentation.text._tables import synonym_table
from keras_regopt.augmentation.text._targets import taken
from keras_regopt.augmentation.text.functional._order import (
    random_index,
    widened,
)
from keras_regopt.augmentation.text.functional._vocabulary import (
    compact_rows,
    synonyms,
)


@register
class RandomTokenInsertion(FractionAugmentation):
    """Inserts tokens of the text itself, or synonyms of them.

    Teaches a model not to hang on neighbours and places: one of the four
    operations of EDA, here on ids. Behind each token, with the probability
    `fraction`, there comes another token of the same text, or with a `table`,
    a synonym of it. The length stays: a new token takes the room of padding,
    and where there is none left, nothing is inserted; so no token is lost.
    `padding_mask`, `segment_ids`, `token_labels` and `token_weights` follow,
    with those of the token that was copied; tokens are copied within their
    segment.

    Args:
        fraction: How many tokens come in, for each of the text, from 0 to 1.
            Defaults to `0.1`.
        table: Integers of shape `(vocabulary, count)`, the synonyms of each
            id, as in `SynonymReplacement`. A token without synonyms is itself
            inserted. Defaults to `None`: all are.
        padding_id: The id of padding. Defaults to `0`.
        special_ids: Sequence of more ids that are never copied, and behind
            which none comes. Defaults to `()`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that a text changes at all), and
            `name` and `dtype` of a Keras layer.

    Input shape:
        Integers `(length,)` or `(batch, length)`, or a dict; see
        `TokenAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If `fraction` is not from 0 to 1, an id is below 0, or
            `table` is none.

    Examples:
        >>> layer = RandomTokenInsertion(fraction=1.0, special_ids=[2, 3])
        >>> ids = np.array([2, 15, 15, 3, 0, 0, 0])
        >>> keras.ops.convert_to_numpy(layer(ids)).tolist()
        [2, 15, 15, 15, 15, 3, 0]

    References:
        Wei and Zou 2019, EDA: easy data augmentation techniques for boosting
        performance on text classification tasks (arXiv 1901.11196).
    """

    targets = TOKEN_TARGETS
    context_keys = ("padding_mask", "segment_ids")

    def __init__(
        self,
        fraction: float = 0.1,
        table: Any = None,
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
        self.table = table
        if table is not None:
            self.table = synonym_table(self, "table", table)
            self.vocabulary_size = len(self.table)
            self._rows, self._counts = compact_rows(self.table)

    def resolve(self, inputs, parameters, context):
        ops = self.ops
        free = self.free(inputs, context)
        inserted = self.drawn(inputs, parameters, free)
        source, new = widened(inserted, self.padding(inputs, context))
        copied = random_index(free, parameters["key"], stream=1)
        copied = ops.take_along_axis(copied, source, axis=1)
        good = taken(free, copied, 0)
        if "segment_ids" in context:
            segments = context["segment_ids"]
            same = taken(segments, copied, 0) == taken(segments, source, 0)
            good = ops.logical_and(good, same)
        # Of another segment, or special: then the token before, once more.
        copied = ops.where(ops.logical_and(new, good), copied, source)
        return {**parameters, "source": copied, "new": new}

    def apply(self, inputs, parameters):
        ids = super().apply(inputs, parameters)
        if self.table is None:
            return ids
        ops = self.ops
        other, _ = synonyms(
            ops.cast(ids, "int32"),
            self.bits(inputs, parameters, stream=2),
            ops.convert_to_tensor(self._rows),
            ops.convert_to_tensor(self._counts),
        )
        return ops.where(parameters["new"], ops.cast(other, ids.dtype), ids)

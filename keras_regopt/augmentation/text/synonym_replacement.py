from collections.abc import Sequence
from typing import Any

from keras_regopt._registry import register
from keras_regopt.augmentation.text._keyed import ReplacingAugmentation
from keras_regopt.augmentation.text._tables import synonym_table
from keras_regopt.augmentation.text.functional._draws import happens
from keras_regopt.augmentation.text.functional._vocabulary import (
    compact_rows,
    synonyms,
)


@register
class SynonymReplacement(ReplacingAugmentation):
    """Replaces tokens by synonyms, from a table of ids.

    Teaches a model that other words can say the same: the first of the four
    operations of EDA, here on ids. The table is made once, outside of the
    model: from a thesaurus, from the nearest neighbours of embeddings, or by
    a language model. Tokens without synonyms, padding and special ones stay,
    and so does the length.

    Args:
        table: Integers of shape `(vocabulary, count)`, an array or nested
            lists: the synonyms of each id, with -1 where there are fewer. It
            is saved with the layer.
        fraction: Probability from 0 to 1 that a token that has synonyms is
            replaced by one of them, all being equally likely. Defaults to
            `0.1`.
        padding_id: The id of padding. Defaults to `0`.
        special_ids: Sequence of more ids that never change. Defaults to `()`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that a text changes at all), and
            `name` and `dtype` of a Keras layer.

    Input shape:
        Integers `(length,)` or `(batch, length)`, or a dict; see
        `TokenAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If `table` is no such table, has no synonym at all, or has
            padding or special ids among the synonyms; if one of these ids is
            outside of it; or if `fraction` is not from 0 to 1.

    Examples:
        >>> table = [[-1, -1], [-1, -1], [3, 4], [2, 4], [2, 3]]
        >>> layer = SynonymReplacement(table, fraction=1.0)
        >>> ids = np.array([[1, 2, 3, 4, 0]])
        >>> new = keras.ops.convert_to_numpy(layer(ids))
        >>> (new != ids).tolist()
        [[False, True, True, True, False]]

    References:
        Wei and Zou 2019, EDA: easy data augmentation techniques for boosting
        performance on text classification tasks (arXiv 1901.11196).
    """

    def __init__(
        self,
        table: Any,
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
        self.table = synonym_table(self, "table", table)
        self.vocabulary_size = len(self.table)
        self._rows, self._counts = compact_rows(self.table)

    def resolve(self, inputs, parameters, context):
        ops = self.ops
        free = self.free(inputs, context)
        # All free tokens of a text could draw; those with synonyms do.
        bits = self.bits(inputs, parameters, stream=1)
        ids = ops.cast(inputs, "int32")
        new, known = synonyms(
            ids,
            bits,
            ops.convert_to_tensor(self._rows),
            ops.convert_to_tensor(self._counts),
        )
        changes = happens(self.bits(inputs, parameters), self.fraction)
        changes = ops.logical_and(changes, ops.logical_and(free, known))
        return {**parameters, "ids": ops.where(changes, new, ids)}

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_regopt._registry import register
from keras_regopt._validate import fail, positive_int
from keras_regopt.augmentation.text._keyed import ReplacingAugmentation
from keras_regopt.augmentation.text._tables import (
    check_ids,
    usable_ids,
    weights,
)
from keras_regopt.augmentation.text.functional._draws import happens
from keras_regopt.augmentation.text.functional._importance import (
    replacement_rates,
)
from keras_regopt.augmentation.text.functional._vocabulary import (
    alias_table,
    drawn,
)


@register
class RandomTokenReplacement(ReplacingAugmentation):
    """Replaces tokens by random ones of the vocabulary.

    Noise that keeps a model from learning texts by heart. The new tokens are
    drawn

    - evenly, with the `vocabulary_size` alone;
    - in proportion to `token_counts`, which is the unigram noise of Xie;
    - with `idf` besides, as in UDA: words that say little come and go more
      often than words that say much. A token goes with a probability that
      falls with its TF-IDF, by `(C - tfidf) / Z`, where `C` is the largest of
      the text and `Z` makes the mean `fraction`; another comes in proportion
      to `max(s) - s`, where `s = token_counts * idf`.

    Padding and special tokens never go and never come.

    Args:
        fraction: How many of the tokens are replaced, from 0 to 1. Defaults
            to `0.1`.
        vocabulary_size: The number of ids. Defaults to `None`, the length of
            `token_counts`; one of the two is needed.
        token_counts: How often each id occurs in the corpus, one number >= 0
            for each. It is saved with the layer. Defaults to `None`.
        idf: The inverse document frequency of each id, one number >= 0 for
            each, such as `log(documents / documents_with_it)`. Defaults to
            `None`.
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
        ValueError: If no size of the vocabulary is given, `idf` is given
            without `token_counts`, an array is none of these, an id is
            outside of the vocabulary, or `fraction` is not from 0 to 1.

    Examples:
        >>> layer = RandomTokenReplacement(0.5, vocabulary_size=100, seed=0)
        >>> ids = np.array([[7, 8, 9, 7, 8, 9, 0, 0]])
        >>> new = keras.ops.convert_to_numpy(layer(ids))
        >>> new[0, 6:].tolist(), bool((new != ids).any())
        ([0, 0], True)

    References:
        Xie et al. 2017, Data noising as smoothing in neural network language
        models (arXiv 1703.02573); Xie et al. 2020, Unsupervised data
        augmentation for consistency training (arXiv 1904.12848).
    """

    def __init__(
        self,
        fraction: float = 0.1,
        vocabulary_size: int | None = None,
        token_counts: Any = None,
        idf: Any = None,
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
        size = positive_int(
            self, "vocabulary_size", vocabulary_size, optional=True
        )
        if token_counts is not None:
            token_counts = weights(self, "token_counts", token_counts, size)
            size = len(token_counts)
        if size is None:
            remedy = "Or give `token_counts`."
            fail(self, "vocabulary_size", "an integer >= 1", size, remedy)
        if idf is not None:
            if token_counts is None:
                fail(self, "token_counts", "given where `idf` is", None)
            idf = weights(self, "idf", idf, size)
        check_ids(self, size, "vocabulary_size")
        self.vocabulary_size, self.token_counts = size, token_counts
        self.idf = idf
        self._usable = usable_ids(self, size)
        self._limits, self._aliases = alias_table(self._weights())

    def _weights(self):
        """How likely each of the usable ids comes."""
        if self.token_counts is None:
            return np.ones(len(self._usable))
        counts = self.token_counts[self._usable]
        if self.idf is not None:
            scores = counts * self.idf[self._usable]
            counts = scores.max() - scores
        # All alike: none is better than another.
        return counts if counts.any() else np.ones(len(counts))

    def resolve(self, inputs, parameters, context):
        ops = self.ops
        free = self.free(inputs, context)
        ids = ops.cast(inputs, "int32")
        rate = self.fraction
        if self.idf is not None:
            idf = ops.convert_to_tensor(self.idf.astype("float32"))
            rate = replacement_rates(ids, free, idf, rate)
        changes = happens(self.bits(inputs, parameters), rate)
        index = drawn(
            self.bits(inputs, parameters, stream=1),
            self.bits(inputs, parameters, stream=2),
            ops.convert_to_tensor(self._limits),
            ops.convert_to_tensor(self._aliases),
        )
        new = ops.take(ops.convert_to_tensor(self._usable), index, axis=0)
        changes = ops.logical_and(free, changes)
        return {**parameters, "ids": ops.where(changes, new, ids)}

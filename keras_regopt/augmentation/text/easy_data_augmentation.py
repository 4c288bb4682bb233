from collections.abc import Sequence

from keras_regopt._registry import register
from keras_regopt._validate import boolean, fail, in_range, positive_int
from keras_regopt.augmentation._noise import keys_from
from keras_regopt.augmentation.text._split import WordSplitAugmentation
from keras_regopt.augmentation.text._stop_words import checked_stop_words
from keras_regopt.augmentation.text._synonyms import (
    UsesThesaurus,
    checked_thesaurus,
)
from keras_regopt.augmentation.text.functional._word_changes import (
    deleted,
    exchanged,
    inserted,
)
from keras_regopt.augmentation.text.functional._word_draws import (
    amount,
    below,
    choose,
    word_uniforms,
)
from keras_regopt.augmentation.text.thesaurus import Thesaurus


@register
class EasyDataAugmentation(UsesThesaurus, WordSplitAugmentation):
    """Does one of four simple things to each text (EDA).

    For small sets of texts to classify. Each text gets one of these, drawn
    from those whose `alpha` is not 0, where `n` is the larger of 1 and the
    whole part of `alpha` times the number of its words:

    - synonym replacement: `n` words are replaced by synonyms;
    - random insertion: synonyms of `n` words are inserted somewhere;
    - random swap: `n` pairs of words change places;
    - random deletion: each word goes with the probability `alpha_rd`, but one
      stays.

    Unlike in the paper, case and punctuation stay, and no word is in two of
    the pairs.

    Args:
        thesaurus: A `Thesaurus`, or a dict from which one is made; `None`
            only if `alpha_sr` and `alpha_ri` are 0.
        alpha_sr: Share of the words that are replaced, from 0 to 1. Defaults
            to `0.1`.
        alpha_ri: How many words are inserted, as a share of their number.
            Defaults to `0.1`.
        alpha_rs: How many pairs change places, as a share of the number of
            words. Defaults to `0.1`.
        alpha_rd: Probability that a word is deleted. Defaults to `0.1`.
        min_words: Texts of fewer words stay as they are. From 1, defaults to
            `1`.
        stop_words: Words that get no synonyms, or `"english"` for a short
            list of those. Defaults to `None`.
        keep_part_of_speech: Whether words that the thesaurus knows as several
            parts of speech get none either. Defaults to `False`, as in the
            paper.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `protected` (words, phrases or a regular expression that
            stay) and `word_pattern` (the regular expression of a word),
            `rate` (the probability that a text changes at all), and `name`
            and `dtype` of a Keras layer.

    Input shape:
        One string or a batch of strings, or a dict with the key `texts`; see
        `StringAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If an argument is out of bounds, or no regular expression,
            or if all of the `alpha` are 0.

    Examples:
        >>> import tensorflow as tf
        >>> texts = tf.data.Dataset.from_tensors(["A great film, but long."])
        >>> layer = EasyDataAugmentation({"film": ["movie"]}, seed=3)
        >>> next(iter(texts.map(layer))).numpy().tolist()
        [b'A great movie, but long.']

    References:
        Wei and Zou 2019, EDA: easy data augmentation techniques for boosting
        performance on text classification tasks.
    """

    def __init__(
        self,
        thesaurus: Thesaurus | None = None,
        alpha_sr: float = 0.1,
        alpha_ri: float = 0.1,
        alpha_rs: float = 0.1,
        alpha_rd: float = 0.1,
        min_words: int = 1,
        stop_words: str | Sequence[str] | None = None,
        keep_part_of_speech: bool = False,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.alpha_sr = in_range(self, "alpha_sr", alpha_sr, 0, 1)
        self.alpha_ri = in_range(self, "alpha_ri", alpha_ri, 0, 1)
        self.alpha_rs = in_range(self, "alpha_rs", alpha_rs, 0, 1)
        self.alpha_rd = in_range(self, "alpha_rd", alpha_rd, 0, 1)
        self.min_words = positive_int(self, "min_words", min_words)
        needs = alpha_sr > 0 or alpha_ri > 0
        self.thesaurus = checked_thesaurus(self, thesaurus, optional=not needs)
        self.stop_words = checked_stop_words(self, stop_words)
        self.keep_part_of_speech = boolean(
            self, "keep_part_of_speech", keep_part_of_speech
        )
        self._operations = [
            (alpha, operation)
            for alpha, operation in (
                (self.alpha_sr, self._replace),
                (self.alpha_ri, self._insert),
                (self.alpha_rs, self._swap),
                (self.alpha_rd, self._delete),
            )
            if alpha > 0
        ]
        if not self._operations:
            fail(self, "alpha_sr", "> 0, or one of the others", alpha_sr)

    def sample(self, shape, seed):
        high, low, operation = self.uniforms(3, shape[0], seed)
        return {"key": keys_from(high, low), "operation": operation}

    def change(self, parts, parameters):
        import tensorflow as tf

        number = parts.sums(parts.free)
        drawn = below(parameters["operation"], len(self._operations))
        drawn = tf.where(parts.counts >= self.min_words, drawn, -1)
        for place, (alpha, operation) in enumerate(self._operations):
            share = tf.where(drawn == place, alpha, 0.0)
            counts = amount(number, share, tf.zeros_like(share), 1)
            parts = operation(parts, parameters["key"], counts)
        return parts

    def _replace(self, words, key, counts):
        return self.replaced(words, key, (0, 1), counts)

    def _insert(self, words, key, counts):
        import tensorflow as tf

        choice = choose(words, key, 2, words.free, counts)
        new, missing = self.synonyms_of_text(words, key, (3, 4))
        new = tf.gather(new, words.of_text(words.starts) + choice.rank)
        before = word_uniforms(words, key, 5) < 0.5
        return inserted(words, choice.chosen & ~missing, new, before)

    def _swap(self, words, key, counts):
        return exchanged(words, choose(words, key, 6, words.free, 2 * counts))

    def _delete(self, words, key, counts):
        import tensorflow as tf

        goes = words.free & (word_uniforms(words, key, 7) < self.alpha_rd)
        # Those of the lowest numbers, which are the first in that order.
        number = tf.minimum(words.sums(goes), tf.maximum(words.counts - 1, 0))
        number = tf.where(counts > 0, number, 0)
        return deleted(words, choose(words, key, 7, words.free, number).chosen)

"""Bases of the augmentations that take texts apart and join them again."""

from collections.abc import Sequence

from keras_regopt._validate import fail, instance_of, integer
from keras_regopt.augmentation._noise import keys_from
from keras_regopt.augmentation._ranges import one_or_range
from keras_regopt.augmentation._sampling import one_or_between
from keras_regopt.augmentation.text._base import StringAugmentation
from keras_regopt.augmentation.text._notices import notice
from keras_regopt.augmentation.text.functional import _words
from keras_regopt.augmentation.text.functional._word_draws import amount


class SplitAugmentation(StringAugmentation):
    """Base of the augmentations that take texts apart.

    A subclass writes `split(texts)` and `change(parts, parameters)`. Texts
    that are no valid UTF-8 pass as they are, and are warned of once.
    """

    def split(self, texts):
        """The parts of texts, as `Words`."""
        raise NotImplementedError

    def change(self, parts, parameters):
        """The parts as they become."""
        raise NotImplementedError

    def apply(self, inputs, parameters):
        import tensorflow as tf

        valid = _words.is_valid(inputs)
        bad = tf.math.count_nonzero(~valid)
        notice(
            self,
            "invalid UTF-8",
            bad > 0,
            f"{type(self).__name__} '{self.name}' leaves {{}} of {{}} texts "
            "as they are, since they are no valid UTF-8. More of them pass "
            "without a word.",
            bad,
            tf.size(valid),
        )
        parts = self.split(tf.where(valid, inputs, ""))
        result = _words.join(self.change(parts, parameters))
        return tf.ensure_shape(tf.where(valid, result, inputs), inputs.shape)


class WordSplitAugmentation(SplitAugmentation):
    """Base of the augmentations that take texts apart into words.

    Args:
        protected: Words and phrases that never change, in any case of their
            letters; or a string, the regular expression (in the syntax of
            RE2) of what never changes. They are looked for before the words.
            Defaults to `()`.
        word_pattern: The regular expression of a word. Defaults to letters,
            marks, digits and underscores of any script, also with an
            apostrophe or a hyphen between them.
        **kwargs: `rate` and `seed` of `RandomAugmentation`, and `name` and
            `dtype` of a Keras layer.

    Raises:
        ValueError: If an argument is no regular expression.
    """

    def __init__(
        self,
        *,
        protected: Sequence[str] | str = (),
        word_pattern: str = _words.WORD,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.protected = _protected(self, protected)
        self.word_pattern = checked_pattern(self, "word_pattern", word_pattern)

    def split(self, texts):
        protected = self.protected
        if isinstance(protected, str):
            protected = _words.as_written(protected)
        elif protected:
            protected = _words.whole(protected)
        return _words.split(texts, self.word_pattern, protected or None)


class WordAugmentation(WordSplitAugmentation):
    """Base of the augmentations that change some words of each text.

    Args:
        fraction: Share of the words that change, from 0 to 1, or a pair
            `(lowest, highest)`, from which each text draws its own. Defaults
            to `0.1`.
        minimum: How many words of each text change at least, if it has as
            many and the share is not 0. Defaults to `1`.
        **kwargs: `protected` and `word_pattern` of `WordSplitAugmentation`,
            `rate` and `seed` of `RandomAugmentation`, and `name` and `dtype`
            of a Keras layer.

    Raises:
        ValueError: If an argument is out of bounds, or no regular expression.
    """

    # How many words change at a time.
    words_in_one = 1

    def __init__(
        self,
        fraction: float | tuple[float, float] = 0.1,
        *,
        minimum: int = 1,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.fraction = one_or_range(self, "fraction", fraction, 0, 1)
        self.minimum = integer(self, "minimum", minimum, low=0)

    def sample(self, shape, seed):
        high, low, share, rounding = self.uniforms(4, shape[0], seed)
        return {
            "key": keys_from(high, low),
            "share": one_or_between(self.fraction, share),
            "rounding": rounding,
        }

    def amounts(self, words, parameters):
        """How many words of each text are to change."""
        size = self.words_in_one
        number = words.sums(words.free)
        return size * amount(
            number // size,
            parameters["share"],
            parameters["rounding"],
            -(-self.minimum // size),
        )


def checked_pattern(owner, argument, pattern):
    """A regular expression in the syntax of RE2, which matches something.

    Raises:
        ValueError: If it is none, or if it matches the empty text.
    """
    instance_of(owner, argument, pattern, str, "a regular expression")
    if pattern == _words.WORD:
        return pattern
    import tensorflow as tf

    with tf.init_scope():
        try:
            is_empty = tf.strings.regex_full_match(
                "", _words.uncaptured(pattern)
            )
        except tf.errors.InvalidArgumentError as error:
            fail(
                owner,
                argument,
                "a regular expression in the syntax of RE2",
                pattern,
                str(error.message),
            )
    if bool(is_empty):
        fail(
            owner,
            argument,
            "a regular expression that does not match the empty text",
            pattern,
        )
    return pattern


def strings(owner, argument, values):
    """A list of strings that are not empty.

    Raises:
        ValueError: If it is no sequence of such.
    """
    allowed = "a sequence of strings that are not empty"
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        fail(owner, argument, allowed, values)
    values = list(values)
    if not all(isinstance(value, str) and value for value in values):
        fail(owner, argument, allowed, values)
    return values


def _protected(owner, value):
    if isinstance(value, str):
        return checked_pattern(owner, "protected", value)
    if isinstance(value, bytes) or not hasattr(value, "__iter__"):
        allowed = "a sequence of words or a regular expression"
        fail(owner, "protected", allowed, value)
    return strings(owner, "protected", value)

from collections.abc import Sequence

from keras_regopt._registry import register
from keras_regopt._validate import boolean, fail
from keras_regopt.augmentation.text._split import WordAugmentation, strings
from keras_regopt.augmentation.text._stop_words import checked_stop_words
from keras_regopt.augmentation.text._synonyms import (
    UsesThesaurus,
    checked_thesaurus,
)
from keras_regopt.augmentation.text.functional._word_changes import (
    inserted,
    picked_from_text,
)
from keras_regopt.augmentation.text.functional._word_draws import (
    below,
    choose,
    word_uniforms,
)
from keras_regopt.augmentation.text.thesaurus import Thesaurus


@register
class RandomWordInsertion(UsesThesaurus, WordAugmentation):
    """Inserts words next to some words of a text.

    Teaches a model to bear words that say nothing new. As many words as
    `fraction` says are inserted, each before or behind one of the text, with
    a space between: synonyms of words of the text, if there is a `thesaurus`;
    or words of a list; or else words of the text itself once more.

    Args:
        fraction: How many words are inserted, as a share of the number of
            words, from 0 to 1, or a pair `(lowest, highest)`, from which each
            text draws its own. Defaults to `0.1`.
        words: Sequence of the words to insert. Defaults to `None`.
        thesaurus: A `Thesaurus`, or a dict from which one is made. A text of
            which it knows no word does not change. Defaults to `None`.
        stop_words: Words of which no synonyms are inserted, or `"english"`
            for a short list of those. Defaults to `None`.
        keep_part_of_speech: Whether nothing is inserted for words that the
            thesaurus knows as several parts of speech. Defaults to `True`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `minimum` (how many words are inserted at least, by default
            1), `protected` (words, phrases or a regular expression, next to
            and in which none are) and `word_pattern` (the regular expression
            of a word), `rate` (the probability that a text changes at all),
            and `name` and `dtype` of a Keras layer.

    Input shape:
        One string or a batch of strings, or a dict with the key `texts`; see
        `StringAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If an argument is out of bounds, or no regular expression,
            or if there are both `words` and a `thesaurus`.

    Examples:
        >>> import tensorflow as tf
        >>> texts = tf.data.Dataset.from_tensors(["A great film, but long."])
        >>> layer = RandomWordInsertion(0.3, words=["well"], seed=3)
        >>> next(iter(texts.map(layer))).numpy().tolist()
        [b'A great film, but well long.']

    References:
        Wei and Zou 2019, EDA: easy data augmentation techniques for boosting
        performance on text classification tasks.
    """

    def __init__(
        self,
        fraction: float | tuple[float, float] = 0.1,
        words: Sequence[str] | None = None,
        thesaurus: Thesaurus | None = None,
        stop_words: str | Sequence[str] | None = None,
        keep_part_of_speech: bool = True,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(fraction, seed=seed, **kwargs)
        self.words = None if words is None else strings(self, "words", words)
        self.thesaurus = checked_thesaurus(self, thesaurus, optional=True)
        self.stop_words = checked_stop_words(self, stop_words)
        self.keep_part_of_speech = boolean(
            self, "keep_part_of_speech", keep_part_of_speech
        )
        if words is not None and (not self.words or thesaurus is not None):
            allowed = "a sequence of words, or None if there is a thesaurus"
            fail(self, "words", allowed, words)

    def change(self, parts, parameters):
        import tensorflow as tf

        counts, key = self.amounts(parts, parameters), parameters["key"]
        choice = choose(parts, key, 0, parts.free, counts)
        before = word_uniforms(parts, key, 1) < 0.5
        chosen = choice.chosen
        if self.thesaurus is not None:
            # Those of the first ranks stand at the first places.
            new, missing = self.synonyms_of_text(parts, key, (2, 3))
            source = parts.of_text(parts.starts) + choice.rank
            new, chosen = tf.gather(new, source), chosen & ~missing
        elif self.words is not None:
            number = below(word_uniforms(parts, key, 2), len(self.words))
            new = tf.gather(tf.constant(self.words), number)
        else:
            draws = word_uniforms(parts, key, 2)
            new = picked_from_text(parts, choice, draws)
        return inserted(parts, chosen, new, before)

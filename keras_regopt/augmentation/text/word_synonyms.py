from collections.abc import Sequence

from keras_regopt._registry import register
from keras_regopt._validate import boolean
from keras_regopt.augmentation.text._split import WordAugmentation
from keras_regopt.augmentation.text._stop_words import checked_stop_words
from keras_regopt.augmentation.text._synonyms import (
    UsesThesaurus,
    checked_thesaurus,
)
from keras_regopt.augmentation.text.thesaurus import Thesaurus


@register
class WordSynonyms(UsesThesaurus, WordAugmentation):
    """Replaces some words of a text by synonyms.

    Shows a model other words for the same. Of the words of each text,
    `fraction` are replaced, drawn from those that the thesaurus knows, each
    by one of its synonyms, in the case of the word: capitals for capitals, a
    first capital for a first capital. A thesaurus that knows less than 1 % of
    the words in a batch of 200 words or more is warned of.

    Args:
        thesaurus: A `Thesaurus`, or a dict from which one is made.
        fraction: Share of the words that are replaced, from 0 to 1, or a
            pair `(lowest, highest)`, from which each text draws its own.
            Defaults to `0.1`.
        stop_words: Words that are not replaced, or `"english"` for a short
            list of those. Defaults to `None`.
        keep_part_of_speech: Whether words that the thesaurus knows as several
            parts of speech, such as a noun and a verb, stay, since nothing
            tells which it is here. Defaults to `True`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `minimum` (how many words are replaced at least, by default
            1), `protected` (words, phrases or a regular expression that stay)
            and `word_pattern` (the regular expression of a word), `rate` (the
            probability that a text changes at all), and `name` and `dtype` of
            a Keras layer.

    Input shape:
        One string or a batch of strings, or a dict with the key `texts`; see
        `StringAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If an argument is out of bounds, or no regular expression.

    Examples:
        >>> import tensorflow as tf
        >>> texts = tf.data.Dataset.from_tensors(["A great FILM, and long."])
        >>> layer = WordSynonyms({"great": ["fine"], "film": ["movie"]}, 0.5)
        >>> next(iter(texts.map(layer))).numpy().tolist()
        [b'A fine MOVIE, and long.']

    References:
        Zhang, Zhao and LeCun 2015, Character-level convolutional networks for
        text classification.
    """

    def __init__(
        self,
        thesaurus: Thesaurus,
        fraction: float | tuple[float, float] = 0.1,
        stop_words: str | Sequence[str] | None = None,
        keep_part_of_speech: bool = True,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(fraction, seed=seed, **kwargs)
        self.thesaurus = checked_thesaurus(self, thesaurus)
        self.stop_words = checked_stop_words(self, stop_words)
        self.keep_part_of_speech = boolean(
            self, "keep_part_of_speech", keep_part_of_speech
        )

    def change(self, parts, parameters):
        counts = self.amounts(parts, parameters)
        return self.replaced(parts, parameters["key"], (0, 1), counts)

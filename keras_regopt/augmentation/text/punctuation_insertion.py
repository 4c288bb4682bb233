from collections.abc import Sequence

from keras_regopt._registry import register
from keras_regopt.augmentation.text._split import WordAugmentation, strings
from keras_regopt.augmentation.text.functional._word_changes import inserted
from keras_regopt.augmentation.text.functional._word_draws import (
    below,
    choose,
    word_uniforms,
)


@register
class PunctuationInsertion(WordAugmentation):
    """Inserts punctuation marks before some words of a text (AEDA).

    All words stay, and in their order, so that a text hardly changes its
    meaning. Before as many words as `fraction` says, one of `marks` is
    inserted, with a space behind it.

    Args:
        fraction: How many marks are inserted, as a share of the number of
            words, from 0 to 1, or a pair `(lowest, highest)`, from which each
            text draws its own. Defaults to `(0.0, 0.3)`.
        marks: Sequence of the marks. Defaults to
            `(".", ";", "?", ":", "!", ",")`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `minimum` (how many marks are inserted at least, by default
            1), `protected` (words, phrases or a regular expression, before
            and in which none are) and `word_pattern` (the regular expression
            of a word), `rate` (the probability that a text changes at all),
            and `name` and `dtype` of a Keras layer.

    Input shape:
        One string or a batch of strings, or a dict with the key `texts`; see
        `StringAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If an argument is out of bounds, or no regular expression.

    Examples:
        >>> import tensorflow as tf
        >>> texts = tf.data.Dataset.from_tensors(["a slow but great film"])
        >>> layer = PunctuationInsertion(0.4, seed=0)
        >>> next(iter(texts.map(layer))).numpy().tolist()
        [b'; a . slow but great film']

    References:
        Karimi, Rossi and Prati 2021, AEDA: an easier data augmentation
        technique for text classification.
    """

    def __init__(
        self,
        fraction: float | tuple[float, float] = (0.0, 0.3),
        marks: Sequence[str] = (".", ";", "?", ":", "!", ","),
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(fraction, seed=seed, **kwargs)
        self.marks = strings(self, "marks", marks)
        if not self.marks:
            strings(self, "marks", None)

    def change(self, parts, parameters):
        import tensorflow as tf

        counts, key = self.amounts(parts, parameters), parameters["key"]
        chosen = choose(parts, key, 0, parts.free, counts).chosen
        number = below(word_uniforms(parts, key, 1), len(self.marks))
        marks = tf.gather(tf.constant(self.marks), number)
        return inserted(parts, chosen, marks, tf.ones_like(chosen))

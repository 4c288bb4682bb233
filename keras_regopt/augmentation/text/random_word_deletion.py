from keras_regopt._registry import register
from keras_regopt.augmentation.text._split import WordAugmentation
from keras_regopt.augmentation.text.functional._word_changes import deleted
from keras_regopt.augmentation.text.functional._word_draws import choose


@register
class RandomWordDeletion(WordAugmentation):
    """Deletes some words of a text.

    Teaches a model not to rely on single words. Of the words of each text,
    `fraction` are drawn and go, each with one space or tab next to it; all
    else between the words stays, byte for byte. At least one word stays.

    Args:
        fraction: Share of the words that go, from 0 to 1, or a pair
            `(lowest, highest)`, from which each text draws its own. Defaults
            to `0.1`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `minimum` (how many words go at least, by default 1),
            `protected` (words, phrases or a regular expression that stay)
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
        >>> texts = tf.data.Dataset.from_tensors(["A good, but slow film."])
        >>> layer = RandomWordDeletion(0.4, protected="good|slow", seed=0)
        >>> next(iter(texts.map(layer))).numpy().tolist()
        [b'good, but slow film.']

    References:
        Wei and Zou 2019, EDA: easy data augmentation techniques for boosting
        performance on text classification tasks.
    """

    def __init__(
        self,
        fraction: float | tuple[float, float] = 0.1,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(fraction, seed=seed, **kwargs)

    def change(self, parts, parameters):
        counts = self.amounts(parts, parameters)
        # One word stays.
        counts = self.ops.minimum(counts, self.ops.maximum(parts.counts - 1, 0))
        key = parameters["key"]
        choice = choose(parts, key, 0, parts.free, counts)
        return deleted(parts, choice.chosen)

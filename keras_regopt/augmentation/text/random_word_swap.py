from keras_regopt._registry import register
from keras_regopt.augmentation.text._split import WordAugmentation
from keras_regopt.augmentation.text.functional._word_changes import exchanged
from keras_regopt.augmentation.text.functional._word_draws import choose


@register
class RandomWordSwap(WordAugmentation):
    """Exchanges some words of a text with one another.

    Teaches a model not to rely on the order of single words. Of the words of
    each text, `fraction` are drawn and exchange their places in pairs. What
    is between the words stays where it is, byte for byte.

    Args:
        fraction: Share of the words that change places, from 0 to 1, or a
            pair `(lowest, highest)`, from which each text draws its own.
            Defaults to `0.1`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `minimum` (how many words change at least, by default 1,
            which makes one pair), `protected` (words, phrases or a regular
            expression that stay) and `word_pattern` (the regular expression
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
        >>> texts = tf.data.Dataset.from_tensors(["Good, but not great."])
        >>> layer = RandomWordSwap(0.5, protected=["not", "great"], seed=0)
        >>> next(iter(texts.map(layer))).numpy().tolist()
        [b'but, Good not great.']

    References:
        Wei and Zou 2019, EDA: easy data augmentation techniques for boosting
        performance on text classification tasks.
    """

    words_in_one = 2

    def __init__(
        self,
        fraction: float | tuple[float, float] = 0.1,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(fraction, seed=seed, **kwargs)

    def change(self, parts, parameters):
        counts = self.amounts(parts, parameters)
        key = parameters["key"]
        return exchanged(parts, choose(parts, key, 0, parts.free, counts))

from keras_regopt._registry import register
from keras_regopt.augmentation._noise import keys_from
from keras_regopt.augmentation._ranges import one_or_range
from keras_regopt.augmentation._sampling import one_or_between
from keras_regopt.augmentation.text._split import SplitAugmentation
from keras_regopt.augmentation.text.functional._sentences import (
    split_sentences,
)
from keras_regopt.augmentation.text.functional._word_changes import shuffled
from keras_regopt.augmentation.text.functional._word_draws import (
    amount,
    choose,
)


@register
class SentenceShuffle(SplitAugmentation):
    """Puts the sentences of a text into another order.

    For texts whose label does not hang on the order of what is said, such as
    reviews. A sentence ends with `.`, `!`, `?` or `…` and white space, or
    with such a mark of Chinese and Japanese; abbreviations are not known. The
    white space between sentences stays where it is. Texts of one sentence do
    not change.

    Args:
        fraction: Share of the sentences that change places, from 0 to 1, but
            two at least, or a pair `(lowest, highest)`, from which each text
            draws its own. Defaults to `1.0`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that a text changes at all), and
            `name` and `dtype` of a Keras layer.

    Input shape:
        One string or a batch of strings, or a dict with the key `texts`; see
        `StringAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If `fraction` is out of bounds.

    Examples:
        >>> import tensorflow as tf
        >>> texts = tf.data.Dataset.from_tensors(["One. Two!  Three?"])
        >>> layer = SentenceShuffle(seed=1)
        >>> next(iter(texts.map(layer))).numpy().tolist()
        [b'Three? Two!  One.']
    """

    def __init__(
        self,
        fraction: float | tuple[float, float] = 1.0,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.fraction = one_or_range(self, "fraction", fraction, 0, 1)

    def sample(self, shape, seed):
        high, low, share, rounding = self.uniforms(4, shape[0], seed)
        return {
            "key": keys_from(high, low),
            "share": one_or_between(self.fraction, share),
            "rounding": rounding,
        }

    def split(self, texts):
        return split_sentences(texts)

    def change(self, parts, parameters):
        counts = amount(
            parts.sums(parts.free),
            parameters["share"],
            parameters["rounding"],
            # One alone has nowhere to go.
            2,
        )
        key = parameters["key"]
        return shuffled(parts, choose(parts, key, 0, parts.free, counts))

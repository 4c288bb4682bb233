from collections.abc import Sequence

from keras_regopt._registry import register
from keras_regopt._validate import fail
from keras_regopt.augmentation.text._split import WordAugmentation
from keras_regopt.augmentation.text.functional import _case
from keras_regopt.augmentation.text.functional._word_draws import (
    below,
    choose,
    word_uniforms,
)

_CASES = {"lower": _case.lower, "title": _case.titled, "upper": _case.upper}


@register
class RandomCase(WordAugmentation):
    """Writes some words of a text in lower case, in capitals, or as titles.

    Makes a model bear careless writers. Of the words of each text, `fraction`
    are drawn, and each is written in one of `cases`. Scripts without capitals
    do not change, nor does what is between the words.

    Args:
        fraction: Share of the words that are drawn, from 0 to 1, or a pair
            `(lowest, highest)`, from which each text draws its own. Defaults
            to `0.1`. With `1.0` and one of the `cases`, whole texts are
            written so.
        cases: Sequence of `"lower"`, `"title"` (the first letter alone is a
            capital) and `"upper"`. Defaults to all three.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `minimum` (how many words are drawn at least, by default
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
        >>> texts = tf.data.Dataset.from_tensors(["A dull, SLOW film"])
        >>> layer = RandomCase(1.0, cases=["title"])
        >>> next(iter(texts.map(layer))).numpy().tolist()
        [b'A Dull, Slow Film']
    """

    def __init__(
        self,
        fraction: float | tuple[float, float] = 0.1,
        cases: Sequence[str] = ("lower", "title", "upper"),
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(fraction, seed=seed, **kwargs)
        self.cases = _checked(self, cases)

    def change(self, parts, parameters):
        import tensorflow as tf

        counts, key = self.amounts(parts, parameters), parameters["key"]
        chosen = choose(parts, key, 0, parts.free, counts).chosen
        draws = word_uniforms(parts, key, 1)
        for number, case in enumerate(self.cases):
            drawn = chosen & (below(draws, len(self.cases)) == number)
            index = tf.where(drawn)[:, 0]
            words = tf.gather(parts.words, index)
            parts = parts.at(index, _CASES[case](words))
        return parts


def _checked(owner, cases):
    good = isinstance(cases, (list, tuple)) and len(cases) > 0
    if not good or not all(case in list(_CASES) for case in cases):
        names = ", ".join(repr(case) for case in _CASES)
        fail(owner, "cases", f"a sequence of {names}", cases)
    return list(cases)

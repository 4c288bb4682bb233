from collections.abc import Mapping, Sequence

from keras_regopt._registry import register
from keras_regopt._validate import fail
from keras_regopt.augmentation.text import _keyboards
from keras_regopt.augmentation.text._split import WordAugmentation
from keras_regopt.augmentation.text.functional._lookup import Lookup
from keras_regopt.augmentation.text.functional._typos import KINDS, misspelled
from keras_regopt.augmentation.text.functional._word_draws import (
    below,
    choose,
    word_uniforms,
)


@register
class CharacterTypos(WordAugmentation):
    """Misspells some words of a text, by one character each.

    Makes a model bear typing errors and badly read prints. Of the words of
    each text, `fraction` are drawn, and each gets one error of a kind that is
    drawn from `kinds`:

    - `"keyboard"`: a key next to the right one, in its case;
    - `"swap"`: two neighbours change places;
    - `"drop"`: a character is missing, in words of two or more;
    - `"double"`: a character stands twice;
    - `"ocr"`: a character that looks alike, as a scanner reads it.

    A word in which there is no place for such an error stays as it is.
    Characters are code points.

    Args:
        fraction: Share of the words that are misspelled, from 0 to 1, or a
            pair `(lowest, highest)`, from which each text draws its own.
            Defaults to `0.1`.
        kinds: Sequence of the kinds above, all equally likely. Defaults to
            all but `"ocr"`.
        keyboard: `"qwerty"`, `"qwertz"` or `"azerty"`; or a dict of
            characters in lower case and strings of their neighbours. Defaults
            to `"qwerty"`.
        ocr: A dict of characters and lists of what looks like them. Defaults
            to `None`, a table of Latin letters and digits.
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
        >>> texts = tf.data.Dataset.from_tensors(["a truly great film"])
        >>> layer = CharacterTypos(0.5, kinds=["swap"], seed=5)
        >>> next(iter(texts.map(layer))).numpy().tolist()
        [b'a turly gerat film']

    References:
        Belinkov and Bisk 2018, Synthetic and natural noise both break neural
        machine translation.
    """

    def __init__(
        self,
        fraction: float | tuple[float, float] = 0.1,
        kinds: Sequence[str] = ("keyboard", "swap", "drop", "double"),
        keyboard: str | Mapping[str, str] = "qwerty",
        ocr: Mapping[str, Sequence[str]] | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(fraction, seed=seed, **kwargs)
        self.kinds = _checked_kinds(self, kinds)
        self.keyboard = _checked_keyboard(self, keyboard)
        self.ocr = None if ocr is None else _checked_table(self, "ocr", ocr)
        neighbours = self.keyboard
        if isinstance(neighbours, str):
            neighbours = _keyboards.neighbours(neighbours)
        self._keyboard = Lookup({k: list(v) for k, v in neighbours.items()})
        self._ocr = Lookup(_keyboards.ALIKE if ocr is None else self.ocr)

    def change(self, parts, parameters):
        import tensorflow as tf

        counts, key = self.amounts(parts, parameters), parameters["key"]
        chosen = choose(parts, key, 0, parts.free, counts).chosen
        index = tf.where(chosen)[:, 0]
        drawn = below(word_uniforms(parts, key, 1), len(self.kinds))
        keys = tf.cast(word_uniforms(parts, key, 2) * 2.0**24, "int32")
        words = misspelled(
            tf.gather(parts.words, index),
            tf.gather(keys, index),
            self.kinds,
            tf.gather(drawn, index),
            {"keyboard": self._keyboard, "ocr": self._ocr},
        )
        return parts.at(index, words)


def _checked_kinds(owner, kinds):
    good = isinstance(kinds, (list, tuple)) and len(kinds) > 0
    if not good or not all(kind in list(KINDS) for kind in kinds):
        names = ", ".join(repr(kind) for kind in KINDS)
        fail(owner, "kinds", f"a sequence of {names}", kinds)
    return list(kinds)


def _checked_keyboard(owner, keyboard):
    names = list(_keyboards.ROWS)
    if isinstance(keyboard, Mapping):
        return {
            key: "".join(values)
            for key, values in _checked_table(
                owner, "keyboard", keyboard
            ).items()
        }
    if not isinstance(keyboard, str) or keyboard not in names:
        allowed = f"one of {', '.join(map(repr, names))}, or a dict"
        fail(owner, "keyboard", allowed, keyboard)
    return keyboard


def _checked_table(owner, argument, table):
    """A dict of single characters and what may stand for them."""
    good = isinstance(table, Mapping) and all(
        isinstance(key, str)
        and len(key) == 1
        and isinstance(values, (str, list, tuple))
        and len(values) > 0
        and all(isinstance(value, str) and value for value in values)
        for key, values in table.items()
    )
    if not good:
        allowed = "a dict of characters and what may stand for each"
        fail(owner, argument, allowed, table)
    return {key: list(values) for key, values in table.items()}

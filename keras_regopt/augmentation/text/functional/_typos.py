"""Misspelled words: one character of each is changed."""

from keras_regopt.augmentation.text.functional import _case
from keras_regopt.augmentation.text.functional._word_draws import (
    choose,
    word_uniforms,
)
from keras_regopt.augmentation.text.functional._words import Words, join


def misspelled(words, keys, kinds, drawn, tables):
    """Words with one typing error each, as far as one is possible.

    Args:
        words: String tensor of shape `(total,)`, of valid UTF-8.
        keys: Int32 tensor like it, from which all is drawn.
        kinds: List of the kinds of errors, of `KINDS`.
        drawn: Int32 tensor like `words`: the place of each error in `kinds`.
        tables: Dict of `"keyboard"` and `"ocr"` and the `Lookup` of each, from
            characters to those that may stand for them.

    Returns:
        String tensor like `words`.
    """
    import tensorflow as tf

    characters = _characters(words)
    drawn = characters.of_text(drawn)
    followed = tf.concat([characters.words, [""]], axis=0)[1:]
    found = [_FINDERS[kind](characters, followed, tables) for kind in kinds]
    possible = tf.zeros_like(characters.free)
    for number, (can, _) in enumerate(found):
        possible = possible | ((drawn == number) & can)
    one = tf.ones_like(characters.counts)
    chosen = choose(characters, keys, 0, possible, one).chosen
    draws = word_uniforms(characters, keys, 1)
    for number, (_, change) in enumerate(found):
        index = tf.where(chosen & (drawn == number))[:, 0]
        texts = change(
            tf.gather(characters.words, index),
            tf.gather(followed, index),
            index,
            tf.gather(draws, index),
        )
        characters = characters.at(index, texts)
        if kinds[number] == "swap":
            # The character behind stands in front already.
            characters = characters.at(index + 1, tf.zeros_like(texts))
    return join(characters)


def _swap(characters, followed, tables):
    import tensorflow as tf

    is_last = characters.place == characters.of_text(characters.counts) - 1
    can = ~is_last & (characters.words != followed)
    return can, lambda texts, behind, *_: tf.strings.join([behind, texts])


def _drop(characters, followed, tables):
    import tensorflow as tf

    several = characters.of_text(characters.counts) > 1
    return several, lambda texts, *_: tf.zeros_like(texts)


def _double(characters, followed, tables):
    import tensorflow as tf

    return characters.free, lambda texts, *_: tf.strings.join([texts, texts])


def _press_beside(characters, followed, tables):
    import tensorflow as tf

    table = tables["keyboard"]
    numbers = table.find(_case.lower(characters.words))

    def change(texts, behind, index, draws):
        return _case.like(texts, table.pick(tf.gather(numbers, index), draws))

    return numbers >= 0, change


def _misread(characters, followed, tables):
    import tensorflow as tf

    table = tables["ocr"]
    numbers = table.find(characters.words)

    def change(texts, behind, index, draws):
        return table.pick(tf.gather(numbers, index), draws)

    return numbers >= 0, change


# Each returns which characters can have such an error, and a function that
# makes it: of the characters that have it, those behind them, their flat
# places, and a number from 0 to 1 for each.
_FINDERS = {
    "keyboard": _press_beside,
    "swap": _swap,
    "drop": _drop,
    "double": _double,
    "ocr": _misread,
}
KINDS = tuple(_FINDERS)


def _characters(words):
    """The characters of words, as `Words` whose texts the words are."""
    import tensorflow as tf

    pieces = tf.strings.unicode_split(words, "UTF-8", errors="replace")
    counts = tf.cast(pieces.row_lengths(), "int32")
    starts = tf.cast(pieces.row_starts(), "int32")
    row = tf.cast(pieces.value_rowids(), "int32")
    return Words(
        heads=tf.zeros_like(words),
        words=pieces.values,
        gaps=tf.zeros_like(pieces.values),
        free=tf.ones_like(row, "bool"),
        row=row,
        place=tf.range(tf.shape(row)[0]) - tf.gather(starts, row),
        counts=counts,
        starts=starts,
    )

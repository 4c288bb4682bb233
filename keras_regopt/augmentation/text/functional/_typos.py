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
    draws = word_uniforms(characters, keys, 1)
    followed = tf.concat([characters.words, [""]], axis=0)[1:]
    possible = tf.zeros_like(characters.free)
    changed, swapped = characters.words, possible
    for number, kind in enumerate(kinds):
        change = _CHANGES[kind]
        can, new = change(characters, followed, draws, tables.get(kind))
        here = drawn == number
        possible = possible | (here & can)
        changed = tf.where(here, new, changed)
        swapped = swapped | (here & (kind == "swap"))
    one = tf.ones_like(characters.counts)
    chosen = choose(characters, keys, 0, possible, one).chosen
    # The character that was swapped stands in front already.
    is_taken = tf.concat([[False], chosen & swapped], axis=0)[:-1]
    kept = tf.where(is_taken, "", characters.words)
    return join(characters.replace(words=tf.where(chosen, changed, kept)))


def _swap(characters, followed, draws, table):
    import tensorflow as tf

    texts = characters.words
    is_last = characters.place == characters.of_text(characters.counts) - 1
    return ~is_last & (texts != followed), tf.strings.join([followed, texts])


def _drop(characters, followed, draws, table):
    import tensorflow as tf

    several = characters.of_text(characters.counts) > 1
    return several, tf.zeros_like(characters.words)


def _double(characters, followed, draws, table):
    import tensorflow as tf

    texts = characters.words
    return characters.free, tf.strings.join([texts, texts])


def _press_beside(characters, followed, draws, table):
    import tensorflow as tf

    numbers = table.find(_case.lower(characters.words))
    new = table.pick(tf.maximum(numbers, 0), draws)
    return numbers >= 0, _case.like(characters.words, new)


def _misread(characters, followed, draws, table):
    import tensorflow as tf

    numbers = table.find(characters.words)
    return numbers >= 0, table.pick(tf.maximum(numbers, 0), draws)


# Each returns which characters can have such an error, and what it makes of
# them.
_CHANGES = {
    "keyboard": _press_beside,
    "swap": _swap,
    "drop": _drop,
    "double": _double,
    "ocr": _misread,
}
KINDS = tuple(_CHANGES)


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

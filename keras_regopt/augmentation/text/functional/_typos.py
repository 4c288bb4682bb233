"""Misspelled words: one character of each is changed."""

from keras_regopt.augmentation.text.functional import _case
from keras_regopt.augmentation.text.functional._word_draws import (
    choose,
    word_uniforms,
)
from keras_regopt.augmentation.text.functional._words import Words, join

KINDS = ("keyboard", "swap", "drop", "double", "ocr")


def misspelled(words, keys, kinds, keyboard, ocr):
    """Words with one typing error each, as far as one is possible.

    Args:
        words: String tensor of shape `(total,)`, of valid UTF-8.
        keys: Int32 tensor like it, from which all is drawn.
        kinds: Int32 tensor like it: the place of each error in `KINDS`.
        keyboard: `Lookup` of characters and their neighbours.
        ocr: `Lookup` of characters and what looks like them.

    Returns:
        String tensor like `words`.
    """
    import tensorflow as tf

    characters = _characters(words)
    texts = characters.words
    kind = characters.of_text(kinds)
    following = tf.concat([texts, [""]], axis=0)[1:]
    length = characters.of_text(characters.counts)
    small = _case.lower(texts)
    on_keyboard, in_ocr = keyboard.find(small), ocr.find(texts)
    several = length > 1
    candidates = _by_kind(
        kind,
        keyboard=on_keyboard >= 0,
        swap=(characters.place < length - 1) & (texts != following),
        drop=several,
        double=tf.ones_like(several),
        ocr=in_ocr >= 0,
    )
    one = tf.ones_like(characters.counts)
    chosen = choose(characters, keys, 0, candidates, one).chosen
    draws = word_uniforms(characters, keys, 1)
    neighbour = keyboard.pick(tf.maximum(on_keyboard, 0), draws)
    changed = _by_kind(
        kind,
        keyboard=_case.like(texts, neighbour),
        swap=tf.strings.join([following, texts]),
        drop=tf.zeros_like(texts),
        double=tf.strings.join([texts, texts]),
        ocr=ocr.pick(tf.maximum(in_ocr, 0), draws),
    )
    swapped = chosen & (kind == KINDS.index("swap"))
    # The character that was swapped stands in front already.
    is_taken = tf.concat([[False], swapped], axis=0)[:-1]
    texts = tf.where(chosen, changed, tf.where(is_taken, "", texts))
    return join(characters.replace(words=texts))


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


def _by_kind(kind, **values):
    """For each character the value that its kind of error has."""
    import tensorflow as tf

    result = values[KINDS[0]]
    for number, name in enumerate(KINDS[1:], 1):
        result = tf.where(kind == number, values[name], result)
    return result

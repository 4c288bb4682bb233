"""The sentences of texts, and what is between."""

from keras_regopt.augmentation.text.functional._words import Words

# A mark ends a sentence if white space follows, those of Chinese and Japanese
# in any case. Quotation marks and brackets behind it belong to the sentence.
_END = (
    r"([.!?…؟।]+[\"'”’»)\]]*)(\s+)"  # noqa: RUF001
    r"|([。！？]+[」』”’）]*)(\s*)"  # noqa: RUF001
)

_MARK = b"\xff"


def split_sentences(texts):
    """Finds the sentences of texts.

    Args:
        texts: String tensor of shape `(batch,)`, of valid UTF-8.

    Returns:
        `Words` that are sentences. An empty one, behind the last mark, is not
        free.
    """
    import tensorflow as tf

    replaced = tf.strings.regex_replace
    body = replaced(texts, r"\A\s+", "")
    head = _cut(texts, tf.strings.length(body), from_end=True)
    stripped = replaced(body, r"\s+\z", "")
    tail = _cut(body, tf.strings.length(stripped), from_end=False)
    rewrite = rb"\1\3" + _MARK + rb"\2\4" + _MARK
    pieces = tf.strings.split(replaced(stripped, _END, rewrite), sep=_MARK)
    first = tf.cast(pieces.row_starts(), "int32")
    counts = (tf.cast(pieces.row_lengths(), "int32") + 1) // 2
    starts = tf.cumsum(counts, exclusive=True)
    splits = tf.concat([starts, [tf.reduce_sum(counts)]], axis=0)
    row = tf.ragged.row_splits_to_segment_ids(splits, out_type="int32")
    place = tf.range(tf.shape(row)[0]) - tf.gather(starts, row)
    index = tf.gather(first, row) + 2 * place
    sentences = tf.gather(pieces.values, index)
    is_last = place == tf.gather(counts, row) - 1
    behind = tf.gather(pieces.values, tf.where(is_last, index, index + 1))
    return Words(
        heads=head,
        words=sentences,
        gaps=tf.where(is_last, tf.gather(tail, row), behind),
        free=sentences != "",
        row=row,
        place=place,
        counts=counts,
        starts=starts,
    )


def _cut(texts, length, from_end):
    """The texts without as many bytes at their end, or at their start."""
    import tensorflow as tf

    whole = tf.strings.length(texts)
    if from_end:
        return tf.strings.substr(texts, tf.zeros_like(length), whole - length)
    return tf.strings.substr(texts, length, whole - length)

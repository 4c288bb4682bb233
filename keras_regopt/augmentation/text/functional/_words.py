"""The words of texts, found by one regular expression, and what is between.

All texts of a batch are computed with at once: their words stand in one flat
tensor, one text after the other. The bytes between the words are never
touched, but are put back where they were.
"""

import dataclasses
from typing import Any

# Letters, marks, digits and underscores, also with an apostrophe or a hyphen
# between them.
WORD = r"[\p{L}\p{M}\p{N}_]+(?:['\x{2019}-][\p{L}\p{M}\p{N}_]+)*"

# No valid UTF-8 holds this byte.
_MARK = b"\xff"

_VALID = r"[\x{0}-\x{D7FF}\x{E000}-\x{10FFFF}]*"


@dataclasses.dataclass(frozen=True)
class Words:
    """The words of a batch of texts.

    Attributes:
        heads: String tensor of shape `(batch,)`: what is before the first
            word of each text.
        words: String tensor of shape `(total,)`.
        gaps: One like it: what is behind each word.
        free: Boolean tensor like it: which words may change.
        row: Int32 tensor like it: which text each word is of.
        place: Int32 tensor like it: which word of its text each is, from 0.
        counts: Int32 tensor of shape `(batch,)`: the words of each text.
        starts: One like it: the flat place of the first word of each text.
    """

    heads: Any
    words: Any
    gaps: Any
    free: Any
    row: Any
    place: Any
    counts: Any
    starts: Any

    def replace(self, **fields):
        """The same with other fields."""
        return dataclasses.replace(self, **fields)

    def sums(self, values):
        """The sum over each text of numbers or truth values of its words."""
        import tensorflow as tf

        values = tf.cast(values, "int32")
        return tf.math.unsorted_segment_sum(
            values, self.row, tf.shape(self.counts)[0]
        )

    def of_text(self, values):
        """For each word the value of its text."""
        import tensorflow as tf

        return tf.gather(values, self.row)

    def at(self, index, words):
        """The same with other words at some flat places."""
        import tensorflow as tf

        changed = tf.tensor_scatter_nd_update(self.words, index[:, None], words)
        return self.replace(words=changed)


def is_valid(texts):
    """Which texts are valid UTF-8, as a boolean tensor."""
    import tensorflow as tf

    return tf.strings.regex_full_match(texts, _VALID)


def split(texts, pattern=WORD, protected=None):
    """Finds the words of texts.

    Args:
        texts: String tensor of shape `(batch,)`, of valid UTF-8.
        pattern: The regular expression of a word, in the syntax of RE2.
            Defaults to `WORD`.
        protected: Optional regular expression of what is not free, which is
            looked for first; see `whole` for words. Groups within either are
            there to hold parts together.

    Returns:
        `Words`.
    """
    import tensorflow as tf

    # To know groups, too, takes RE2 four times as long.
    finder = uncaptured(pattern)
    rewrite, period = _MARK + rb"\0" + _MARK, 2
    if protected is not None:
        finder = f"(?:{protected})|({finder})"
        # What follows a protected word is found with it.
        rewrite, period = _MARK + rb"\1" + _MARK + rb"\3" + _MARK + rb"\2", 3
    marked = tf.strings.regex_replace(texts, finder, rewrite)
    pieces = tf.strings.split(marked, sep=_MARK)
    values, first = pieces.values, tf.cast(pieces.row_starts(), "int32")
    counts = (tf.cast(pieces.row_lengths(), "int32") - 1) // period
    starts = tf.cumsum(counts, exclusive=True)
    row, place = _numbers(counts, starts)
    index = tf.gather(first, row) + period * place + 1
    words = tf.gather(values, index)
    free = tf.ones_like(row, "bool")
    if protected is not None:
        free = words == ""
        words = tf.where(free, tf.gather(values, index + 1), words)
    return Words(
        heads=tf.gather(values, first),
        words=words,
        gaps=tf.gather(values, index + period - 1),
        free=free,
        row=row,
        place=place,
        counts=counts,
        starts=starts,
    )


def join(words):
    """The texts of `Words`, a string tensor of shape `(batch,)`."""
    import tensorflow as tf

    pieces = tf.strings.join([words.words, words.gaps])
    count = tf.shape(words.counts)[0]
    bodies = tf.strings.unsorted_segment_join(pieces, words.row, count)
    return tf.strings.join([words.heads, bodies])


def whole(words):
    """The regular expression of protected words, for `split`.

    Each is found in any case, and as a whole: what follows it must be no part
    of a word. Hence the second group.

    Args:
        words: List of words or phrases.
    """
    # The longest first: the first that fits is taken.
    words = sorted(words, key=len, reverse=True)
    choice = "|".join(_escaped(word) for word in words)
    return rf"((?i:{choice}))([^\p{{L}}\p{{M}}\p{{N}}_]|\z)"


def as_written(pattern):
    """The regular expression of protected places, for `split`."""
    return f"({uncaptured(pattern)})()"


def uncaptured(pattern):
    """A regular expression whose groups do not count."""
    result, in_class, position = "", False, 0
    while position < len(pattern):
        character = pattern[position]
        step = 2 if character == "\\" else 1
        piece = pattern[position : position + step]
        if in_class:
            in_class = piece != "]"
        elif piece == "[":
            in_class = True
            # A bracket in front is a character of the class.
            after = pattern[position + 1 : position + 3]
            skipped = 1 if after[:1] == "]" else 2 * (after == "^]")
            piece += after[:skipped]
            step += skipped
        elif piece == "(":
            piece, step = _opened(pattern, position)
        result += piece
        position += step
    return result


def _opened(pattern, position):
    """What stands for an opening parenthesis, and how much it replaces."""
    rest = pattern[position + 1 :]
    if not rest.startswith("?"):
        return "(?:", 1
    if rest.startswith(("?P<", "?<")):
        return "(?:", rest.index(">") + 2
    return "(", 1


def _escaped(text):
    """A text as a regular expression that finds just this."""
    return "".join(
        c if c.isalnum() or c.isspace() or ord(c) > 127 else f"\\{c}"
        for c in text
    )


def _numbers(counts, starts):
    """The text and the place in it of each word."""
    import tensorflow as tf

    splits = tf.concat([starts, [tf.reduce_sum(counts)]], axis=0)
    row = tf.ragged.row_splits_to_segment_ids(splits, out_type="int32")
    return row, tf.range(tf.shape(row)[0]) - tf.gather(starts, row)

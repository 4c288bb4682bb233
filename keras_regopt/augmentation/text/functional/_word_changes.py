"""What is done to the words of texts, once it is drawn."""

from keras_regopt.augmentation.text.functional._word_draws import below


def exchanged(words, choice):
    """Exchanges the chosen words of each text in pairs.

    An odd one stays where it is.

    Args:
        words: `Words`.
        choice: A `Choice`.

    Returns:
        `Words`.
    """
    import tensorflow as tf

    partner = words.of_text(words.starts) + tf.bitwise.bitwise_xor(
        choice.rank, 1
    )
    paired = choice.rank < words.of_text(choice.counts // 2 * 2)
    own = tf.range(tf.shape(words.row)[0])
    partner = tf.gather(choice.order, tf.where(paired, partner, own))
    return _moved(words, tf.where(paired, partner, own))


def shuffled(words, choice):
    """Lets the chosen words of each text change places at random.

    Args:
        words: `Words`.
        choice: A `Choice`, of whose random order the first words go to the
            first of the chosen places.

    Returns:
        `Words`.
    """
    import tensorflow as tf

    number = tf.cumsum(tf.cast(choice.chosen, "int32"), exclusive=True)
    before = tf.cumsum(choice.counts, exclusive=True)
    number += words.of_text(words.starts - before)
    own = tf.range(tf.shape(words.row)[0])
    source = tf.gather(choice.order, tf.where(choice.chosen, number, own))
    return _moved(words, tf.where(choice.chosen, source, own))


def deleted(words, gone):
    """Deletes words, and with each of them one space or tab next to it.

    What else is between the words stays. The space is that before the word,
    or, if there is none before the first of several neighbours that go, that
    behind it.

    Args:
        words: `Words`.
        gone: Boolean tensor of shape `(total,)`.

    Returns:
        `Words`, those that are gone empty.
    """
    import tensorflow as tf

    is_first = words.place == 0
    after_gone = tf.concat([[False], gone], axis=0)[:-1]
    begins = gone & (is_first | ~after_gone)
    # What the first of neighbours finds before it holds for all of them.
    run = tf.maximum(tf.cumsum(tf.cast(begins, "int32")) - 1, 0)
    first = tf.where(begins)[:, 0]
    before = tf.where(
        tf.gather(is_first, first),
        tf.gather(words.heads, tf.gather(words.row, first)),
        tf.gather(words.gaps, tf.maximum(first - 1, 0)),
    )
    spaced = tf.strings.regex_full_match(before, r"(?s).*[ \t]")
    spaced = tf.concat([spaced, [False]], axis=0)
    takes_before = gone & tf.gather(spaced, run)
    takes_behind = gone & ~takes_before
    # The gap behind a word is the one before the next.
    next_takes = takes_before & ~is_first
    next_takes = tf.concat([next_takes, [False]], axis=0)[1:]
    gaps = _where(next_takes, _without_last_space, words.gaps)
    gaps = _where(takes_behind, _without_first_space, gaps)
    heads_lose = words.sums(takes_before & is_first) > 0
    heads = _where(heads_lose, _without_last_space, words.heads)
    return words.replace(
        heads=heads, gaps=gaps, words=tf.where(gone, "", words.words)
    )


def inserted(words, chosen, new, before):
    """Inserts words next to others, with a space between.

    Args:
        words: `Words`.
        chosen: Boolean tensor of shape `(total,)`: next to which.
        new: String tensor like it.
        before: Boolean tensor like it: whether the new word stands before
            the other, and not behind it.

    Returns:
        `Words`.
    """
    import tensorflow as tf

    ahead = tf.strings.join([new, words.words], separator=" ")
    behind = tf.strings.join([words.words, new], separator=" ")
    both = tf.where(before, ahead, behind)
    return words.replace(words=tf.where(chosen, both, words.words))


def picked_from_text(words, choice, draws):
    """For each word a random word of its text, of those that are free.

    Args:
        words: `Words`.
        choice: A `Choice` from those that are free.
        draws: Float32 tensor of shape `(total,)`, of numbers from 0 to 1.

    Returns:
        String tensor like it.
    """
    import tensorflow as tf

    rank = below(draws, words.of_text(words.sums(words.free)))
    place = words.of_text(words.starts) + rank
    return tf.gather(words.words, tf.gather(choice.order, place))


def _moved(words, source):
    """Words that come from other flat places."""
    import tensorflow as tf

    return words.replace(words=tf.gather(words.words, source))


def _where(condition, function, values):
    """Strings, changed by a function where a condition holds."""
    import tensorflow as tf

    index = tf.where(condition)
    changed = function(tf.gather_nd(values, index))
    return tf.tensor_scatter_nd_update(values, index, changed)


def _without_last_space(gaps):
    import tensorflow as tf

    return tf.strings.regex_replace(gaps, r"[ \t]\z", "")


def _without_first_space(gaps):
    import tensorflow as tf

    return tf.strings.regex_replace(gaps, r"\A[ \t]", "")

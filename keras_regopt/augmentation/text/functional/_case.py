"""Upper and lower case of words, in any script that has them."""


def lower(words):
    """The words in lower case."""
    import tensorflow as tf

    # Quick, and true of ASCII alone; few words have other letters.
    plain = tf.strings.lower(words)
    others = tf.where(~tf.strings.regex_full_match(words, r"[[:ascii:]]*"))
    small = tf.strings.lower(tf.gather_nd(words, others), encoding="utf-8")
    return tf.tensor_scatter_nd_update(plain, others, small)


def upper(words):
    """The words in upper case."""
    import tensorflow as tf

    return tf.strings.upper(words, encoding="utf-8")


def capitalized(words):
    """The words with their first letter in upper case."""
    import tensorflow as tf

    first, rest = _first_and_rest(words)
    return tf.strings.join([upper(first), rest])


def titled(words):
    """The words in lower case, but for their first letter."""
    return capitalized(lower(words))


def like(models, words):
    """The words in the case of others.

    Words of two letters or more in capitals make the others so, words that
    begin with a capital make the others begin with one.

    Args:
        models: String tensor of the words whose case is taken.
        words: String tensor like it.

    Returns:
        String tensor like it.
    """
    import tensorflow as tf

    first, rest = _first_and_rest(models)
    begins = first != lower(first)
    all_upper = begins & (rest != lower(rest)) & (models == upper(models))
    result = tf.where(begins, capitalized(words), words)
    return tf.where(all_upper, upper(words), result)


def _first_and_rest(words):
    import tensorflow as tf

    first = tf.strings.substr(words, 0, 1, unit="UTF8_CHAR")
    begin = tf.strings.length(first, unit="BYTE")
    everything = tf.fill(tf.shape(begin), 2**30)
    return first, tf.strings.substr(words, begin, everything)

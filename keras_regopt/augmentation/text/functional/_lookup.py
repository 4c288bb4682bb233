"""Dictionaries from words to lists of words, as tensors of TensorFlow.

They are constants, not tables: there is nothing to initialize, and they go
into `tf.data` functions and saved graphs as they are.
"""

import itertools

from keras_regopt.augmentation.text.functional._word_draws import below


class Lookup:
    """Finds words, and draws one of those that stand behind each.

    Args:
        entries: A dict of words and non-empty lists of words.
    """

    def __init__(self, entries):
        self._entries = entries
        self._made = None

    def find(self, words):
        """The number of each word in the dictionary, or -1."""
        import tensorflow as tf

        hashes, keys, _, _, _ = self._tensors()
        wanted = _hashed(words)
        index = tf.searchsorted(hashes, wanted)
        index = tf.minimum(index, tf.shape(hashes)[0] - 1)
        return tf.where(tf.gather(keys, index) == words, index, -1)

    def pick(self, numbers, draws):
        """A word from the list behind each entry.

        Args:
            numbers: Int32 tensor, of what `find` returned, none negative.
            draws: Float32 tensor like it, of numbers from 0 to 1.

        Returns:
            String tensor like it.
        """
        import tensorflow as tf

        _, _, starts, counts, values = self._tensors()
        chosen = below(draws, tf.gather(counts, numbers))
        return tf.gather(values, tf.gather(starts, numbers) + chosen)

    def _tensors(self):
        if self._made is None:
            import tensorflow as tf

            # Outside of the function that is being traced.
            with tf.init_scope(), tf.device("CPU:0"):
                self._made = self._make()
        return self._made

    def _make(self):
        import tensorflow as tf

        # Something must be there to look at.
        entries = self._entries or {"": [""]}
        keys = tf.constant(list(entries), "string")
        hashes = _hashed(keys)
        order = tf.argsort(hashes)
        lengths = [len(values) for values in entries.values()]
        counts = tf.gather(tf.constant(lengths, "int32"), order)
        starts = tf.cumsum(tf.constant(lengths, "int32"), exclusive=True)
        values = list(itertools.chain.from_iterable(entries.values()))
        return (
            tf.gather(hashes, order),
            tf.gather(keys, order),
            tf.gather(starts, order),
            counts,
            tf.constant(values, "string"),
        )

    def __getstate__(self):
        # Tensors are made again where they are needed.
        return {"_entries": self._entries, "_made": None}

    def __deepcopy__(self, memo):
        return type(self)(self._entries)


def _hashed(words):
    import tensorflow as tf

    return tf.strings.to_hash_bucket_fast(words, 2**63 - 1)

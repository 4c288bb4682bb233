"""What the augmentations share that draw synonyms from a thesaurus."""

import os
from collections.abc import Mapping

from keras_regopt._validate import fail
from keras_regopt.augmentation.text._notices import notice
from keras_regopt.augmentation.text._stop_words import stop_words
from keras_regopt.augmentation.text.functional import _case
from keras_regopt.augmentation.text.functional._lookup import Lookup
from keras_regopt.augmentation.text.functional._word_draws import (
    choose,
    word_uniforms,
)
from keras_regopt.augmentation.text.thesaurus import Thesaurus

_FILE = "thesaurus.tsv"

# Of fewer words, nothing is concluded.
_ENOUGH_WORDS = 200


class UsesThesaurus:
    """What layers do that keep a `Thesaurus`, and save it next to the model.

    They have the attributes `thesaurus`, which may be `None`, `stop_words`
    and `keep_part_of_speech`.
    """

    _lookup = None

    def save_assets(self, dir_path):
        if self.thesaurus is not None:
            os.makedirs(dir_path, exist_ok=True)
            self.thesaurus.save(os.path.join(dir_path, _FILE))

    def load_assets(self, dir_path):
        if self.thesaurus is not None:
            path = os.path.join(dir_path, _FILE)
            self.thesaurus = Thesaurus.from_tab_separated(path)
            self._lookup = None

    def known(self, words):
        """The number of the entry of each word, or -1.

        Args:
            words: `Words`.
        """
        import tensorflow as tf

        numbers = self._entries().find(_case.lower(words.words))
        numbers = tf.where(words.free, numbers, -1)
        total = tf.size(numbers)
        count = tf.math.count_nonzero(numbers >= 0, dtype="int32")
        notice(
            self,
            "unknown words",
            (total >= _ENOUGH_WORDS) & (count * 100 < total),
            f"The thesaurus of {type(self).__name__} '{self.name}' knows {{}} "
            "of {} words. Is it of another language?",
            count,
            total,
        )
        return numbers

    def replaced(self, words, key, streams, counts):
        """Some of the words that are known, each replaced by a synonym.

        Args:
            words: `Words`.
            key: Int32 tensor of shape `(batch,)`.
            streams: Pair of streams of draws.
            counts: How many of each text are replaced, if as many are known.

        Returns:
            `Words`.
        """
        import tensorflow as tf

        numbers = self.known(words)
        choice = choose(words, key, streams[0], numbers >= 0, counts)
        index = tf.where(choice.chosen)[:, 0]
        draws = tf.gather(word_uniforms(words, key, streams[1]), index)
        synonyms = self._entries().pick(tf.gather(numbers, index), draws)
        old = tf.gather(words.words, index)
        return words.at(index, _case.like(old, synonyms))

    def synonyms_of_text(self, words, key, streams):
        """For each rank of a random order a synonym of a word of the text.

        Args:
            words: `Words`.
            key: Int32 tensor of shape `(batch,)`.
            streams: Pair of streams of draws.

        Returns:
            String tensor of shape `(total,)`, and which are none, since the
            thesaurus knows no word of the text.
        """
        import tensorflow as tf

        numbers = self.known(words)
        choice = choose(words, key, streams[0], numbers >= 0, words.counts)
        number = tf.maximum(words.of_text(choice.counts), 1)
        source = words.of_text(words.starts) + words.place % number
        numbers = tf.gather(numbers, tf.gather(choice.order, source))
        draws = word_uniforms(words, key, streams[1])
        synonyms = self._entries().pick(tf.maximum(numbers, 0), draws)
        return synonyms, numbers < 0

    def _entries(self):
        if self._lookup is None:
            self._lookup = Lookup(
                self.thesaurus.single_words(
                    stop_words(self.stop_words), self.keep_part_of_speech
                )
            )
        return self._lookup


def checked_thesaurus(owner, value, optional=False):
    """A `Thesaurus`, also from a dict.

    Raises:
        ValueError: If it is none.
    """
    if isinstance(value, Thesaurus) or (optional and value is None):
        return value
    if not isinstance(value, Mapping):
        allowed = f"a Thesaurus{', or None' if optional else ''}"
        fail(owner, "thesaurus", allowed, value)
    try:
        return Thesaurus(value)
    except ValueError as error:
        fail(owner, "thesaurus", "a Thesaurus", value, str(error))

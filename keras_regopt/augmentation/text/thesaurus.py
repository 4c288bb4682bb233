import hashlib
import re
import weakref
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from keras_regopt._registry import register
from keras_regopt._validate import fail, in_range, positive_int
from keras_regopt.augmentation.text import _thesaurus_files as files
from keras_regopt.augmentation.text._neighbors import nearest

# A configuration holds the words of small ones; larger ones go into a file
# next to it.
_MOST_IN_CONFIG = 1000

# Those of this process, by what they hold.
_known: weakref.WeakValueDictionary[str, "Thesaurus"] = (
    weakref.WeakValueDictionary()
)


@register
class Thesaurus:
    """Words and their synonyms, for `WordSynonyms` and its like.

    Words are found whatever their case. Nothing is built in; besides from a
    dict, it is made from

    - `Thesaurus.from_tab_separated(path)`;
    - `Thesaurus.from_mythes(path)`, the format of LibreOffice in many
      languages, such as Debian's `mythes-en-us`;
    - `Thesaurus.from_wordnet(path)`, the files of WordNet;
    - `Thesaurus.from_embeddings(words, matrix)`.

    A model that is saved holds a copy, and reloads where the file is gone.

    Args:
        entries: A dict of words and lists of their synonyms; or of words and
            dicts of parts of speech, such as `"noun"`, and lists of synonyms.

    Raises:
        ValueError: If `entries` is no such dict.

    Examples:
        >>> thesaurus = Thesaurus({"film": ["movie", "picture"]})
        >>> thesaurus.synonyms("Film")
        ['movie', 'picture']
        >>> thesaurus.coverage(["A film, a movie"])
        0.25

    References:
        Miller 1995, WordNet: a lexical database for English.
    """

    def __init__(
        self,
        entries: Mapping[str, Sequence[str] | Mapping[str, Sequence[str]]],
    ):
        if isinstance(entries, _Elsewhere):
            self._entries, self._digest = None, entries.digest
            return
        if not isinstance(entries, Mapping):
            _refuse_entries(entries)
        self._entries = _merged(_triples(entries))
        if not self._entries:
            _refuse_entries(entries)
        text = files.tab_separated(self._as_triples())
        self._digest = hashlib.sha256(text.encode()).hexdigest()
        _known.setdefault(self._digest, self)

    @classmethod
    def from_tab_separated(cls, path):
        """Reads lines of a word and its synonyms, with tabs between.

        Behind the word may stand its part of speech in parentheses, and
        another tab.

        Args:
            path: The file, in UTF-8.

        Raises:
            ValueError: If a line is none such.
        """
        return cls(_grouped(files.read_tab_separated(path)))

    @classmethod
    def from_mythes(cls, path):
        """Reads a dictionary of MyThes, such as `th_en_US_v2.dat`.

        Terms marked as similar are synonyms; more general, related and
        opposite ones are not.

        Args:
            path: The file with the ending `.dat`.

        Raises:
            ValueError: If a line is not in this format.
        """
        return cls(_grouped(files.read_mythes(path)))

    @classmethod
    def from_wordnet(cls, path):
        """Reads the files of WordNet.

        Args:
            path: The folder of `data.noun`, `data.verb`, `data.adj` and
                `data.adv`, or a list of such files.

        Raises:
            ValueError: If there are none, or if a line is not in this format.
        """
        return cls(_grouped(files.read_wordnet(path)))

    @classmethod
    def from_embeddings(cls, words, matrix, count=5, min_similarity=0.6):
        """Takes for synonyms the words with the nearest embeddings.

        These may mean the opposite: `good` and `bad` are near one another.

        Args:
            words: Sequence of words.
            matrix: Array of shape `(len(words), size)`, a row for each.
            count: How many synonyms a word has at most, from 1. Defaults to
                `5`.
            min_similarity: The smallest cosine of synonyms, from -1 to 1.
                Defaults to `0.6`.

        Raises:
            ValueError: If an argument is out of bounds, or if there are not
                as many rows as words.
        """
        name = "Thesaurus.from_embeddings"
        positive_int(name, "count", count)
        in_range(name, "min_similarity", min_similarity, -1, 1)
        words, matrix = list(words), np.asarray(matrix, "float32")
        if matrix.ndim != 2 or len(matrix) != len(words):
            allowed = f"an array with a row for each of the {len(words)} words"
            fail(name, "matrix", allowed, matrix.shape)
        return cls(_grouped(nearest(words, matrix, count, min_similarity)))

    def synonyms(self, word, part_of_speech=None):
        """The synonyms of a word.

        Args:
            word: The word, in any case.
            part_of_speech: Of which they are. Defaults to `None`: of any.

        Returns:
            A list of words.
        """
        by_part = self._checked().get(word.lower(), {})
        if part_of_speech is not None:
            return list(by_part.get(part_of_speech, []))
        return list(dict.fromkeys(w for ws in by_part.values() for w in ws))

    def coverage(self, texts: Iterable[str]) -> float:
        """The share of the words of texts that have synonyms here.

        Args:
            texts: Strings.

        Returns:
            A number from 0 to 1; 0 if there are no words.
        """
        entries = self._checked()
        words = [w.lower() for t in texts for w in re.findall(r"[\w'-]+", t)]
        return sum(w in entries for w in words) / max(len(words), 1)

    def single_words(self, without=(), keep_part_of_speech=False):
        """The entries that can be found in a text word by word.

        Args:
            without: Words, in lower case, that are left out.
            keep_part_of_speech: Whether to leave out words of several parts of
                speech, too.

        Returns:
            A dict of words in lower case and lists of synonyms.
        """
        without = set(without)
        return {
            word: self.synonyms(word)
            for word, by_part in self._checked().items()
            if not re.search(r"\s", word)
            and word not in without
            and not (keep_part_of_speech and len(by_part) > 1)
        }

    def save(self, path):
        """Writes a file that `from_tab_separated` reads."""
        text = files.tab_separated(self._as_triples())
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)

    def get_config(self):
        config = {"entries": None, "digest": self._digest}
        entries = self._entries
        if entries is not None and len(entries) <= _MOST_IN_CONFIG:
            config["entries"] = {
                word: {part: list(words) for part, words in by_part.items()}
                for word, by_part in entries.items()
            }
        return config

    @classmethod
    def from_config(cls, config):
        if config["entries"] is not None:
            return cls(config["entries"])
        known = _known.get(config["digest"])
        if known is not None:
            return known
        # The words come from a file next to the configuration.
        return cls(_Elsewhere(config["digest"]))

    def __len__(self):
        return len(self._checked())

    def __contains__(self, word):
        return word.lower() in self._checked()

    def __repr__(self):
        count = "?" if self._entries is None else len(self._entries)
        return f"Thesaurus(<{count} words>)"

    def _as_triples(self):
        for word, by_part in self._checked().items():
            for part, synonyms in by_part.items():
                yield word, part, synonyms

    def _checked(self):
        if self._entries is None:
            raise ValueError(
                "This thesaurus has no words: it was made from a "
                "configuration, and they are in the file of the model. Load "
                "that with `keras.saving.load_model`, or hand a thesaurus to "
                "a new layer."
            )
        return self._entries


class _Elsewhere:
    """Stands for words that are not there."""

    def __init__(self, digest):
        self.digest = digest


def _grouped(triples):
    """A dict of words and dicts of parts of speech and lists of synonyms."""
    entries: dict[str, dict[str, list[str]]] = {}
    for word, part, synonyms in triples:
        entries.setdefault(word, {}).setdefault(part, []).extend(synonyms)
    return entries


def _merged(triples):
    """The same by words in lower case, without what says nothing."""
    triples = (
        (word.lower(), part, [s for s in synonyms if s.lower() != word.lower()])
        for word, part, synonyms in triples
    )
    merged = {}
    for word, by_part in _grouped(triples).items():
        found = {
            part: list(dict.fromkeys(filter(None, synonyms)))
            for part, synonyms in by_part.items()
            if any(synonyms)
        }
        if found and word:
            merged[word] = found
    return merged


def _triples(entries):
    for word, value in entries.items():
        by_part = value if isinstance(value, Mapping) else {"": value}
        for part, synonyms in by_part.items():
            good = (
                isinstance(synonyms, (list, tuple))
                and all(isinstance(s, str) for s in (word, part, *synonyms))
                and not any(set(s) & set("\t\r\n") for s in (word, *synonyms))
            )
            if not good:
                _refuse_entries({word: value})
            yield word, part, synonyms


def _refuse_entries(entries):
    fail(
        "Thesaurus",
        "entries",
        "a dict of words and lists of synonyms, without tabs and line breaks, "
        "or of words and dicts of parts of speech and such lists",
        entries,
    )

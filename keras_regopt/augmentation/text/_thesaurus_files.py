"""Reads the files of thesauri.

Each function returns triples of a word, its part of speech (`""` where it is
not known) and a list of its synonyms.
"""

import pathlib
import re

from keras_regopt._validate import fail

# What MyThes writes behind words that mean something else.
_NOTE = re.compile(r"\s*\(([^()]*)\)\s*$")
_ALIKE = ("similar term",)

_PARTS = {"n": "noun", "v": "verb", "a": "adj", "s": "adj", "r": "adv"}


def read_tab_separated(path):
    """Lines of a word, perhaps a part of speech in parentheses, and synonyms.

    Args:
        path: The file, in UTF-8.
    """
    text = _text(path, "utf-8")
    # Not `splitlines`, which knows more ends of lines than files have.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        word, *synonyms = line.split("\t")
        part = ""
        if synonyms and re.fullmatch(r"\([^()]*\)", synonyms[0]):
            part = synonyms.pop(0)[1:-1]
        if not synonyms:
            _broken(path, number, "a word, a tab and synonyms", line)
        yield word, part, synonyms


def tab_separated(triples):
    """The lines that `read_tab_separated` reads."""
    return "".join(
        "\t".join([word, f"({part})", *synonyms]) + "\n"
        for word, part, synonyms in triples
    )


def read_mythes(path):
    """A dictionary of MyThes, such as `th_en_US_v2.dat`."""
    with open(path, "rb") as file:
        encoding = file.readline().decode("ascii", "replace").strip()
    # As the format writes `ISO8859-1`.
    encoding = encoding.replace("ISO8859", "iso-8859")
    lines = iter(_text(path, encoding).split("\n")[1:])
    for number, line in enumerate(lines, 2):
        if not line.strip():
            continue
        word, _, count = line.rpartition("|")
        if not word or not count.strip().isdigit():
            _broken(path, number, "a word, a bar and a number", line)
        for _ in range(int(count)):
            part, *synonyms = next(lines, "").split("|")
            yield word, _part_of(part), _synonyms(synonyms)


def read_wordnet(path):
    """The files `data.noun`, `data.verb`, `data.adj`, `data.adv` of WordNet.

    Args:
        path: Their folder, or a list of files.
    """
    if isinstance(path, (list, tuple)):
        files = [pathlib.Path(p) for p in path]
    else:
        files = sorted(pathlib.Path(path).glob("data.*"))
    if not files:
        fail(
            "Thesaurus.from_wordnet",
            "path",
            "a folder with the files data.noun, data.verb, ... of WordNet",
            path,
        )
    for file in files:
        for number, line in enumerate(_text(file, "utf-8").split("\n"), 1):
            # The license is indented.
            if line.startswith(" ") or not line:
                continue
            yield from _synset(file, number, line)


def _synset(file, number, line):
    fields = line.split(" ")
    try:
        part, count = _PARTS[fields[2]], int(fields[3], 16)
        words = fields[4 : 4 + 2 * count : 2]
    except (IndexError, KeyError, ValueError):
        _broken(file, number, "a synset of WordNet", line)
    # Adjectives may tell where they stand.
    words = [re.sub(r"\(\w+\)$", "", w).replace("_", " ") for w in words]
    for word in words:
        yield word, part, [other for other in words if other != word]


def _part_of(text):
    part = text.strip().strip("()").strip()
    return "" if part == "-" else part


def _synonyms(terms):
    found = []
    for term in terms:
        note = _NOTE.search(term)
        if note is None or note.group(1) in _ALIKE:
            found.append(_NOTE.sub("", term).strip())
    return found


def _text(path, encoding):
    try:
        return pathlib.Path(path).read_text(encoding=encoding)
    except (LookupError, UnicodeDecodeError) as error:
        raise ValueError(
            f"The thesaurus in {str(path)!r} must be text in the encoding "
            f"{encoding!r}. Received: {error}"
        ) from error


def _broken(path, number, allowed, line):
    raise ValueError(
        f"Line {number} of {str(path)!r} must be {allowed}. Received: "
        f"{line[:80]!r}"
    )

"""Pictures of texts: words or tokens, with those that changed marked."""

import difflib
import re

import numpy as np

from keras_regopt.augmentation._view import View, arrays, known

# Inches of a character and of a line of the font, which is of one width.
_FONT_SIZE = 7
_CHARACTER, _LINE = 0.64 * _FONT_SIZE / 72, 1.5 * _FONT_SIZE / 72

# Characters in a line.
_MOST = 44

# What is new, and what is gone.
_NEW, _GONE = "#F6C9A8", "0.6"


class TextView(View):
    """How strings are drawn."""

    key = "texts"
    drawn = ("texts", "labels")
    ranks = (1,)
    options = ("class_names",)
    holds_strings = True

    def cell(self, columns):
        lines = [
            _lines_of(_marked(self.words(original), self.words(element)))
            for column in columns
            for original, element in zip(
                _elements(columns[0]), _elements(column), strict=False
            )
        ]
        most = max(map(len, lines), default=1)
        return [(_MOST + 1) * _CHARACTER] * len(columns), (most + 0.5) * _LINE

    def draw(self, axes, element, original, columns):
        height = self.cell(columns)[1] / _LINE
        axes.set_xlim(0, _MOST + 1)
        axes.set_ylim(height, 0)
        words = _marked(self.words(original), self.words(element))
        for row, line in enumerate(_lines_of(words)):
            at = 0
            for word, mark in line:
                _write(axes, at, row + 0.5, word, mark)
                at += len(word) + 1

    def words(self, element):
        """What is compared, a list of strings."""
        text = element["texts"]
        text = (
            text.decode(errors="replace") if isinstance(text, bytes) else text
        )
        return re.findall(r"\S+", str(text))


class TokenView(TextView):
    """How token ids are drawn: as these, or as the words of a vocabulary."""

    key = "token_ids"
    drawn = ("token_ids", "padding_mask", "labels")
    ranks = (2,)
    options = ("class_names", "vocabulary")
    holds_strings = False

    def __init__(self, owner, parts, data, options):
        super().__init__(owner, parts, data, options)
        self.padding_id = known(parts, "padding_id")
        self.vocabulary = options["vocabulary"]

    def words(self, element):
        ids = np.asarray(element["token_ids"])
        if "padding_mask" in element:
            ids = ids[np.asarray(element["padding_mask"], "bool")]
        else:
            ids = ids[ids != self.padding_id]
        return [self._word(int(i)) for i in ids]

    def _word(self, number):
        names = self.vocabulary
        if names is None or number not in range(len(names)):
            return str(number)
        name = names[number]
        return (
            name.decode(errors="replace") if isinstance(name, bytes) else name
        )


def _elements(column):
    size = len(next(iter(arrays(column).values())))
    return [{k: v[row] for k, v in column.items()} for row in range(size)]


def _marked(before, after):
    """The words of a text and what became of them: pairs of word and mark."""
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    words = []
    for what, a, b, c, d in matcher.get_opcodes():
        if what == "delete":
            words += [(word, "gone") for word in before[a:b]]
        else:
            mark = None if what == "equal" else "new"
            words += [(word, mark) for word in after[c:d]]
    return words


def _lines_of(words):
    """Lines of pairs of word and mark, none longer than the width."""
    lines, left = [[]], _MOST
    for word, mark in words:
        word = word if len(word) <= _MOST else word[: _MOST - 1] + "…"
        if len(word) > left:
            lines.append([])
            left = _MOST
        lines[-1].append((word, mark))
        left -= len(word) + 1
    return lines


def _write(axes, x, y, word, mark):
    options = {}
    if mark == "new":
        box = {"facecolor": _NEW, "edgecolor": "none", "pad": 0.8}
        options = {"bbox": box, "gid": "new"}
    if mark == "gone":
        options = {"color": _GONE, "gid": "gone"}
        axes.plot([x, x + len(word)], [y, y], color=_GONE, linewidth=0.8)
    axes.text(
        x,
        y,
        # Dollars would begin a formula.
        word.replace("$", r"\$"),
        family="DejaVu Sans Mono",
        fontsize=_FONT_SIZE,
        va="center",
        **options,
    )

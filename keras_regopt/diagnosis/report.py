"""Reports as one HTML file that opens offline."""

import os
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from keras_regopt._files import replaced
from keras_regopt._types import Path
from keras_regopt.diagnosis import _wording
from keras_regopt.diagnosis._figures import to_svg

_ALLOWED = (
    "a Diagnosis, a learning or validation curve, the result of checks, a "
    "string, a table as a list of dicts, a Matplotlib figure, or a tuple "
    "(heading, content, ...) of these"
)

_STYLE = """
:root { color-scheme: light dark; --line: #8886; --soft: #8881;
  --good: #00734f; --bad: #b24a00; }
@media (prefers-color-scheme: dark) { :root { --good: #4cc9a0;
  --bad: #ff9a52; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem;
  margin: 0 auto; padding: 1.5rem; overflow-wrap: break-word; }
h1 { font-size: 1.7rem; margin: 0 0 1rem; }
h2 { font-size: 1.3rem; margin: 2.2rem 0 .6rem;
  border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.3rem 0 .3rem; }
.verdict { font-size: 1.15rem; padding: .6rem .9rem; margin: .8rem 0;
  background: var(--soft); border-left: .35rem solid var(--bad); }
.verdict.fits { border-color: var(--good); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: .6rem 0; }
caption { text-align: left; font-style: italic; }
th, td { text-align: left; padding: .25rem .9rem .25rem 0;
  border-bottom: 1px solid var(--line); vertical-align: top; }
td.number, th.number { text-align: right;
  font-variant-numeric: tabular-nums; white-space: nowrap; }
figure { margin: 1rem 0; }
svg { max-width: 100%; height: auto; }
svg text { fill: currentColor; }
li { margin: .25rem 0; }
code { font-size: .9em; background: var(--soft); padding: .05rem .3rem; }
@media (max-width: 36rem) {
  body { padding: 1rem .9rem; }
  th, td { padding-right: .6rem; font-size: .9rem; }
}
@media print {
  :root { color-scheme: light; }
  body { max-width: none; padding: 0; }
  .scroll { overflow: visible; }
  figure, tr, .verdict { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
}
"""


def write_report(path: Path, title: str, sections: Sequence[Any]) -> str:
    """Writes an HTML page of verdicts, tables, figures and text.

    The page is one file: figures are inlined as SVG, there is no script, and
    nothing is loaded from a network. It follows the reader's light or dark
    mode. It appears under its name only when it is complete.

    Args:
        path: Where to write; missing folders are made.
        title: Title of the page.
        sections: A list whose items are a `Diagnosis`, a `LearningCurve` or
            `ValidationCurve`, a `CheckResult`, a string (blank lines separate
            paragraphs), a table as a list of dicts with column names as keys,
            a Matplotlib figure, or a tuple `(heading, content, ...)` of a
            heading and any of these.

    Returns:
        The path, as a string.

    Raises:
        ValueError: If an item is none of these.
        ImportError: If a `Diagnosis` is among them and Matplotlib is not
            installed.

    Examples:
        >>> import os, tempfile
        >>> folder = tempfile.mkdtemp()
        >>> rows = [{"model": "plain", "error": 0.031}]
        >>> path = write_report(
        ...     f"{folder}/report.html", "Digits", [("Result", rows)]
        ... )
        >>> os.listdir(folder)
        ['report.html']
    """
    page = _Page()
    body = "\n".join(page.section(item) for item in sections)
    title = escape(str(title))
    _write_whole(
        os.fspath(path),
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, '
        'initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>{title}</h1>\n{body}\n</main>\n</body>\n"
        "</html>\n",
    )
    return os.fspath(path)


class _Page:
    """Turns contents into HTML and numbers the figures."""

    def __init__(self):
        self._figures = 0

    def section(self, item):
        if not isinstance(item, tuple):
            return f"<section>\n{self._content(item)}\n</section>"
        if not item or not isinstance(item[0], str):
            _refuse(item)
        contents = "\n".join(self._content(content) for content in item[1:])
        return f"<section>\n<h2>{escape(item[0])}</h2>\n{contents}\n</section>"

    def _content(self, content):
        # The modules of what has a verdict import this one.
        if hasattr(content, "steps"):
            return self._diagnosis(content)
        if hasattr(content, "_repr_html_") and hasattr(content, "as_dict"):
            return self._result(content)
        if isinstance(content, Html):
            return content
        if isinstance(content, str):
            return _paragraphs(content)
        if hasattr(content, "savefig"):
            return self._figure(content, "Figure")
        if isinstance(content, (list, tuple)) and all(
            isinstance(row, Mapping) for row in content
        ):
            return _table(content)
        return _refuse(content)

    def _diagnosis(self, diagnosis):
        d = diagnosis
        rows = [
            {"quantity": name, "value": _Number(value), "remark": remark}
            for name, value, remark in _wording.values(d)
        ]
        parts = [
            verdict_box(d),
            self._figure(d.figure(), f"Learning curves: {d.verdict}"),
            _table(rows),
            f"<h3>Why</h3>{bullets(d.reasons)}",
        ]
        if d.notes:
            parts.append(f"<h3>Keep in mind</h3>{bullets(d.notes)}")
        return "\n".join([*parts, next_steps(d)])

    def _result(self, result):
        parts = [f'<div class="scroll">{result._repr_html_()}</div>']
        if hasattr(result, "figure"):
            parts.append(self._figure(result.figure(), result.verdict))
        return "\n".join(parts)

    def _figure(self, figure, label):
        self._figures += 1
        svg = to_svg(figure, self._figures)
        named = f'<svg role="img" aria-label="{escape(label)}"'
        return f"<figure>{svg.replace('<svg', named, 1)}</figure>"


class Html(str):
    """A part of a page that is HTML already."""


def verdict_box(d):
    """The verdict of a `Diagnosis` and what it was judged by."""
    kind = "verdict fits" if d.verdict == "fits" else "verdict"
    return Html(
        f'<p class="{kind}"><strong>Verdict: {escape(d.verdict)}</strong>'
        f"<br>{escape(_wording.judged(d))}</p>"
    )


def next_steps(d):
    """The steps of a `Diagnosis`, or nothing."""
    if not d.steps:
        return Html()
    steps = "".join(
        f"<li>{_prose(step.action)} {_names(step.uses)}</li>"
        for step in d.steps
    )
    return Html(f"<h3>What to try next, in this order</h3><ol>{steps}</ol>")


def bullets(sentences):
    """Sentences as a list, in which backticks mark code."""
    items = "".join(f"<li>{_prose(s)}</li>" for s in sentences)
    return Html(f"<ul>{items}</ul>")


def heading(text):
    """A heading within a section."""
    return Html(f"<h3>{escape(text)}</h3>")


class _Number(str):
    """Text that is right-aligned in its column."""


def _table(rows):
    columns = list(dict.fromkeys(name for row in rows for name in row))
    numeric = {
        name: all(_is_number(row.get(name)) for row in rows) for name in columns
    }

    def cell(tag, name, value, scope=""):
        kind = ' class="number"' if numeric[name] else ""
        return f"<{tag}{scope}{kind}>{escape(_shown(value))}</{tag}>"

    head = "".join(cell("th", n, n, ' scope="col"') for n in columns)
    lines = "\n".join(
        "<tr>" + "".join(cell("td", n, row.get(n)) for n in columns) + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll"><table>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{lines}\n</tbody>\n</table></div>"
    )


def _is_number(value):
    if isinstance(value, (_Number, int, float)) or value is None:
        return True
    # NumPy's and the backends' scalars.
    return hasattr(value, "__float__") and not isinstance(value, str)


def _shown(value):
    if value is None:
        return ""
    if isinstance(value, (str, bool, int)) or not hasattr(value, "__float__"):
        return str(value)
    return f"{float(value):.4g}"


def _names(names):
    return " ".join(f"<code>{escape(name)}</code>" for name in names)


def _prose(text):
    """Escaped text, in which backticks mark code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


def _paragraphs(text):
    blocks = [block.strip() for block in text.split("\n\n")]
    return "\n".join(f"<p>{_prose(b)}</p>" for b in blocks if b)


def _refuse(content):
    raise ValueError(
        f"Each item of `sections` of write_report must be {_ALLOWED}. "
        f"Received: {type(content).__name__}"
    )


def _write_whole(path, text):
    """Writes a file so that it is never seen half-written."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with (
        replaced(path) as draft,
        open(draft, "w", encoding="utf-8") as file,
    ):
        file.write(text)

"""Writes the table of all objects into README.md; a test holds it up to date.

python docs/catalogue.py
"""

import pathlib

from keras_regopt._catalogue import rows

README = pathlib.Path(__file__).parent.parent / "README.md"
START, END = "<!-- catalogue -->\n", "<!-- end of catalogue -->"


def table():
    """The table in Markdown."""
    lines = ["| package | object | what it does |", "| --- | --- | --- |"]
    before = None
    for package, name, summary in rows():
        shown = f"`{package}`" if package != before else ""
        lines.append(f"| {shown} | `{name}` | {summary} |")
        before = package
    return "\n".join(lines) + "\n"


def updated(text):
    """A README with the table as it must be now."""
    head, _, rest = text.partition(START)
    _, _, tail = rest.partition(END)
    return head + START + table() + END + tail


if __name__ == "__main__":
    README.write_text(updated(README.read_text()))

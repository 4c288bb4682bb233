"""Writes docs/catalogue.md, the table of all objects; a test compares it.

python docs/catalogue.py
"""

import pathlib

from keras_regopt._catalogue import rows

PAGE = pathlib.Path(__file__).parent / "catalogue.md"
HEAD = """# Catalogue

Every object in one table, package by package. `python -m keras_regopt` prints
it, too, with the versions and backends found.

"""


def table():
    """The table in Markdown."""
    lines = ["| package | object | what it does |", "| --- | --- | --- |"]
    before = None
    for package, name, summary in rows():
        shown = f"`{package}`" if package != before else ""
        lines.append(f"| {shown} | `{name}` | {summary} |")
        before = package
    return "\n".join(lines) + "\n"


def page():
    """The page as it must be now."""
    return HEAD + table()


if __name__ == "__main__":
    PAGE.write_text(page())

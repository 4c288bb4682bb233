"""Writes the table of all objects into README.md; a test holds it up to date.

python docs/catalogue.py
"""

import inspect
import pathlib

import keras_regopt
from keras_regopt._registry import registered

README = pathlib.Path(__file__).parent.parent / "README.md"
START, END = "<!-- catalogue -->\n", "<!-- end of catalogue -->"


def rows():
    """Package, name and first sentence of every object that a user makes."""
    classes = {cls.__name__ for cls in registered()}
    for package_name in keras_regopt.__all__:
        package = getattr(keras_regopt, package_name)
        if not inspect.ismodule(package):
            continue
        # Two packages hold functions and classes that no model is saved with.
        whole = package_name in ("diagnosis", "tuning", "testing")
        for name in package.__all__:
            if whole or name in classes:
                text = inspect.getdoc(getattr(package, name)) or ""
                summary = text.partition("\n\n")[0].replace("\n", " ")
                yield package_name, name, summary


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

"""The sections that an object's page has after its docstring."""

import itertools
import pathlib

import measured
import relatives

import keras_regopt
from keras_regopt._registry import registered

PICTURES = pathlib.Path(__file__).parent.parent / "_pictures"
ALTERNATIVE = "{} at work, drawn by the library itself"


class Sections:
    """Writes what an object's page has after its docstring.

    Sphinx keeps its configuration in a file, in which no function may stand.
    """

    def __call__(self, full_name):
        """Picture, what was measured, and relatives, in reStructuredText."""
        name = full_name.rpartition(".")[2]
        parts = (picture(name), measurements(full_name), see_also(full_name))
        return "\n".join(itertools.chain(*parts))

    def __eq__(self, other):
        return type(other) is type(self)

    def __hash__(self):
        return hash(type(self))


def picture(name):
    """The picture that the build has drawn of an object, if it has."""
    for path in sorted(PICTURES.glob(f"{name}.*")):
        yield f".. image:: /_pictures/{path.name}"
        yield f"   :alt: {ALTERNATIVE.format(name)}"
        yield ""


def measurements(full_name):
    """When a technique helps and when it hurts, with links to the tables."""
    name = full_name.rpartition(".")[2]
    found = measured.measured(name)
    if not found and full_name not in TECHNIQUES:
        return
    yield from heading("When it helps, when it hurts, measured")
    if not found:
        yield f"{measured.NOTHING} :doc:`/benchmarks/index` has what was."
        yield ""
    for verdict, lines in found.items():
        for page, text in lines:
            text = text[0].upper() + text[1:]
            yield f"- **{verdict}.** {text} (:doc:`/benchmarks/{page}`)."
    if found:
        yield ""
        yield measured.HOW_TO_READ
        yield ""


def see_also(full_name):
    """Links to the objects that one reads of next."""
    short = full_name.removeprefix("keras_regopt.")
    found = relatives.relatives(short)
    if found:
        yield from heading("See also")
        yield ", ".join(f":py:obj:`~keras_regopt.{name}`" for name in found)
        yield ""


def heading(text):
    return text, "-" * len(text), ""


# Whatever a model is made of or trained with; no base class, no function.
TECHNIQUES = {
    f"keras_regopt.{package}.{cls.__name__}"
    for cls in registered()
    for package in ("regularizers", "constraints", "layers", "augmentation")
    + ("optimizers", "schedules", "callbacks")
    if getattr(getattr(keras_regopt, package), cls.__name__, None) is cls
}

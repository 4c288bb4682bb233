"""The page of an object: signature, formulas, measurements, relatives."""

import importlib
import inspect
import pathlib
import sys

import pytest

import keras_regopt

pytestmark = pytest.mark.any_backend

ROOT = pathlib.Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "docs" / "_extensions"))
measured = importlib.import_module("measured")
object_pages = importlib.import_module("object_pages")
relatives = importlib.import_module("relatives")
sys.path.pop(0)

PUBLIC = (ROOT / "tests" / "public_names.txt").read_text().split()
OBJECTS = {
    name: getattr(getattr(keras_regopt, name.split(".")[0]), name.split(".")[1])
    for name in PUBLIC
    if "." in name
}


def test_every_formula_has_its_mathematics():
    counts = {}
    for name, obj in OBJECTS.items():
        lines = (inspect.getdoc(obj) or "").splitlines()
        if blocks := object_pages.formula_blocks(lines):
            counts[name] = len(blocks)
    written = {
        f"{package}.{name}": len(formulas)
        for package, objects in object_pages.FORMULAS.items()
        for name, formulas in objects.items()
    }
    assert written == counts


def test_every_formula_is_latex_that_browsers_are_given():
    convert = pytest.importorskip("latex2mathml.converter").convert
    for objects in object_pages.FORMULAS.values():
        for name, formulas in objects.items():
            for line in filter(None, "\n".join(formulas).splitlines()):
                # What it does not know, it writes with its backslash.
                assert "\\" not in convert(line), name


def test_a_formula_stands_in_the_place_of_its_block():
    lines = ["What it is.", "", "    y = x", "", "    z = y,", "where", "Args:"]
    assert object_pages.with_formulas(lines, ["y = x\nz = y\n"]) == [
        *lines[:2],
        *(".. math::", "   :no-wrap:", "", "    y = x", "    z = y"),
        *lines[5:],
    ]
    assert object_pages.with_formulas(lines, ["code"])[2] == "::"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("CutMix", ("augmentation_gain", "Digits, CutMix: accuracy +2.5")),
        ("ActivityL2", ("regularization_gain", "test loss -0.016 ± 0.004")),
        ("SOAP", ("optimizer_quality", "Digits, SOAP: test loss -0.100")),
        ("RandomReverb", ("speech", "-0.2, +0.9 points")),
        ("RandomWordSwap", ("text", "accuracy +0.5 ± 0.15 points")),
        ("L0", ("regularization_cost", "0.98 to 1.08 times")),
        ("Adam", ("optimizers", "0.36 (TF graph)")),
        ("GridMask", ("images", "17.3 times those of albumentations")),
        ("RandomTimeStretch", ("audio", "4.4 times")),
        ("TokenMasking", ("text_speed", "5.1 times")),
        ("BayesianOracle", ("tuning", "Branin, 50 trials: 7.5e-05")),
    ],
)
def test_a_row_of_each_table_is_read(name, line):
    """What the lines show is also written in the table."""
    page, start = line
    lines = [
        text
        for found in measured.measured(name).values()
        for from_page, text in found
        if from_page == page
    ]
    assert any(start in text for text in lines), lines


def test_two_standard_errors_are_a_difference():
    assert measured.verdict_of(0.21, 0.1) == "Helped"
    assert measured.verdict_of(-0.21, 0.1) == "Hurt"
    assert measured.verdict_of(0.19, 0.1) == "No clear difference"
    assert measured.verdict_of(0.0, 0.0) == "No clear difference"
    assert measured.verdict_within("+0.10 to +0.40") == "Helped"
    assert measured.verdict_within("-0.40 to -0.10") == "Hurt"
    assert measured.verdict_within("-0.10 to +0.40") == "No clear difference"


def test_a_table_knows_no_object_that_there_is_not():
    names = {name.split(".")[1] for name in OBJECTS}
    assert set(measured.OTHER_NAMES.values()) <= names
    assert set(measured.SAME_AS_KERAS) <= names


def test_what_was_not_measured_has_no_line():
    assert measured.measured("FaultTolerant") == {}


def test_relatives_exist_and_know_each_other():
    for family in relatives.FAMILIES:
        members = relatives.members_of(family)
        assert set(members) <= set(PUBLIC), family
        assert set(members) - {members[0]} <= set(
            relatives.relatives(members[0])
        )

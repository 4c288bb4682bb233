"""Every name that docs/migrating.md gives for here is public."""

import pathlib
import re

import pytest

import keras_regopt

pytestmark = pytest.mark.any_backend

ROOT = pathlib.Path(__file__).parent.parent


def test_every_new_name_is_public():
    known = {
        name.partition(".")[2]
        for name in (ROOT / "tests/public_names.txt").read_text().split()
    } | set(keras_regopt.__all__)
    rows = [
        line.split("|")
        for line in (ROOT / "docs" / "migrating.md").read_text().splitlines()
        if line.startswith("| ")
    ]
    here = [row[2] for row in rows if "---" not in row[1]]
    names = [
        name
        for cell in here
        for literal in re.findall(r"`([^`]+)`", cell)
        # Those in brackets, too: `Lookahead(RAdam(...))`.
        for name in re.findall(r"\b[A-Z]\w+|\b[a-z]\w+_\w+\b(?!=)", literal)
    ]
    assert len(names) > 100
    assert set(names) <= known | {"True", "bounding_box_format"}

"""The pages of ideas have one form, and state what the benchmarks say."""

import importlib
import pathlib
import re
import sys

import pytest

pytest.importorskip("matplotlib", reason="the pictures need the extra `plot`")
pytestmark = pytest.mark.any_backend

DOCS = pathlib.Path(__file__).parent.parent / "docs"
PAGES = sorted((DOCS / "concepts").glob("[!i]*.md"))
sys.path[:0] = [str(DOCS), str(DOCS / "_extensions")]
concept_pictures = importlib.import_module("concept_pictures")
benchmark_pictures = importlib.import_module("benchmark_pictures")
ratios = importlib.import_module("ratios")
del sys.path[:2]

MEASURED = "**When it helps, when it hurts, measured.**"
FORM = (
    "# ",
    "**The problem.**",
    "**The formula.**",
    "![",
    "**In code.**",
    "```python",
    MEASURED,
    "**See also.**",
    "**Reference.**",
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_the_form(page):
    text = page.read_text()
    places = [text.find(part) for part in FORM]
    assert places[0] == 0
    assert -1 not in places
    assert places == sorted(places)
    assert f"(../_pictures/concept_{page.stem}.svg)" in text
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    assert len(code.splitlines()) <= 10
    assert f"\n{page.stem}\n" in (DOCS / "concepts" / "index.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_is_measured_stands_on_the_page_that_is_linked(page):
    told = page.read_text().partition(MEASURED)[2].partition("**See also.**")[0]
    told = " ".join(told.split())
    links = re.findall(r"\]\(([^)#]+\.md)\)", told)
    tables = " ".join((page.parent / link).read_text() for link in links)
    tables = " ".join(tables.split())
    numbers = re.findall(r"\d+\.\d+(?:e-\d+)?(?: ± \d+\.\d+)?", told)
    assert [n for n in numbers if n not in tables] == []
    assert links or "not measured" in told.lower()


def test_every_formula_of_a_page_is_latex_that_browsers_are_given():
    convert = pytest.importorskip("latex2mathml.converter").convert
    for page in PAGES:
        text = page.read_text()
        for block, inline in re.findall(
            r"\$\$\n(.*?)\n\$\$|\$([^$\n]+)\$", text, re.DOTALL
        ):
            assert "\\" not in convert(block or inline), page.stem


def test_every_page_has_its_picture(tmp_path):
    concept_pictures.draw(tmp_path)
    drawn = {path.name for path in tmp_path.iterdir()}
    assert drawn == {f"concept_{page.stem}.svg" for page in PAGES}


def test_the_ratios_are_those_of_the_tables():
    found = ratios.ratios()
    by_name = {(r.page, r.peer, r.what, r.where): r.faster for r in found}
    where = "tf.data, 224 pixels, uint8"
    for name, faster in {
        ("images", "albumentations", "RandomGamma", where): 0.5,
        ("audio", "audiomentations", "pitch", "torch eager, clips of 1 s"): 0.8,
        ("text_speed", "nlpaug", "RandomSpanCrop", "torch"): 9.7,
        ("optimizers", "Keras' steps", "Adam", "TF graph, one 4M"): 1 / 0.36,
        ("fit", "Keras' fit", "small transformer", "epoch, TF jit"): 1 / 0.76,
    }.items():
        # The table's own number, turned over.
        assert by_name[name] == pytest.approx(faster, rel=1e-9)
    assert len({r.peer for r in found}) == 7


def test_every_loss_is_listed(tmp_path):
    benchmark_pictures.draw(tmp_path)
    found = ratios.ratios()
    text = (tmp_path / "losses.txt").read_text()
    assert text.count("\n| ") == sum(r.faster < 0.95 for r in found) + 2
    assert "| `RandomGamma` | tf.data, 224 pixels, uint8 |" in text
    assert (tmp_path / "benchmarks.svg").stat().st_size > 1000

"""The recipes run, in a small size, and are short enough to be read."""

import pathlib
import runpy

import pytest

pytestmark = pytest.mark.any_backend

ROOT = pathlib.Path(__file__).parent.parent
RECIPES = sorted((ROOT / "examples" / "recipes").glob("*.py"))
MOST_LINES = 40
# What a recipe takes beside its epochs, in a small size.
SMALL = {"search": {"trials": 1, "folds": 2}}


# Keras says this of every dataset.
@pytest.mark.filterwarnings("ignore:`shuffle=True` was passed")
@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_runs(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = runpy.run_path(path)["main"](epochs=1, **SMALL.get(path.stem, {}))
    assert found is not None


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_is_short_and_on_the_page(path):
    text = path.read_text()
    assert len(text.splitlines()) <= MOST_LINES
    page = (ROOT / "docs" / "recipes.md").read_text()
    assert f"examples/recipes/{path.name}" in page

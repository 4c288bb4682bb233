"""The code of the docs runs, page by page, as it stands there."""

import pathlib
import re
import textwrap

import pytest
from given_in_docs import given

pytestmark = pytest.mark.any_backend

ROOT = pathlib.Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
PAGES += sorted((DOCS / "concepts").glob("*.md"))
# A block, and a comment right before it that says why it is not run.
BLOCK = re.compile(
    r"(?:<!-- not run: (?P<reason>[^>]+) -->\n+)?"
    r"^ *```\{?(?:python|py|pycon|code-block|doctest)\b[^\n]*\n"
    r"(?P<code>.*?)^ *```",
    re.MULTILINE | re.DOTALL,
)
# A page shows how a search is made, not how it is made quickly.
FEWER = {
    "max_trials=20": "max_trials=2",
    "folds=5": "folds=2",
    "epochs=20": "epochs=2",
}


def blocks(text):
    """Pairs of the number of a block's first line, and its code to run."""
    for found in BLOCK.finditer(text):
        # Tests of their own run what has a prompt.
        if found["reason"] is None and not found["code"].startswith(">>>"):
            line = text[: found.start("code")].count("\n")
            yield line, textwrap.dedent(found["code"])


# Keras says this of every dataset.
@pytest.mark.filterwarnings("ignore:`shuffle=True` was passed")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_code_of_a_page_runs(page, tmp_path, monkeypatch):
    text = page.read_text()
    found = list(blocks(text))
    if not found:
        return
    monkeypatch.chdir(tmp_path)
    names = given(page.stem)
    for line, code in found:
        for shown, fewer in FEWER.items():
            code = code.replace(shown, fewer)
        # The traceback then has the line of the page.
        exec(compile("\n" * line + code, str(page), "exec"), names)


def test_no_block_escapes_the_search():
    fences = 0
    for page in PAGES:
        text = page.read_text()
        found = list(BLOCK.finditer(text))
        assert len(found) == text.count("```python"), page.name
        fences += len(found)
    assert fences > 50


def test_a_block_that_is_not_run_says_why():
    shown = "```python\n1 / 0\n```\n"
    assert [code for _, code in blocks(shown)] == ["1 / 0\n"]
    assert not list(blocks(f"<!-- not run: it needs a day -->\n{shown}"))

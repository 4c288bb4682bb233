"""What is marked `any_backend` may run on one backend alone."""

import ast
import pathlib
import re

import pytest

pytestmark = pytest.mark.any_backend

HERE = pathlib.Path(__file__).parent
MARK = "pytest.mark." + "any_backend"
# Fragments are joined, so that this file may carry the mark itself.
DEPENDS_ON_THE_BACKEND = re.compile(
    "|".join(
        [
            r"\bbackend" + r"\.backend\(",
            r"(?<![\w.])backend" + r"\(\)",
            r"\b_back" + r"end import",
            r"\bjit_" + r"compile\b",
            r"\bmodes" + r"\(\)",
            r"^\s*(?:import|from) (?:tensorflow|jax|torch)\b",
            r"importor" + r"skip\(.(?:tensorflow|jax|torch)\b",
        ]
    ),
    re.MULTILINE,
)


def marked(source):
    """The parts of a file's text that are marked: all of it, or functions."""
    tree = ast.parse(source)
    for node in tree.body:
        if (
            isinstance(node, ast.Assign)
            and ast.unparse(node.targets[0]) == "pytestmark"
            and MARK in ast.unparse(node.value)
        ):
            return [source]
    return [
        ast.get_source_segment(source, node)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and MARK in map(ast.unparse, node.decorator_list)
    ]


def test_what_runs_on_one_backend_names_none():
    seen = 0
    for path in sorted(HERE.rglob("test_*.py")):
        for part in marked(path.read_text()):
            seen += 1
            named = DEPENDS_ON_THE_BACKEND.search(part)
            assert named is None, f"{path.name} is marked and has {named[0]!r}"
    assert seen > 25


@pytest.mark.parametrize(
    "line",
    [
        "if keras.backend" + ".backend() == 'jax':",
        "if back" + "end() == 'jax':",
        "    import " + "torch",
        "model.compile(jit_" + "compile=True)",
    ],
)
def test_the_search_finds_what_depends_on_the_backend(line):
    assert DEPENDS_ON_THE_BACKEND.search(f"import keras\n{line}\n")


@pytest.mark.parametrize("head", ["", f"pytestmark = {MARK}"])
def test_a_mark_holds_for_a_function_or_a_file(head):
    lines = [head, f"@{MARK}", "def test_one():", "    1", "def test_two():"]
    (part,) = marked("\n".join([*lines, "    2"]))
    assert "test_one" in part
    assert ("test_two" in part) == bool(head)


def test_of_the_cases_of_a_test_the_last_is_left(request):
    class Item:
        path = HERE

        def __init__(self, originalname, mark):
            self.originalname = originalname
            self.mark = mark

        def get_closest_marker(self, name):
            return name == self.mark

    items = [Item("a", "any_case"), Item("b", None), Item("a", "any_case")]
    items += [Item("b", None), Item("c", "any_case"), Item("a", "any_case")]
    conftest = request.config.pluginmanager.get_plugin(
        str(HERE / "conftest.py")
    )
    left_out = list(conftest.all_but_the_last_cases(items))
    assert [items.index(item) for item in left_out] == [0, 2]

"""Counts what a reader of the package has to open.

    python .ci/structure.py Adam RandomInvert Compose EarlyStopping

For a class: the modules of itself and of its bases in this package, and these
with all that they import from it.
"""

import ast
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGE = "keras_regopt"


def modules():
    """The path of each module by its dotted name."""
    found = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(p for p in parts if p != "__init__")] = path
    return found


def imports(name, tree, known):
    """The modules of the package that a module imports."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in known else node.module)
    return {module for module in found if module in known and module != name}


def classes(tree):
    """The classes of a module, with the names of their bases."""
    return {
        node.name: [ast.unparse(base).split(".")[-1] for base in node.bases]
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }


def homes(cls, module, trees, graph):
    """The modules of a class and of its bases."""
    found, todo = set(), [(module, cls)]
    while todo:
        module, name = todo.pop()
        found.add(module)
        for base in classes(trees[module])[name]:
            for other in {module, *graph[module]}:
                if base in classes(trees[other]) and other not in found:
                    todo.append((other, base))
    return found


def main(names):
    known = modules()
    texts = {name: path.read_text() for name, path in known.items()}
    trees = {name: ast.parse(text) for name, text in texts.items()}
    graph = {n: imports(n, tree, known) for n, tree in trees.items()}
    lines = {name: len(text.splitlines()) for name, text in texts.items()}
    inner = [n for n in known if any(p[0] == "_" for p in n.split("."))]
    alone = [n for n in inner if sum(n in g for g in graph.values()) == 1]
    print(f"{len(known)} modules of {sum(lines.values())} lines")
    print(
        f"{len(inner)} with an underscore, of {sum(map(lines.get, inner))} "
        f"lines, {len(alone)} of them with one importer"
    )
    print(f"above 300 lines: {[n for n in known if lines[n] > 300]}")
    for cls in names:
        module = next(n for n, t in trees.items() if cls in classes(t))
        own = homes(cls, module, trees, graph)
        opened = own.union(*(graph[n] for n in own))
        print(f"{cls}: {len(own)}, {len(opened)} with what they import")


if __name__ == "__main__":
    main(sys.argv[1:])

"""What autosummary's templates know of each package and each object."""

import importlib
import inspect
import pathlib
import re
import tomllib

import keras_regopt


def setup(app):
    app.connect("autodoc-process-signature", true_signature)
    app.connect("autodoc-process-bases", public_bases)
    # Before the sections of the docstring are read.
    app.connect("autodoc-process-docstring", show_formulas, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def objects():
    """The full names of the public objects of each package, as a dict."""
    packages = {
        name: getattr(keras_regopt, name)
        for name in keras_regopt.__all__
        if inspect.ismodule(getattr(keras_regopt, name))
    }
    return {
        f"keras_regopt.{package}": [
            f"keras_regopt.{package}.{name}" for name in module.__all__
        ]
        for package, module in packages.items()
    }


def true_signature(app, what, name, obj, options, arguments, returns):
    """The arguments of the constructor, where Keras' `__new__` hides them."""
    if what != "class" or not inspect.isclass(obj):
        return None
    signature = inspect.signature(obj.__init__)
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in list(signature.parameters.values())[1:]
    ]
    return str(inspect.Signature(parameters)), None


def show_formulas(app, what, name, obj, options, lines):
    """Sets the formulas of a docstring's description as mathematics."""
    lines[:] = with_formulas(lines, formulas_of(name))


def with_formulas(lines, formulas):
    """The lines of a docstring with LaTeX in the place of its blocks."""
    shown, after, formulas = [], 0, list(formulas)
    for start, end in formula_blocks(lines):
        shown += lines[after:start]
        latex = formulas.pop(0) if formulas else CODE
        if latex == CODE:
            shown += ["::", "", *lines[start:end]]
        else:
            formula = [f"    {line}" for line in latex.strip().splitlines()]
            shown += [".. math::", "   :no-wrap:", "", *formula]
        after = end
    return shown + list(lines[after:])


def formula_blocks(lines):
    """Pairs of the first line and the one after the last of each block.

    A block is indented and stands in the description, after an empty line.
    """
    found = []
    for i, line in enumerate(lines):
        if re.fullmatch(r"[A-Z][a-z]+( shape)?:", line):
            break
        if not line.startswith("    "):
            continue
        # An empty line does not end it.
        if found and not "".join(lines[found[-1][1] : i]).strip():
            found[-1][1] = i + 1
        else:
            found.append([i, i + 1])
    return found


def formulas_of(full_name):
    """The LaTeX of the formulas of an object, of docs/formulas.toml."""
    package, _, name = full_name.removeprefix("keras_regopt.").partition(".")
    return FORMULAS.get(package, {}).get(name, [])


CODE = "code"
FORMULAS = tomllib.loads(
    (pathlib.Path(__file__).parent.parent / "formulas.toml").read_text()
)


def public_bases(app, name, obj, options, bases):
    """Names of the bases what a user knows: ours and Keras' public ones."""
    names = map(nearest_public_name, bases)
    bases[:] = list(dict.fromkeys(filter(None, names)))


def nearest_public_name(base):
    """The first public class that a base is or inherits from, in rst."""
    for cls in getattr(base, "__mro__", ()):
        if cls in PUBLIC:
            return f":py:class:`{PUBLIC[cls]}`"
        paths = vars(cls).get("_api_export_path")
        if paths:
            # The last one names the package.
            return f"``{paths if isinstance(paths, str) else paths[-1]}``"
    return None


PUBLIC = {
    getattr(importlib.import_module(package), full_name.rpartition(".")[2]): (
        full_name
    )
    for package, full_names in objects().items()
    for full_name in full_names
}

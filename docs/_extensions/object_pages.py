"""What autosummary's templates know of each package and each object."""

import importlib
import inspect

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
    """Shows the indented formulas of a docstring's description as they are."""
    shown = []
    for i, line in enumerate(lines):
        if line in ("Args:", "Returns:", "Raises:", "Examples:"):
            shown += lines[i:]
            break
        before = lines[i - 1] if i else ""
        if line.startswith("    ") and not before.strip():
            shown += ["::", ""]
        shown.append(line)
    lines[:] = shown


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

"""The table of all public objects."""

import inspect

import keras_regopt
from keras_regopt._registry import registered


def rows():
    """Package, name and first sentence of every object that a user makes."""
    classes = {cls.__name__ for cls in registered()}
    for package_name in keras_regopt.__all__:
        package = getattr(keras_regopt, package_name)
        if not inspect.ismodule(package):
            continue
        # These hold functions and classes that no model is saved with.
        whole = package_name in ("diagnosis", "tuning", "testing")
        for name in package.__all__:
            if whole or name in classes:
                text = inspect.getdoc(getattr(package, name)) or ""
                summary = text.partition("\n\n")[0].replace("\n", " ")
                yield package_name, name, summary

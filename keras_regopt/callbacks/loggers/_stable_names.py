"""Names that are the same for every model that the same code makes.

Keras numbers what has no name of its own through the whole process: what is
`dense` in the first model is `dense_2` in the second. Values in a history have
to be found again under one name.
"""

import re

from keras_regopt._keras import all_layers, automatic_names


def stable_names(objects):
    """Numbers automatic names again, beginning with none.

    Args:
        objects: The layers of a model, or optimizers.

    Returns:
        A dict of the names that Keras has made in this session, and what to
        call them. Names that were given are not in it, and stay free.
    """
    numbers = {}
    for one in objects:
        base, made = automatic_names(type(one).__name__)
        match = re.fullmatch(rf"{re.escape(base)}(?:_(\d+))?", one.name)
        # A higher number cannot be one of Keras'.
        if match and int(match[1] or 0) < made:
            numbers.setdefault(base, set()).add(int(match[1] or 0))
    return {
        _numbered(base, number): _numbered(base, rank)
        for base, found in numbers.items()
        for rank, number in enumerate(sorted(found))
    }


def stable_paths(model):
    """Makes the function that gives the paths in a model stable names.

    Args:
        model: A Keras model.

    Returns:
        A function of a path, such as that of a weight, which returns a path.
    """
    names = stable_names(all_layers(model))
    return lambda path: "/".join(names.get(n, n) for n in path.split("/"))


def _numbered(base, number):
    return f"{base}_{number}" if number else base

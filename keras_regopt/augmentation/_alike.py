"""Keys of a dict that are nearly those which a layer knows."""

import difflib
import re

from keras_regopt.augmentation._told import warn_once

# What else labels are called.
LABEL_NAMES = (
    "label",
    "class",
    "classlabel",
    "classid",
    "target",
    "category",
    "categories",
    "onehot",
    "y",
)

# How much alike names are that differ by a letter or two.
ALIKE = 0.85


def is_like(key, name):
    """Whether a key is another spelling of a name, but not the name."""
    if key == name:
        return False
    known = LABEL_NAMES if name == "labels" else ()
    known = [plain(word) for word in (name, *known)]
    letters = plain(key)
    return letters in known or bool(
        difflib.get_close_matches(letters, known, 1, ALIKE)
    )


def plain(key):
    """The letters of a key, in singular."""
    letters = re.sub("[^a-z]", "", str(key).lower())
    return letters if letters == "class" else re.sub("e?s$", "", letters)


def warn_of_key(layer, key, others, name):
    warn_once(
        layer,
        f"key {key}",
        f"The key {key} in the inputs of {type(layer).__name__} passes "
        f"untouched, while {others} change. If it holds what belongs to them, "
        f"its name must be {name!r}.",
    )

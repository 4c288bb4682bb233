"""Random augmentation of text: of token ids, and of strings.

The layers, and their bases in modules with an underscore; `functional/` has the
pure functions that they are made of.
"""

from keras_regopt.augmentation.text._base import (
    StringAugmentation,
    TokenAugmentation,
)

__all__ = [
    "StringAugmentation",
    "TokenAugmentation",
]

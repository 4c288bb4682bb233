"""Random augmentation of text: of token ids, and of strings.

The layers, and their bases in modules with an underscore; `functional/` has the
pure functions that they are made of.
"""

from keras_regopt.augmentation.text._base import (
    StringAugmentation,
    TokenAugmentation,
)
from keras_regopt.augmentation.text.random_span_crop import RandomSpanCrop
from keras_regopt.augmentation.text.random_token_deletion import (
    RandomTokenDeletion,
)
from keras_regopt.augmentation.text.random_token_insertion import (
    RandomTokenInsertion,
)
from keras_regopt.augmentation.text.random_token_replacement import (
    RandomTokenReplacement,
)
from keras_regopt.augmentation.text.random_token_swap import RandomTokenSwap
from keras_regopt.augmentation.text.synonym_replacement import (
    SynonymReplacement,
)
from keras_regopt.augmentation.text.token_cutoff import TokenCutoff
from keras_regopt.augmentation.text.token_masking import TokenMasking

__all__ = [
    "RandomSpanCrop",
    "RandomTokenDeletion",
    "RandomTokenInsertion",
    "RandomTokenReplacement",
    "RandomTokenSwap",
    "StringAugmentation",
    "SynonymReplacement",
    "TokenAugmentation",
    "TokenCutoff",
    "TokenMasking",
]

"""Random augmentation of text: of token ids, and of strings.

The layers, and their bases in modules with an underscore; `functional/` has the
pure functions that they are made of.
"""

from keras_regopt.augmentation.text._base import (
    StringAugmentation,
    TokenAugmentation,
)
from keras_regopt.augmentation.text.augment_dataset import augment_dataset
from keras_regopt.augmentation.text.character_typos import CharacterTypos
from keras_regopt.augmentation.text.easy_data_augmentation import (
    EasyDataAugmentation,
)
from keras_regopt.augmentation.text.punctuation_insertion import (
    PunctuationInsertion,
)
from keras_regopt.augmentation.text.random_case import RandomCase
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
from keras_regopt.augmentation.text.random_word_deletion import (
    RandomWordDeletion,
)
from keras_regopt.augmentation.text.random_word_insertion import (
    RandomWordInsertion,
)
from keras_regopt.augmentation.text.random_word_swap import RandomWordSwap
from keras_regopt.augmentation.text.sentence_shuffle import SentenceShuffle
from keras_regopt.augmentation.text.synonym_replacement import (
    SynonymReplacement,
)
from keras_regopt.augmentation.text.thesaurus import Thesaurus
from keras_regopt.augmentation.text.token_cutoff import TokenCutoff
from keras_regopt.augmentation.text.token_masking import TokenMasking
from keras_regopt.augmentation.text.word_synonyms import WordSynonyms

__all__ = [
    "CharacterTypos",
    "EasyDataAugmentation",
    "PunctuationInsertion",
    "RandomCase",
    "RandomSpanCrop",
    "RandomTokenDeletion",
    "RandomTokenInsertion",
    "RandomTokenReplacement",
    "RandomTokenSwap",
    "RandomWordDeletion",
    "RandomWordInsertion",
    "RandomWordSwap",
    "SentenceShuffle",
    "StringAugmentation",
    "SynonymReplacement",
    "Thesaurus",
    "TokenAugmentation",
    "TokenCutoff",
    "TokenMasking",
    "WordSynonyms",
    "augment_dataset",
]

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
from keras_regopt.augmentation.text.random_word_deletion import (
    RandomWordDeletion,
)
from keras_regopt.augmentation.text.random_word_insertion import (
    RandomWordInsertion,
)
from keras_regopt.augmentation.text.random_word_swap import RandomWordSwap
from keras_regopt.augmentation.text.sentence_shuffle import SentenceShuffle
from keras_regopt.augmentation.text.thesaurus import Thesaurus
from keras_regopt.augmentation.text.word_synonyms import WordSynonyms

__all__ = [
    "CharacterTypos",
    "EasyDataAugmentation",
    "PunctuationInsertion",
    "RandomCase",
    "RandomWordDeletion",
    "RandomWordInsertion",
    "RandomWordSwap",
    "SentenceShuffle",
    "StringAugmentation",
    "Thesaurus",
    "TokenAugmentation",
    "WordSynonyms",
    "augment_dataset",
]

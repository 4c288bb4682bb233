"""Layers of strings against nlpaug, in one run: texts per CPU second.

    TF_NUM_INTRAOP_THREADS=1 python benchmarks/_text_strings.py

Both do the same to the same texts, as far as they have the same in mind: nlpaug
to a list of them, our layers to batches in `tf.data`. They take turns, and what
counts is the ratio of each turn.
"""

import pathlib
import time

import numpy as np
import tensorflow as tf
from _pages import table

from keras_regopt.augmentation import (
    CharacterTypos,
    RandomWordDeletion,
    RandomWordSwap,
    WordSynonyms,
)

TEXTS, BATCH_SIZE, WORDS = 1024, 256, 16
# To begin to read a dataset takes as long as thousands of texts, so that more
# of them go through ours, as in a training.
REPEATS = 20
TARGET = 6.0


def contenders():
    """Triples of what is done, nlpaug's object and our layer."""
    import nlpaug.augmenter.char as characters
    import nlpaug.augmenter.word as words

    spelling = words.SpellingAug(aug_p=0.1)
    listed = spellings()
    return [
        (
            "random swap of words",
            words.RandomWordAug(action="swap", aug_p=0.1),
            RandomWordSwap(0.1),
        ),
        (
            "random deletion of words",
            words.RandomWordAug(action="delete", aug_p=0.1),
            RandomWordDeletion(0.1),
        ),
        (
            "words from a dictionary",
            spelling,
            WordSynonyms(listed, 0.1),
        ),
        (
            "neighbouring keys",
            characters.KeyboardAug(aug_word_p=0.1, aug_char_max=1),
            CharacterTypos(0.1, kinds=["keyboard"]),
        ),
        (
            "swapped characters",
            characters.RandomCharAug(
                action="swap", aug_word_p=0.1, aug_char_max=1
            ),
            CharacterTypos(0.1, kinds=["swap"]),
        ),
        (
            "misread characters",
            characters.OcrAug(aug_word_p=0.1, aug_char_max=1),
            CharacterTypos(0.1, kinds=["ocr"]),
        ),
    ]


def spellings():
    """The dictionary that nlpaug's package holds: a word and misspellings."""
    import nlpaug

    path = pathlib.Path(nlpaug.__file__).parent / "res/word/spelling"
    lines = (path / "spelling_en.txt").read_text().splitlines()
    pairs = (line.split(" ", 1) for line in lines if " " in line)
    return {word: others.split(",") for word, others in pairs}


def texts():
    """Sentences of the words of that dictionary."""
    random = np.random.default_rng(0)
    words = [word for word in spellings() if word.isalpha()]
    return [
        " ".join(random.choice(words, WORDS)).capitalize() + "."
        for _ in range(TEXTS)
    ]


def ratios(rounds):
    """By what is done, how many times as many texts we change each turn."""
    data = texts()
    batches = tf.data.Dataset.from_tensor_slices(data * REPEATS)
    batches = batches.batch(BATCH_SIZE).cache()
    found = {}
    for name, peer, layer in contenders():
        mapped = batches.map(layer)
        calls = (lambda p=peer: p.augment(data), lambda m=mapped: list(m))
        for call in calls:
            call()
        found[name] = [
            REPEATS * seconds(calls[0]) / seconds(calls[1])
            for _ in range(rounds)
        ]
    return found


def seconds(call):
    start = time.process_time()
    call()
    return time.process_time() - start


def strings_section(rounds=5):
    """The table in Markdown, with the median and the lowest ratio."""
    head = ["operation", "ratio", "lowest"]
    rows = [
        [name, f"{np.median(turns):.1f}", f"{min(turns):.1f}"]
        for name, turns in ratios(rounds).items()
    ]
    return table(head, rows)


if __name__ == "__main__":
    print(strings_section())
    print(f"\nThe target is {TARGET:.0f}.")

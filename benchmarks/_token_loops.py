"""What the layers of token ids do, as plain loops over lists."""

import random

import numpy as np

SPECIAL = frozenset({0, 2, 3})
MASK, VOCABULARY, LENGTH = 4, 5000, 128
FRACTION = 0.1
TABLE = np.random.default_rng(2).integers(10, VOCABULARY, (VOCABULARY, 4))
_LISTS = TABLE.tolist()


def texts(batch):
    """Ids of texts of 60 to 128 tokens, with a start and an end."""
    draws = np.random.default_rng(0)
    ids = draws.integers(10, VOCABULARY, (batch, LENGTH)).astype("int32")
    sizes = draws.integers(60, LENGTH + 1, batch)[:, None]
    index = np.arange(LENGTH)
    ids[:, 0] = 2
    ids = np.where(index == sizes - 1, 3, ids)
    return np.where(index >= sizes, 0, ids).astype("int32")


def swap(row):
    places = [i for i, token in enumerate(row) if token not in SPECIAL]
    row = row[:]
    for _ in range(int(FRACTION * len(places) / 2)):
        first, second = random.sample(places, 2)
        row[first], row[second] = row[second], row[first]
    return row


def deletion(row):
    return [x for x in row if x in SPECIAL or random.random() >= FRACTION]


def insertion(row):
    words = [x for x in row if x not in SPECIAL]
    result = []
    for token in row:
        result.append(token)
        if token not in SPECIAL and random.random() < FRACTION:
            result.append(random.choice(words))
    return result[: len(row)]


def synonyms(row):
    return [
        random.choice(_LISTS[x])
        if x not in SPECIAL and random.random() < FRACTION
        else x
        for x in row
    ]


def replacement(row):
    return [
        random.randrange(10, VOCABULARY)
        if x not in SPECIAL and random.random() < FRACTION
        else x
        for x in row
    ]


def masking(row):
    result = []
    for token in row:
        if token not in SPECIAL and random.random() < 0.15:
            draw = random.random()
            if draw < 0.8:
                token = MASK
            elif draw < 0.9:
                token = random.randrange(10, VOCABULARY)
        result.append(token)
    return result


def crop(row):
    places = [i for i, token in enumerate(row) if token not in SPECIAL]
    size = max(1, round(random.uniform(0.5, 1.0) * len(places)))
    start = random.randrange(len(places) - size + 1)
    kept = set(places[start : start + size])
    return [x for i, x in enumerate(row) if i in kept or x in SPECIAL]


def cutoff(row):
    return [
        0 if x not in SPECIAL and random.random() < FRACTION else x for x in row
    ]


LOOPS = {
    "RandomTokenSwap": swap,
    "RandomTokenDeletion": deletion,
    "RandomTokenInsertion": insertion,
    "SynonymReplacement": synonyms,
    "RandomTokenReplacement": replacement,
    "TokenMasking": masking,
    "RandomSpanCrop": crop,
    "TokenCutoff": cutoff,
}


def looped(operation, ids):
    """A function that augments a batch, an array, by a loop."""
    function = LOOPS[operation]

    def step():
        rows = [function(row) for row in ids.tolist()]
        padded = [row + [0] * (LENGTH - len(row)) for row in rows]
        return np.array(padded, ids.dtype)

    return step

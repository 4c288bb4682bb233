"""The contenders of `bench_text.py`, one step of each."""

import keras
import numpy as np
from _token_loops import MASK, SPECIAL, TABLE, VOCABULARY, looped, texts

from keras_regopt import augmentation

OURS, LOOP, NLPAUG = "keras_regopt", "a loop", "nlpaug"
# What a layer needs besides its defaults.
ARGUMENTS = {
    "SynonymReplacement": {"table": TABLE},
    "RandomTokenReplacement": {"vocabulary_size": VOCABULARY},
    "TokenMasking": {"mask_id": MASK, "vocabulary_size": VOCABULARY},
}
# Those that nlpaug has for words; it has no ids.
ACTIONS = {
    "RandomTokenSwap": {"action": "swap"},
    "RandomTokenDeletion": {"action": "delete"},
    "RandomTokenReplacement": {
        "action": "substitute",
        "target_words": [f"w{i}" for i in range(VOCABULARY)],
    },
    "RandomSpanCrop": {"action": "crop"},
}


def steps(backend, contender, operation, batch):
    """Pairs of a mode and a function that augments a batch of texts.

    Args:
        backend: One of Keras.
        contender: One of the three above.
        operation: The name of one of our layers.
        batch: How many texts it is.

    Returns:
        A list.
    """
    ids = texts(batch)
    if contender == LOOP:
        return [(mode, looped(operation, ids)) for mode in modes(backend)]
    if contender == NLPAUG:
        step = of_nlpaug(operation, ids)
        return [(mode, step) for mode in modes(backend) if step]
    layer = getattr(augmentation, operation)(
        special_ids=sorted(SPECIAL - {0}),
        seed=0,
        **ARGUMENTS.get(operation, {}),
    )
    if backend != "tensorflow":
        return [(modes(backend)[0], lambda: called(layer, ids))]
    import tensorflow as tf

    elements = tf.data.Dataset.from_tensors(ids).repeat().map(layer)
    iterator = iter(elements)
    graph = tf.function(lambda x: layer(x, training=True))
    return list(
        zip(
            modes(backend),
            [lambda: next(iterator).numpy(), lambda: graph(ids).numpy()],
            strict=True,
        )
    )


def modes(backend):
    return {
        "tensorflow": ["tf.data", "TF graph"],
        "jax": ["JAX"],
        "torch": ["torch"],
    }[backend]


def called(layer, ids):
    return keras.ops.convert_to_numpy(layer(ids, training=True))


def of_nlpaug(operation, ids):
    """A step of nlpaug on as many words, or `None` where it has none."""
    if operation not in ACTIONS:
        return None
    try:
        import nlpaug.augmenter.word as words
    except ImportError:
        return None
    augmenter = words.RandomWordAug(
        aug_p=0.1, aug_max=None, **ACTIONS[operation]
    )
    strings = [" ".join(f"w{i}" for i in row if i) for row in np.array(ids)]
    return lambda: augmenter.augment(strings)

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_regopt._validate import boolean, fail, positive_int
from keras_regopt.augmentation._base import RandomAugmentation
from keras_regopt.augmentation._map_dataset import map_dataset

_BATCH_SIZE = 512


def augment_dataset(
    texts: Sequence[str],
    labels: Sequence[Any],
    n: int,
    layer: RandomAugmentation,
    keep_original: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Grows a training set of texts: `n` new ones for each.

    For where a larger set is needed once, such as for a model of scikit-learn
    or to look at; in `tf.data`, `map_dataset` draws new ones in every epoch.
    Every text gets as many new ones, so that the classes keep their shares,
    and so does each round: first come the texts themselves, then one new text
    for each, in their order, and so on.

    Split before: the new texts are near their originals, and a test set that
    holds some of either measures memory. Hand the training part alone to this
    function.

    Args:
        texts: Strings.
        labels: As many labels, of any kind.
        n: How many new texts each text gets, from 1.
        layer: An augmentation of strings, such as `EasyDataAugmentation`, or
            a container of such. Its seed fixes the result.
        keep_original: Whether the texts themselves come first. Defaults to
            `True`.

    Returns:
        The texts and their labels, two arrays.

    Raises:
        ValueError: If an argument is none of the above, or if there are not as
            many labels as texts.

    Examples:
        >>> from keras_regopt.augmentation import RandomWordSwap
        >>> layer = RandomWordSwap(1.0, seed=0)
        >>> texts, labels = augment_dataset(["Go on", "No"], [1, 0], 1, layer)
        >>> texts.tolist()
        ['Go on', 'No', 'on Go', 'No']
        >>> labels.tolist()
        [1, 0, 1, 0]
    """
    texts, labels = _checked(texts, labels)
    positive_int(augment_dataset, "n", n)
    boolean(augment_dataset, "keep_original", keep_original)
    if not getattr(layer, "holds_strings", False):
        fail(augment_dataset, "layer", "an augmentation of strings", layer)
    rounds = [texts] if keep_original else []
    if texts:
        rounds += _rounds(texts, n, layer)
    grown = [text for one in rounds for text in one]
    return np.array(grown, object), np.concatenate(
        [labels] * (len(rounds) or 1)
    )


def _rounds(texts, n, layer):
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices(texts).batch(_BATCH_SIZE)
    changed = map_dataset(dataset, layer)
    # Each time that it is read, the draws are new.
    return [
        [
            text.decode("utf-8")
            for batch in changed.as_numpy_iterator()
            for text in batch
        ]
        for _ in range(n)
    ]


def _checked(texts, labels):
    allowed = "a sequence of strings"
    if isinstance(texts, (str, bytes)) or not hasattr(texts, "__iter__"):
        fail(augment_dataset, "texts", allowed, texts)
    texts = list(texts)
    others = [text for text in texts if not isinstance(text, str)]
    if others:
        fail(augment_dataset, "texts", allowed, others[0])
    labels = np.asarray(labels)
    if len(labels.shape) == 0 or len(labels) != len(texts):
        allowed = f"as many labels as there are texts, {len(texts)}"
        fail(augment_dataset, "labels", allowed, labels.shape)
    return [str(text) for text in texts], labels

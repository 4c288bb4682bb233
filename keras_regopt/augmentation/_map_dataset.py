"""Seeded augmentation of a dataset, whatever the order of the calls."""

from collections.abc import Callable, Mapping
from typing import Any

import keras

from keras_regopt._validate import fail, instance_of, integer
from keras_regopt.augmentation._base import RandomAugmentation
from keras_regopt.augmentation._containers import Container
from keras_regopt.augmentation._dataset_targets import (
    check_targets,
    kinds_of,
    may_stay,
    moving_layers,
    with_targets,
    without_targets,
)
from keras_regopt.augmentation._seeds import numbered


def map_dataset(
    dataset: Any,
    layer: Callable[..., Any],
    num_parallel_calls: int | None = None,
    deterministic: bool | None = None,
    epoch: int = 0,
    targets: str | Mapping[str, str] | None = None,
) -> Any:
    """Augments a `tf.data` dataset so that a seeded run repeats itself exactly.

    In `dataset.map(layer, num_parallel_calls=4)` no draw is used twice, but
    which batch gets which draw is a matter of timing. Here the draws come
    from the seed of the layer, the number of the epoch and the number of the
    element, and from nothing else: every run of the same program gives the
    same batches. Layers within the layer follow by their own seeds.

    Every iteration over the result is an epoch with new draws, `fit` and
    `repeat` included. To go on with a run that was broken off, hand the
    number of epochs that it finished to `epoch`. (On JAX and torch, the first
    `fit` of a model looks at a batch before it starts, which counts as an
    epoch. A reloaded model does so again, so that the numbers match.)

    The order of the elements is the dataset's: give `shuffle` a seed, too.

    Args:
        dataset: A `tf.data.Dataset` of `x`, `(x, y)`, `(x, y, w)` or of dicts
            such as the layer takes. Batch it before: that is faster, and
            layers that mix need it. `x` is a tensor or such a dict. The
            targets `y` go to the layer, or to the layers of a `Pipeline` of
            nothing but augmentations; the weights `w` pass untouched.
        layer: An augmentation, a `keras.layers.Pipeline` or `Sequential` of
            such, or a function that calls some, which gets the parts of an
            element as those of `Dataset.map` do. It acts: a layer is called
            with `training=True`.
        num_parallel_calls: How many elements are augmented side by side.
            Defaults to `None`, as many as `tf.data` finds good.
        deterministic: Whether elements leave in their original order.
            Defaults to `None`, what the options of the dataset say, which is
            usually yes. Each keeps its draws in any order.
        epoch: Number of the first epoch, from 0. Defaults to `0`.
        targets: What `y` is: `"labels"`; for images `"segmentation_masks"`,
            `"keypoints"` or `"bounding_boxes"` (a dict of `boxes` and
            `labels`, or the boxes alone), for waveforms `"targets"`, for
            token ids `"token_labels"`; or a dict of these by the keys of `y`,
            of which those that it does not name pass untouched. Defaults to
            `None`: dicts go by their keys, targets of the height and width of
            the images are masks, those of the shape of a waveform or of token
            ids belong to its samples or tokens, and one number or one other
            vector an element is a label.

    Returns:
        A `tf.data.Dataset` of the same structure.

    Raises:
        ValueError: If an argument is none of the above, if the layer holds
            others that draw by themselves, such as those of Keras, if the
            dataset has other elements, or if the layer moves things and it
            cannot be told what the targets are.

    Examples:
        >>> import tensorflow as tf
        >>> from keras_regopt.augmentation import RandomAffine
        >>> ds = tf.data.Dataset.from_tensor_slices(np.ones((8, 4, 4, 1)))
        >>> ds = map_dataset(ds.batch(4), RandomAffine(seed=0))
        >>> [x.shape[0] for x in ds]
        [4, 4]
    """
    import tensorflow as tf

    instance_of(
        map_dataset, "dataset", dataset, tf.data.Dataset, "a tf.data.Dataset"
    )
    if not callable(layer):
        fail(map_dataset, "layer", "a layer or a function", layer)
    _refuse_other_draws(layer)
    integer(map_dataset, "epoch", epoch, low=0, high=2**31 - 1)
    check_targets(map_dataset, targets, parts_of(layer))
    if num_parallel_calls is None:
        num_parallel_calls = tf.data.AUTOTUNE

    def augmented(number, element):
        with numbered(number):
            return _called(layer, element, targets)

    if isinstance(layer, keras.Layer):
        # AutoGraph is for the functions of users.
        augmented = tf.autograph.experimental.do_not_convert(augmented)
    return tf.data.Dataset.zip(_numbers(epoch), dataset).map(
        augmented, num_parallel_calls, deterministic
    )


def _numbers(epoch):
    """A dataset of numbers without end, new ones at every iteration."""
    import tensorflow as tf

    epochs = tf.Variable(epoch, dtype="int64", trainable=False)
    # The upper 32 bits hold the epoch.
    starts = tf.data.Dataset.from_tensors(0).map(
        lambda _: (epochs.assign_add(1) - 1) * 2**32
    )
    numbers = starts.flat_map(
        lambda start: tf.data.Dataset.range(start, 2**63 - 1)
    )
    endless = tf.data.experimental.INFINITE_CARDINALITY
    return numbers.apply(tf.data.experimental.assert_cardinality(endless))


def _refuse_other_draws(layer):
    for part in parts_of(layer):
        draws = getattr(part, "seed_generator", getattr(part, "generator", 0))
        if draws and not isinstance(part, RandomAugmentation):
            fail(
                map_dataset,
                "layer",
                "one of this package's augmentations, or hold no others that "
                "draw",
                part,
                "Only their draws can be numbered; use `dataset.map` for "
                "this one.",
            )


def parts_of(layer):
    """The layers without layers in it that a layer consists of."""
    if isinstance(layer, Container):
        return [p for part in layer.parts for p in parts_of(part)]
    if isinstance(layer, RandomAugmentation):
        return [layer]
    if isinstance(layer, keras.Layer):
        parts = getattr(layer, "layers", [])
        return [p for part in parts for p in parts_of(part)] or [layer]
    return []


def _called(layer, element, targets):
    if not isinstance(layer, keras.Layer):
        return layer(*element) if isinstance(element, tuple) else layer(element)
    if not isinstance(element, tuple):
        return layer(element, training=True)
    if len(element) not in (1, 2, 3):
        fail(
            map_dataset,
            "dataset",
            "one of `x`, `(x, y)`, `(x, y, w)` or dicts",
            element,
            "Give other elements the keys of a dict.",
        )
    x, *others = element
    if not others:
        return (layer(x, training=True),)
    y, *weights = others
    parts, key = parts_of(layer), _key(layer)
    kinds = kinds_of(parts, x, y, targets)
    _refuse_weights(parts, x, weights)
    if key is None:
        _refuse_targets(layer, parts, kinds)
        return (layer(x, training=True), *others)
    data = dict(x) if isinstance(x, dict) else {key: x}
    twice = set(data) & set(
        kinds.values() if isinstance(kinds, dict) else [kinds]
    )
    if twice:
        fail(
            map_dataset,
            "dataset",
            f"without {', '.join(twice)} in `x` if there are some in `y`",
            element,
        )
    before = with_targets(data, y, kinds)
    after = layer(before, training=True)
    if not isinstance(x, dict):
        _refuse_new_keys(layer, set(after) - set(before), key)
    data, y = without_targets(after, y, kinds)
    return (data if isinstance(x, dict) else data[key], y, *weights)


def _refuse_new_keys(layer, new, key):
    """Refuses to lose what a layer adds to a dict, such as labels it makes."""
    if new:
        fail(
            map_dataset,
            "dataset",
            f"of dicts, to which the layer adds {', '.join(sorted(new))}",
            "tensors",
            f"Map `lambda x, y: ({{'{key}': x}}, y)` before.",
        )


def _refuse_weights(parts, x, weights):
    """Refuses weights of single pixels where pixels move."""
    if weights and not may_stay(parts, x, weights[0]):
        fail(
            map_dataset,
            "dataset",
            "without weights of single pixels, which would not move along",
            keras.tree.map_structure(lambda w: w.shape, weights[0]),
            "Append them to the masks as one more channel.",
        )


def _refuse_targets(layer, parts, kinds):
    """Refuses to leave targets behind that should move."""
    if kinds != "labels" and moving_layers(parts):
        fail(
            map_dataset,
            "layer",
            f"an augmentation, or a Pipeline of such, to take {kinds} along",
            layer,
            "Write `Compose([...])` instead of `Sequential([...])`.",
        )


def _key(layer):
    """The key of the data in the dicts that a layer takes, or `None`."""
    keys = {getattr(part, "key", None) for part in parts_of(layer)}
    # Other containers take what they were built for.
    dicts = isinstance(layer, (RandomAugmentation, keras.layers.Pipeline))
    return keys.pop() if dicts and len(keys) == 1 else None

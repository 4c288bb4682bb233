"""The running `fit`: its data, its callbacks, and the parts that are replaced.

`FaultTolerant` follows and repeats a training's data, of which Keras hands
nothing to a callback. So it finds the `fit` on the call stack and replaces two
methods of its `EpochIterator`.
"""

import inspect

from keras_regopt._keras.classes import EpochIterator


def running_fit(model):
    """The `fit` of a model that is on the call stack.

    Args:
        model: The model.

    Returns:
        Its `EpochIterator` and its `CallbackList`, or `None` twice.
    """
    frame = inspect.currentframe()
    while frame is not None:
        names = frame.f_locals
        iterator = names.get("epoch_iterator")
        if isinstance(iterator, EpochIterator) and names.get("self") is model:
            return iterator, names["callbacks"]
        frame = frame.f_back
    return None, None


def set_first_epoch(model, epoch):
    """Has the next epochs of a model begin elsewhere than `fit` was told.

    Keras does so for its `BackupAndRestore`.

    Args:
        model: The model.
        epoch: The number of the first epoch; `None` for what `fit` is told.
    """
    model._initial_epoch = epoch


def validation_iterator(model):
    """The `EpochIterator` of a running `fit`'s validation data, or `None`."""
    return getattr(model, "_eval_epoch_iterator", None)


def replace_steps(epoch_iterator, steps):
    """Replaces what draws the batches of an epoch.

    Args:
        epoch_iterator: An `EpochIterator`.
        steps: Generator function without arguments, of tuples of the first
            and the last batch of a call of the train function, and the
            iterator that gives them.

    Returns:
        The function that was replaced.
    """
    original = epoch_iterator._enumerate_iterator
    epoch_iterator._enumerate_iterator = steps
    return original


def replace_iterator(epoch_iterator, make):
    """Replaces what makes the iterator over the batches of a pass.

    Args:
        epoch_iterator: An `EpochIterator`.
        make: Function without arguments that returns an iterable.

    Returns:
        The function that was replaced.
    """
    original = epoch_iterator._get_iterator
    epoch_iterator._get_iterator = make
    return original


def has_iterator(epoch_iterator):
    """Whether the next epoch goes on with the iterator of the last one."""
    return (
        epoch_iterator._current_iterator is not None
        and epoch_iterator.steps_per_epoch is not None
    )


def is_between_passes(epoch_iterator):
    """Whether the next batch is the first one of a pass over the data."""
    return not has_iterator(epoch_iterator) or epoch_iterator._steps_seen == 0


def go_on_with(epoch_iterator, iterator):
    """Has the next epoch draw from an iterator that nothing was drawn from."""
    epoch_iterator._current_iterator = iterator
    epoch_iterator._steps_seen = 0


def dataset_of(epoch_iterator):
    """The `tf.data` dataset, distributed or not, of a `fit` on TensorFlow."""
    return epoch_iterator._distributed_dataset


def set_dataset(epoch_iterator, dataset):
    """Has a `fit` on TensorFlow draw from another dataset."""
    epoch_iterator._distributed_dataset = dataset


def arrays_of(array_adapter):
    """The tuple of inputs, targets and weights of an `ArrayDataAdapter`."""
    return array_adapter._inputs


def shuffles(array_adapter):
    """Whether arrays are shuffled, of an `ArrayDataAdapter`."""
    return array_adapter._shuffle


def pipeline_of(adapter):
    """The dataset behind a `TFDatasetAdapter`."""
    return adapter._dataset


def loader_of(adapter):
    """The `DataLoader` behind a `TorchDataLoaderAdapter`."""
    return adapter._dataloader

"""What each kind of training data remembers of the epochs before."""

import zlib

import keras

from keras_regopt._keras import (
    ArrayDataAdapter,
    PyDatasetAdapter,
    TFDatasetAdapter,
    TorchDataLoaderAdapter,
    dataset_of,
    loader_of,
    pipeline_of,
    set_dataset,
    shuffles,
)
from keras_regopt.callbacks.backup._dataset_randomness import (
    NONE,
    PYTHON,
    UNREPEATABLE,
    randomness,
    shuffle_seeds,
)


class Source:
    """Data whose order comes from the random generators of the process.

    Attributes:
        remembers: Whether its order depends on what was drawn before, and
            that cannot be saved.
        runs_python: Whether it may draw its batches in another thread, ahead
            of their use, by Python code that draws random numbers.
        obstacle: Why it cannot be repeated, or `None`.
    """

    remembers = False
    runs_python = False
    obstacle: str | None = None

    def memory(self):
        """What it remembers, as plain values."""

    def set_memory(self, memory):
        """Makes it remember what it did when `memory` was called."""

    def begin_pass(self, origin):
        """Called before the first batch of a pass is drawn."""


class ShuffledArrays(Source):
    """Arrays on TensorFlow.

    Keras shuffles them by an operation whose random state nobody can read or
    set. With a seed (`keras.utils.set_random_seed`) it begins again with each
    pass, so its seeds are all there is to know. Without one, its place is
    taken by an operation with a seed that a variable holds, which is set for
    each pass; no training without FaultTolerant had that order, but then,
    none has the same order twice.
    """

    def __init__(self, epoch_iterator):
        self._iterator = epoch_iterator
        self._variable = None
        self._seeds = shuffle_seeds(dataset_of(epoch_iterator))
        if self._seeds is None:
            self._take_a_variable()

    def memory(self):
        return self._seeds

    def set_memory(self, memory):
        if memory == self._seeds:
            return
        self._seeds = memory
        if memory is None:
            self._take_a_variable()
        else:
            self._take_seeds(*memory)

    def begin_pass(self, origin):
        if self._seeds is not None:
            return
        numpy = origin["random"]["numpy"]["state"]
        # TensorFlow does not advance NumPy's generator, so the epoch has to
        # make the difference.
        seed = zlib.crc32(b"".join(str(v).encode() for v in _leaves(numpy)))
        self._variable.assign((seed << 24) + origin["epoch"])

    def _take_seeds(self, seed, seed2):
        import tensorflow as tf

        def shuffle(value, **_):
            return tf.raw_ops.RandomShuffle(value=value, seed=seed, seed2=seed2)

        self._shuffle_by(shuffle)

    def _take_a_variable(self):
        import tensorflow as tf

        # Where tf.data runs.
        with tf.device("CPU:0"):
            self._variable = tf.Variable(0, dtype="int64", trainable=False)

        def shuffle(value, **_):
            # Under `shuffle="batch"`, its first index tells a batch from the
            # others.
            seed = tf.stack([self._variable, tf.cast(value[0], "int64")])
            return tf.random.experimental.stateless_shuffle(value, seed)

        self._shuffle_by(shuffle)

    def _shuffle_by(self, shuffle):
        import tensorflow as tf

        iterator = self._iterator
        original, tf.random.shuffle = tf.random.shuffle, shuffle
        try:
            dataset = iterator.data_adapter.get_tf_dataset()
        finally:
            tf.random.shuffle = original
        set_dataset(iterator, dataset)


class LoaderSource(Source):
    """A torch DataLoader, which may have random generators of its own."""

    def __init__(self, loader):
        import torch

        self._loader = loader
        self.remembers = isinstance(
            loader.dataset, torch.utils.data.IterableDataset
        )

    def memory(self):
        return [g.get_state().numpy().copy() for g in self._generators()]

    def set_memory(self, memory):
        import torch

        for generator, state in zip(self._generators(), memory, strict=True):
            generator.set_state(torch.from_numpy(state.copy()))

    def _generators(self):
        batches = self._loader.batch_sampler
        holders = [
            self._loader,
            self._loader.sampler,
            batches,
            getattr(batches, "sampler", None),
        ]
        found = [getattr(holder, "generator", None) for holder in holders]
        return list({id(g): g for g in found if g is not None}.values())


class StatefulPyDataset(Source):
    """A PyDataset with `state()` and `restore(state)`."""

    def __init__(self, dataset):
        self._dataset = dataset

    def memory(self):
        return self._dataset.state()

    def set_memory(self, memory):
        self._dataset.restore(memory)


class RepeatedSource(Source):
    """Data that has to be read again from its beginning."""

    remembers = True

    def __init__(self, runs_python=False, obstacle=None):
        self.runs_python = runs_python
        self.obstacle = obstacle


def source_of(epoch_iterator):
    """What is known of the data behind an `EpochIterator` of Keras.

    Args:
        epoch_iterator: The iterator that `fit` has made. The order of arrays
            that TensorFlow shuffles without a seed changes to one that can
            be repeated.

    Returns:
        A `Source`.
    """
    adapter = epoch_iterator.data_adapter
    on_tensorflow = keras.backend.backend() == "tensorflow"
    if isinstance(adapter, ArrayDataAdapter):
        if not (on_tensorflow and shuffles(adapter)):
            return Source()
        if _is_distributed(epoch_iterator):
            return _distributed_arrays(adapter)
        return ShuffledArrays(epoch_iterator)
    if isinstance(adapter, TorchDataLoaderAdapter):
        return LoaderSource(loader_of(adapter))
    if isinstance(adapter, TFDatasetAdapter):
        return _source_of_pipeline(pipeline_of(adapter))
    if isinstance(adapter, PyDatasetAdapter):
        dataset = adapter.py_dataset
        has_state = hasattr(dataset, "state") and hasattr(dataset, "restore")
        if has_state and not _keeps_batches(epoch_iterator):
            source = StatefulPyDataset(dataset)
            source.runs_python = on_tensorflow
            return source
    return RepeatedSource(runs_python=on_tensorflow)


def forgets_its_place(epoch_iterator):
    """Whether validation data goes on elsewhere in a new process.

    Args:
        epoch_iterator: The iterator that `fit` has made for it.

    Returns:
        `True` for generators and for pipelines with randomness. A PyDataset is
        read from its first batch to its last each time.
    """
    if isinstance(epoch_iterator.data_adapter, PyDatasetAdapter):
        return False
    return source_of(epoch_iterator).remembers


def _distributed_arrays(adapter):
    if shuffle_seeds(adapter.get_tf_dataset()) is not None:
        return RepeatedSource()
    return RepeatedSource(
        obstacle="Arrays are shuffled without a seed on TensorFlow under a "
        "distribution strategy. Call `keras.utils.set_random_seed` before "
        "`fit`."
    )


def _keeps_batches(epoch_iterator):
    """Whether batches of a PyDataset outlive their epoch in Keras' queue.

    With several workers, what was not drawn comes first in the next epoch:
    what follows the one batch that Keras builds a model from, or the steps of
    an epoch that is shorter than the data.
    """
    if epoch_iterator.data_adapter.enqueuer is None:
        return False
    builds = keras.backend.backend() != "tensorflow"
    return builds or epoch_iterator.steps_per_epoch is not None


def _source_of_pipeline(dataset):
    import tensorflow as tf

    if not isinstance(dataset, tf.data.Dataset):
        # Its parts are on several devices, out of sight.
        return RepeatedSource(runs_python=True)
    kind = randomness(dataset)
    if kind == NONE:
        return Source()
    if kind == UNREPEATABLE:
        return RepeatedSource(
            obstacle="This tf.data pipeline draws random numbers without a "
            "seed, or in several threads at once. Call "
            "`keras.utils.set_random_seed` before it is made, give its steps "
            "a `seed`, and draw in no step that has `num_parallel_calls`."
        )
    return RepeatedSource(runs_python=kind == PYTHON)


def _is_distributed(epoch_iterator):
    import tensorflow as tf

    # `fit` may be called outside of the scope that the model was made in.
    return not isinstance(dataset_of(epoch_iterator), tf.data.Dataset)


def _leaves(tree):
    return [
        leaf.tobytes() if hasattr(leaf, "tobytes") else leaf
        for leaf in keras.tree.flatten(tree)
    ]

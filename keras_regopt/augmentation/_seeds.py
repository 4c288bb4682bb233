"""Where the draws of an augmentation come from.

Usually from a seed generator of Keras. Two things go wrong with one alone: it
reads and advances its state in two steps, so that calls side by side draw the
same, and a process that is forked goes on from a copy of it. So calls in
`tf.data` count with one indivisible operation of TensorFlow, eager calls in
threads wait for each other, and the workers of a PyTorch `DataLoader` mix in
who they are. Within `numbered`, the draws hang on the number of the element
alone.
"""

import contextlib
import contextvars
import sys
import threading

import keras
import numpy as np

from keras_regopt._keras import in_foreign_tf_graph, make_default_seed
from keras_regopt._seed_state import seed_state, set_seed_state
from keras_regopt.augmentation._training import in_tf_data

# The number for which a `tf.data` function is being traced, and how many
# draws each `Seeds` has made in it.
_number = contextvars.ContextVar("number", default=None)

_lock = threading.RLock()


@contextlib.contextmanager
def numbered(number):
    """Lets all draws within depend on the seeds of the layers and a number.

    The layers do not count them.

    Args:
        number: An integer for eager calls, or for a `tf.data` function a
            scalar int64 tensor of TensorFlow.
    """
    token = _number.set((number, {}))
    try:
        yield
    finally:
        _number.reset(token)


class Seeds:
    """The seeds of one augmentation, wherever it is called.

    Args:
        seed: An integer, or `None` for a random one.
    """

    def __init__(self, seed):
        # Not `seed or ...`: 0 is a seed.
        self._start = make_default_seed() if seed is None else seed
        self.usual = LockedSeedGenerator(self._start)
        # Made when it is needed: TensorFlow may not be there.
        self._tensorflow = None
        self._loaded = None

    def current(self):
        """The generator that fits the moment."""
        if _number.get() is not None:
            return _Source(self._of_the_number)
        if in_tf_data() or in_foreign_tf_graph():
            if self._tensorflow is None:
                self._tensorflow = _Counter(self._start, self._loaded)
            return self._tensorflow
        worker = _worker_seed()
        if worker is not None:
            return _Source(lambda: self._of_a_worker(worker))
        return self.usual

    def save(self, store):
        """Writes the state under two keys of a dict."""
        store["seed_state"] = seed_state(self.usual)
        state = self._loaded
        if self._tensorflow is not None:
            state = self._tensorflow.variable.numpy()
        if state is not None:
            store["tf_data_seed_state"] = state

    def load(self, store):
        """Loads the state that `save` wrote, on any backend."""
        set_seed_state(self.usual, store["seed_state"])
        if "tf_data_seed_state" in store:
            self._tensorflow = None
            self._loaded = np.array(store["tf_data_seed_state"])

    def _of_the_number(self):
        number, draws = _number.get()
        draw = draws[self] = draws.get(self, -1) + 1
        if isinstance(number, int):
            return self._hashed(self._start, draw, number)
        return _mixed(self._start + (draw << 32), number)

    def _of_a_worker(self, worker):
        state = keras.ops.convert_to_numpy(self.usual.next())
        return self._hashed(*(int(n) & 0xFFFFFFFF for n in state), worker)

    def _hashed(self, *numbers):
        """A seed of two numbers, in the dtype of Keras' own."""
        words = np.random.SeedSequence(numbers)
        dtype = keras.backend.standardize_dtype(self.usual.state.dtype)
        state = words.generate_state(2)
        return keras.ops.convert_to_tensor(
            state.view("int32") if dtype == "int32" else state, dtype
        )


class LockedSeedGenerator(keras.random.SeedGenerator):
    """A seed generator for calls in several threads."""

    def next(self, ordered=True):
        with _lock:
            return super().next(ordered)


class _Source(keras.random.SeedGenerator):
    """Passes for a seed generator where `keras.random` asks for one."""

    def __init__(self, source):
        self.next = lambda ordered=True: source()


class _Counter(keras.random.SeedGenerator):
    """Counts the draws of `tf.data`, whose calls may run side by side."""

    def __init__(self, seed, state=None):
        import tensorflow as tf

        state = [0, 0, seed] if state is None else state
        # Outside of the function that is being traced.
        with tf.init_scope(), tf.device("CPU:0"):
            variable = tf.Variable(state, dtype="int64", trainable=False)
        # A strategy makes copies for its devices; `tf.data` needs one.
        self.variable = getattr(variable, "values", (variable,))[0]

    def next(self, ordered=True):
        import tensorflow as tf

        # The only operation that reads and advances at once, under XLA too.
        # TensorFlow's own generators use it with this algorithm, Philox.
        state = tf.raw_ops.RngReadAndSkip(
            resource=self.variable.handle,
            alg=tf.random.Algorithm.PHILOX.value,
            delta=tf.constant(1, "uint64"),
        )
        return _mixed(state[2], state[0])


def _mixed(*numbers):
    """A seed of two int32 from two int64, for functions of TensorFlow."""
    import tensorflow as tf

    return tf.random.stateless_uniform(
        (2,),
        tf.stack([tf.cast(n, "int64") for n in numbers]),
        minval=None,
        maxval=None,
        dtype="int32",
        alg="philox",
    )


def _worker_seed():
    """The seed of the worker of a PyTorch `DataLoader` that this process is.

    It differs from worker to worker and from epoch to epoch, and follows
    `torch.manual_seed`.
    """
    if "torch.utils.data" not in sys.modules:
        return None
    worker = sys.modules["torch.utils.data"].get_worker_info()
    return None if worker is None else worker.seed

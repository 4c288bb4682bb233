"""Where a training stands in its data, and how to get there again.

The rest of an epoch comes out the same if everything that decides about the
order is as it was before the first batch was drawn, and the batches that were
trained on are drawn once more and dropped. Where the data has a memory of its
own that cannot be saved, the epochs before are drawn and dropped as well.
"""

import warnings
import zlib

import keras
import numpy as np
from keras import ops

from keras_regopt._keras import (
    go_on_with,
    has_iterator,
    is_between_passes,
    replace_iterator,
    replace_steps,
)
from keras_regopt.callbacks.backup._data_sources import source_of
from keras_regopt.callbacks.backup._random_state import (
    capture_states,
    plain_states,
    random_states,
    set_random_states,
)


class DataPosition:
    """Follows a `fit` through its data.

    Args:
        epoch_iterator: The `EpochIterator` of the running `fit`.
    """

    def __init__(self, epoch_iterator):
        self._iterator = epoch_iterator
        self.source = source_of(epoch_iterator)
        self._original_steps = replace_steps(epoch_iterator, self._steps)
        if keras.backend.backend() == "torch":
            self._original_iterator = replace_iterator(
                epoch_iterator, self._new_iterator
            )
        self._origin = self._at_iterator = None
        # The last batch that was drawn, and the randomness before it.
        self.last_batch = self.before_last_batch = None
        self._to_drop = None

    @property
    def obstacle(self):
        """Why the order of the data cannot be repeated, or `None`."""
        return self.source.obstacle

    def begin_epoch(self, epoch):
        """Notes what the order of the batches from here on depends on."""
        if self._origin is not None and (
            self.source.remembers or not is_between_passes(self._iterator)
        ):
            return
        goes_on = has_iterator(self._iterator)
        self._origin = {
            "epoch": epoch,
            **self._randomness(),
            "at_iterator": self._at_iterator if goes_on else None,
        }
        self.source.begin_pass(self._origin)

    def state(self):
        """The position as plain values."""
        return {
            "origin": self._origin,
            "random": random_states(),
            "before_last_batch": (
                self.before_last_batch and plain_states(self.before_last_batch)
            ),
            "last_batch": _digest(self.last_batch),
        }

    def go_to(self, epoch, batch, state):
        """Gets to a position at the begin of a resumed epoch.

        Args:
            epoch: The epoch.
            batch: The number of batches of it that were trained on.
            state: What `state` returned there.
        """
        self._warn_of_what_cannot_be_checked(epoch, batch, state)
        self._origin = state["origin"]
        at_iterator = self._origin.get("at_iterator")
        if at_iterator is not None:
            self._set_randomness(at_iterator)
            go_on_with(self._iterator, iter(self._original_iterator()))
        self._set_randomness(self._origin)
        self.source.begin_pass(self._origin)
        for _ in range(self._origin["epoch"], epoch):
            self._drop_epoch()
        if batch:
            # Only the loop over the batches can do that.
            self._to_drop = (batch, random_states(), state)
            set_random_states(state["random"])
        else:
            self.arrive(state)

    def _new_iterator(self):
        """Comes instead of Keras' own function on torch.

        An iterator of torch draws random numbers when it is made, which may be
        at the end of the last pass.
        """
        self._at_iterator = self._randomness()
        return self._original_iterator()

    def _randomness(self):
        return {"random": random_states(), "memory": self.source.memory()}

    def _set_randomness(self, state):
        set_random_states(state["random"])
        self.source.set_memory(state["memory"])

    def _steps(self):
        """Comes instead of what draws an epoch's batches in Keras."""
        backend = keras.backend.backend()
        batch, random, state = self._to_drop or (0, None, None)
        self._to_drop = None
        if batch:
            set_random_states(random)
        for begin, end, iterator in self._original_steps():
            if begin < batch:
                if self._drop(iterator):
                    continue
                break
            if backend == "torch":
                yield begin, end, _DrawnAhead(self, iterator, state)
            else:
                if batch:
                    self.arrive(state)
                # TensorFlow's function draws the batch itself.
                if backend != "tensorflow":
                    iterator = _Watched(self, iterator)
                yield begin, end, iterator
            batch, state = 0, None
        if batch:
            raise ValueError(
                "The data of `fit` has fewer batches than it had when the "
                f"backup was made in the middle of an epoch, after {batch} "
                "batches. Give it the same data, or take another `backup_dir` "
                "to start over."
            )

    def _drop_epoch(self):
        with self._iterator.catch_stop_iteration():
            for _, _, iterator in self._original_steps():
                if not self._drop(iterator):
                    raise StopIteration

    def _drop(self, iterator):
        """Draws the batches of one call of the train function."""
        for count in range(self._iterator.steps_per_execution):
            try:
                self.last_batch = next(iterator)
            except StopIteration:
                return count > 0
        return True

    def arrive(self, state):
        """Warns of other data, and goes on with the randomness it had."""
        digest = _digest(self.last_batch)
        if None not in (digest, state["last_batch"]) and (
            digest != state["last_batch"]
        ):
            warnings.warn(
                "FaultTolerant cannot repeat the data of this training: read "
                "again, it is not what it was before the interruption. "
                "Training goes on with other batches than it would have had "
                "without. Seed whatever draws random numbers in it.",
                stacklevel=2,
            )
        # A thread may be drawing batches ahead by now.
        if not self.source.runs_python:
            set_random_states(state["random"])

    def _warn_of_what_cannot_be_checked(self, epoch, batch, state):
        anything_to_read = batch or epoch > state["origin"]["epoch"]
        if (
            self.source.runs_python
            and anything_to_read
            and keras.backend.backend() == "tensorflow"
        ):
            warnings.warn(
                "The training data is made by Python code and is read again "
                "up to where the training stood. On TensorFlow, FaultTolerant "
                "cannot check that it is the same as before the interruption. "
                "See to it that whatever draws random numbers in it is seeded.",
                stacklevel=2,
            )


class _Watched:
    """An iterator that leaves its last element behind."""

    def __init__(self, position, iterator):
        self._position = position
        self._iterator = iterator

    def __iter__(self):
        return self

    def __next__(self):
        self._position.last_batch = next(self._iterator)
        return self._position.last_batch


class _DrawnAhead(_Watched):
    """One on torch, where a batch is drawn before callbacks are told of it.

    At a backup, one more was drawn than trained on, and between any two, the
    training may have drawn from the same random generators.
    """

    def __init__(self, position, iterator, arrival):
        super().__init__(position, iterator)
        self._arrival = arrival

    def __next__(self):
        position, arrival = self._position, self._arrival
        self._arrival = None
        if arrival is not None and not position.source.runs_python:
            set_random_states(arrival["before_last_batch"])
        position.before_last_batch = capture_states()
        batch = super().__next__()
        if arrival is not None:
            position.arrive(arrival)
        return batch


def _digest(batch):
    """A checksum over about a thousand numbers of each array of a batch."""
    if batch is None or keras.backend.backend() == "tensorflow":
        return None
    digest = 0
    for leaf in keras.tree.flatten(batch):
        if leaf is None:
            continue
        # Sparse arrays count by their shape alone.
        array = np.asarray(tuple(leaf.shape))
        if hasattr(leaf, "__array__"):
            array = np.asarray(ops.convert_to_numpy(leaf)).reshape(-1)
            array = array[:: max(array.size // 1000, 1)]
        digest = zlib.crc32(np.ascontiguousarray(array).tobytes(), digest)
    return digest

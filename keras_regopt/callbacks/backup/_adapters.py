"""States of callbacks that have no `state()` and `restore(state)`."""

import os

import keras
import numpy as np

from keras_regopt._files import replaced
from keras_regopt._validate import fail, instance_of
from keras_regopt.callbacks._base import Callback
from keras_regopt.callbacks.backup._model_state import plain


class Adapter:
    """Reads and writes the state of a callback through its attributes.

    Args:
        *names: The attributes.
    """

    def __init__(self, *names):
        self.names = names

    def state(self, callback):
        """The state of a callback, a dict of plain values."""
        return {name: plain(getattr(callback, name)) for name in self.names}

    def before_training(self, callback, state):
        """Called before the callback's `on_train_begin`."""

    def restore(self, callback, state):
        """Called after the callback's `on_train_begin`, which forgets."""
        for name in self.names:
            setattr(callback, name, state[name])


class CSVLoggerAdapter(Adapter):
    """Keeps what stands in the file, which outlives a process by itself.

    Rows that were written after the last backup are written again.
    """

    def __init__(self):
        super().__init__("keys")

    def state(self, callback):
        state = super().state(callback)
        state["content"] = None
        if os.path.exists(callback.filename):
            with open(callback.filename, "rb") as file:
                state["content"] = np.frombuffer(file.read(), "uint8")
        return state

    def before_training(self, callback, state):
        if state["content"] is None:
            return
        with replaced(callback.filename) as draft, open(draft, "wb") as file:
            file.write(state["content"].tobytes())
        # Otherwise it empties the file when the training begins.
        callback.append, callback.append_of_user = True, callback.append

    def restore(self, callback, state):
        super().restore(callback, state)
        callback.append = vars(callback).pop("append_of_user", callback.append)


# By exact type: a subclass may have learned more than its base knows of.
ADAPTERS = {
    keras.callbacks.EarlyStopping: Adapter(
        "wait", "stopped_epoch", "best", "best_epoch", "best_weights"
    ),
    keras.callbacks.ReduceLROnPlateau: Adapter(
        "wait", "best", "cooldown_counter"
    ),
    keras.callbacks.ModelCheckpoint: Adapter(
        "best", "_batches_seen_since_last_saving", "_last_batch_seen"
    ),
    keras.callbacks.CSVLogger: CSVLoggerAdapter(),
    keras.callbacks.TensorBoard: Adapter(
        "_global_train_batch", "_global_test_batch"
    ),
    # These learn nothing.
    keras.callbacks.LambdaCallback: Adapter(),
    keras.callbacks.LearningRateScheduler: Adapter(),
    keras.callbacks.ProgbarLogger: Adapter(),
    keras.callbacks.RemoteMonitor: Adapter(),
    keras.callbacks.TerminateOnNaN: Adapter(),
}


class ProtocolAdapter(Adapter):
    """For callbacks that have `state()` and `restore(state)`."""

    def state(self, callback):
        return callback.state()

    def before_training(self, callback, state):
        callback.restore(state)

    def restore(self, callback, state):
        # Ours keep it when the training begins; others may have forgotten it.
        if not isinstance(callback, Callback):
            callback.restore(state)


def adapter_of(callback):
    """The adapter for a callback, or `None` if its state is out of reach."""
    if all(
        callable(getattr(callback, name, None)) for name in ("state", "restore")
    ):
        return ProtocolAdapter()
    return ADAPTERS.get(type(callback))


def guarded_callbacks(owner, callbacks):
    """Checks a list of callbacks whose states shall be saved.

    Args:
        owner: The callback under construction.
        callbacks: The value of its argument `callbacks`.

    Returns:
        The list.

    Raises:
        ValueError: If it is no list of callbacks, or if the state of one is
            out of reach.
    """
    instance_of(owner, "callbacks", callbacks, (list, tuple), "a list")
    for callback in callbacks:
        if isinstance(callback, type(owner)) or not isinstance(
            callback, keras.callbacks.Callback
        ):
            fail(owner, "callbacks", "a list of other callbacks", callbacks)
        if adapter_of(callback) is None:
            known = ", ".join(sorted(cls.__name__ for cls in ADAPTERS))
            fail(
                owner,
                "callbacks",
                "a list of callbacks with `state()` and `restore(state)`, or "
                f"of Keras' {known}",
                callback,
                "Give it these two methods; or leave it out of this list, and "
                "it starts over after an interruption.",
            )
    return list(callbacks)


def require_order(owner, guarded, callbacks):
    """Raises an error unless the callbacks of a `fit` stand in order.

    Args:
        owner: The callback that guards.
        guarded: Those that it guards.
        callbacks: All callbacks of the `fit`.
    """
    own = _index(owner, callbacks)
    for callback in guarded:
        index = _index(callback, callbacks)
        if index is None or index < own:
            raise ValueError(
                f"FaultTolerant guards {type(callback).__name__}, which "
                f"{'is not' if index is None else 'stands before it'} in "
                "`fit`'s list of callbacks. Pass `callbacks=["
                "FaultTolerant(guarded, backup_dir), *guarded]`, with the "
                "same objects twice."
            )


def _index(callback, callbacks):
    return next((i for i, c in enumerate(callbacks) if c is callback), None)

import copy

import keras

from keras_regopt._config import SignatureConfig
from keras_regopt._validate import instance_of
from keras_regopt.callbacks._claims import release_claims


class Callback(SignatureConfig, keras.callbacks.Callback):
    """Base of the callbacks, whose state can be saved and restored.

    A subclass names the attributes that make up its state in
    `state_attributes`. They hold plain values: numbers, strings, `None`, NumPy
    arrays, and lists and dicts of these. A subclass resets them in `reset`,
    unless Keras' own `on_train_begin` does it for it.
    """

    state_attributes: tuple[str, ...] = ()

    _restored = False

    def state(self):
        """What this callback has learned in the course of training.

        Returns:
            A dict of plain values, independent of the callback.
        """
        return {
            name: copy.deepcopy(getattr(self, name))
            for name in self.state_attributes
        }

    def restore(self, state):
        """Loads a state, which survives the next start of training.

        `fit` tells every callback that training begins, and Keras' callbacks
        then reset themselves; a restored state survives this once. A state
        that is restored while training runs ends with that training.

        Args:
            state: What `state()` returned. It is copied.

        Raises:
            ValueError: If the state belongs to another kind of callback.
        """
        owner = f"{type(self).__name__}.restore"
        instance_of(owner, "state", state, dict, "a dict made by `state()`")
        if set(state) != set(self.state_attributes):
            raise ValueError(
                f"`state` of {owner} must hold "
                f"{sorted(self.state_attributes)}. "
                f"Received: {sorted(state)}"
            )
        self._load(copy.deepcopy(state))
        self._restored = True

    def set_model(self, model):
        super().set_model(model)
        release_claims(model)

    def on_train_begin(self, logs=None):
        state = {name: getattr(self, name) for name in self.state_attributes}
        super().on_train_begin(logs)
        if self._restored:
            self._load(state)
        else:
            self.reset()
        self._restored = False

    def reset(self):
        """Resets the state, as a training begins that restores none."""

    def on_train_end(self, logs=None):
        super().on_train_end(logs)
        self._restored = False
        # The model would keep the callback and what it holds in memory.
        release_claims(self.model)

    def _load(self, state):
        for name, value in state.items():
            setattr(self, name, value)

    def __deepcopy__(self, memo):
        copied = type(self).__new__(type(self))
        memo[id(self)] = copied
        # A callback watches its model and does not own it.
        memo[id(self._model)] = self._model
        for name, value in vars(self).items():
            setattr(copied, name, copy.deepcopy(value, memo))
        return copied

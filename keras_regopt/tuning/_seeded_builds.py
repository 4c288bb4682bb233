"""Models that are built under a seed of their own."""

import contextlib
import math

import keras
import keras_tuner
from keras_tuner.errors import FailedTrialError, FatalTypeError

from keras_regopt._keras import kept_kernels


class SeededBuilds(keras_tuner.Tuner):
    """Tuner that sets the global seeds right before a model is built."""

    _build_seed: int | None = None
    # Whether to collect garbage before the next model: it takes long.
    _free_memory = True
    # Whether a compiled model may be trained in the place of the next one.
    _keep_kernels = False

    def build_seeded(self, hyperparameters, seed, keep_kernels=False):
        """Builds a model with the global seeds set just before.

        Args:
            hyperparameters: The trial's `HyperParameters`.
            seed: An `int`.
            keep_kernels: Whether TensorFlow keeps what it has compiled, unless
                memory is freed. Needs a seed that is new. Defaults to `False`.

        Returns:
            The model.
        """
        self._build_seed = seed
        self._keep_kernels = keep_kernels and not self._free_memory
        try:
            return self._try_build(hyperparameters)
        finally:
            self._build_seed = None
            self._keep_kernels = False

    def _try_build(self, hp):
        # Keras Tuner collects garbage twice here, for every model.
        with self._kernels():
            keras.backend.clear_session(free_memory=self._free_memory)
        self._free_memory = False
        model = self._build_hypermodel(hp)
        if not isinstance(model, keras.Model):
            raise FatalTypeError(
                "The function or the HyperModel that builds models must "
                f"return a Keras model. Received: {model!r}"
            )
        weights = model.trainable_weights if model.built else []
        size = sum(math.prod(weight.shape) for weight in weights)
        if self.max_model_size and size > self.max_model_size:
            raise FailedTrialError(
                f"The model has {size} weights, and `max_model_size` is "
                f"{self.max_model_size}"
            )
        return model

    def _build_hypermodel(self, hp):
        # Here, since clearing the session clears Keras' seed as well.
        if self._build_seed is not None:
            with self._kernels():
                keras.utils.set_random_seed(self._build_seed)
        return super()._build_hypermodel(hp)

    def _kernels(self):
        return (
            kept_kernels() if self._keep_kernels else contextlib.nullcontext()
        )

    def move_tensorboard(self, callbacks, trial, fold):
        """Gives TensorBoard a folder for the fold, on TensorFlow."""
        self._configure_tensorboard_dir(callbacks, trial, fold)

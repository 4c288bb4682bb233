"""Models that are built under a seed of their own."""

import math

import keras
import keras_tuner
from keras_tuner.errors import FailedTrialError, FatalTypeError


class SeededBuilds(keras_tuner.Tuner):
    """Tuner that sets the global seeds right before a model is built."""

    _build_seed: int | None = None
    # Whether to collect garbage before the next model: it takes long.
    _free_memory = True

    def build_seeded(self, hyperparameters, seed):
        """Builds a model with the global seeds set just before.

        Args:
            hyperparameters: The trial's `HyperParameters`.
            seed: An `int`.

        Returns:
            The model.
        """
        self._build_seed = seed
        try:
            return self._try_build(hyperparameters)
        finally:
            self._build_seed = None

    def _try_build(self, hp):
        # Keras Tuner collects garbage twice here, for every model.
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
            keras.utils.set_random_seed(self._build_seed)
        return super()._build_hypermodel(hp)

    def move_tensorboard(self, callbacks, trial, fold):
        """Gives TensorBoard a folder for the fold, on TensorFlow."""
        self._configure_tensorboard_dir(callbacks, trial, fold)

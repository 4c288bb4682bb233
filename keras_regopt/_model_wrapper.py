"""A model around a model, for what trains another way."""

import keras

from keras_regopt._config import SignatureConfig
from keras_regopt._keras import takes_training
from keras_regopt._roles import NotAPenalty
from keras_regopt._validate import instance_of


class ModelWrapper(NotAPenalty, SignatureConfig, keras.Model):
    """A model that computes what the model within computes, and shares it.

    The constructor of a subclass ends with `self.build_as_within()`.

    Args:
        model: The model within, built or not.
        **kwargs: Keras' arguments of every model, such as `name`.
    """

    def __init__(self, model: keras.Model, **kwargs):
        instance_of(self, "model", model, keras.Model, "a Keras model")
        # Else `compile` would not know that the loss wants scaling.
        kwargs.setdefault("dtype", model.dtype_policy)
        # The model within casts its inputs by its own rules.
        super().__init__(autocast=False, **kwargs)
        self.model = model

    def build_as_within(self):
        """Builds this model now, if the one within is built.

        After this, Keras takes no new generators and trackers.
        """
        if self.model.built and getattr(self.model, "inputs", None):
            self.build(self.model.input_shape)

    def _keras_config(self):
        return keras.layers.Layer.get_config(self)

    def call(self, inputs, training=None):
        if takes_training(self.model):
            return self.model(inputs, training=training)
        return self.model(inputs)

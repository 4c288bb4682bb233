"""Base of the models that train on mixtures of hidden states."""

import threading

import keras
from keras import ops

from keras_regopt._beta import at_quantile, beta_quantiles
from keras_regopt._keeps_seed import KeepsSeed
from keras_regopt._keras import all_layers
from keras_regopt._model_wrapper import ModelWrapper
from keras_regopt._validate import fail, in_range
from keras_regopt.layers._sampling import uniforms

# In this thread: the mixture of a train step, by the identity of the model.
_present = threading.local()


class MixupModel(KeepsSeed, ModelWrapper):
    """Mixes the losses of each example and of a partner in the batch.

    A subclass writes `call_mixed(inputs, mixture)`, which mixes what it will
    with `mixture.mixed`.

    Args:
        model: The model to train.
        alpha: Parameter of the beta distribution, a number > 0.
        seed: Integer that makes the draws repeatable, or `None`.
        **kwargs: Keras' arguments of every model, such as `name`.
    """

    def __init__(
        self, model: keras.Model, alpha: float, seed: int | None, **kwargs
    ):
        super().__init__(model, **kwargs)
        self.alpha = in_range(self, "alpha", alpha, above=0)
        self._take_seed(seed)
        self._quantiles = beta_quantiles(self.alpha)

    def call_mixed(self, inputs, mixture):
        """The outputs of the model in training."""
        raise NotImplementedError

    @property
    def _mixture(self):
        """The mixture of the training step of this thread, or `None`."""
        return getattr(_present, "mixtures", {}).get(id(self))

    def train_step(self, *arguments):
        # Lives from the forward pass to the loss, in this replica alone, since
        # others have their own examples.
        before = getattr(_present, "mixtures", {})
        _present.mixtures = {**before, id(self): Mixture()}
        try:
            return super().train_step(*arguments)
        finally:
            _present.mixtures = before

    def call(self, inputs, training=None):
        if self._mixture is None or not training:
            return super().call(inputs, training)
        self._draw(inputs)
        return self.call_mixed(inputs, self._mixture)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        """The loss, in training that of the mixture.

        Args:
            x: The inputs.
            y: The labels.
            y_pred: The predictions.
            sample_weight: Weights of the examples, or `None`.
            training: Whether the model trains.

        Returns:
            A scalar tensor.
        """
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        mixture = self._mixture
        if mixture is None or not training:
            return loss
        partners = mixture.partners(y), y_pred, mixture.partners(sample_weight)
        other = super().compute_loss(x, *partners, training)
        lam = ops.cast(mixture.lam, loss.dtype)
        return lam * loss + (1 - lam) * other

    def _draw(self, inputs):
        first = next(x for x in keras.tree.flatten(inputs) if x is not None)
        draws = uniforms(self, (ops.shape(first)[0] + 2,))
        self._mixture.lam = at_quantile(self._quantiles, draws[0])
        self._mixture.choice = draws[1]
        self._mixture.order = ops.argsort(draws[2:])


class Mixture:
    """The draws of one step: `lam`, the partners, and a number from 0 to 1."""

    lam = choice = order = None

    def mixed(self, structure, lam=None):
        """States mixed with those of the partners, in the proportion `lam`."""
        lam = self.lam if lam is None else lam
        return keras.tree.map_structure(lambda x: self.mix(x, lam), structure)

    def partners(self, structure):
        """The entries of each example's partner."""
        return keras.tree.map_structure(
            lambda x: None if x is None else ops.take(x, self.order, axis=0),
            structure,
        )

    def mix(self, x, lam):
        """One tensor, mixed with that of the partners."""
        dtype = keras.backend.standardize_dtype(x.dtype)
        if not keras.backend.is_float_dtype(dtype):
            raise ValueError(
                "Only floating point numbers can be mixed. Received: "
                f"dtype={dtype}. Convert them first, or, for ids, set "
                "`mix_inputs=False` of ManifoldMixup."
            )
        lam = ops.cast(lam, dtype)
        return lam * x + (1 - lam) * self.partners(x)


def names_of_layers(owner, names):
    """The names of layers in the model within, checked, as a list."""
    known = [part.name for part in all_layers(owner.model, include_self=False)]
    good = isinstance(names, (list, tuple)) and set(names) <= set(known)
    if not good:
        fail(owner, "layer_names", f"a list of names from {known}", names)
    return list(names)


def find_layer(model, name):
    """The first layer of a name in a model."""
    parts = all_layers(model, include_self=False)
    return next(part for part in parts if part.name == name)

import threading
from collections.abc import Sequence

import keras
from keras import ops

from keras_regopt._beta import at_quantile, beta_quantiles
from keras_regopt._keeps_seed import KeepsSeed
from keras_regopt._keras import all_layers
from keras_regopt._model_wrapper import ModelWrapper
from keras_regopt._registry import register
from keras_regopt._validate import boolean, fail, in_range
from keras_regopt.layers._draws import uniforms
from keras_regopt.layers._replaced_calls import replaced_calls

# For the present thread, by the identity of a model, the mixture of its step.
_present = threading.local()


@register
class ManifoldMixup(KeepsSeed, ModelWrapper):
    """A model that trains on mixtures of hidden states and of labels.

    In each step one of the named layers is drawn, and each example's output
    `h` of it is mixed with that of another example `j` of the batch; the loss
    mixes both labels in the same proportion:

        h' = share * h + (1 - share) * h[j],   share ~ Beta(alpha, alpha),
        loss = share * loss(y, f(h')) + (1 - share) * loss(y[j], f(h')).

    It smooths the boundaries between classes within the network, and helps
    most where data are few. Share, layer and partners are one draw for the
    batch. Since the losses are mixed, not the labels, any loss and any labels
    will do, integers as well. Metrics in training compare with the example's
    own label, so they look worse than they are; those of validation are plain.

    It shares the weights of the model within, which stays a model of its own:
    compile and fit this one, then go on with either. It mixes in its own
    `fit` and `train_on_batch` alone: not in `predict`, `evaluate` or
    `model(x)`, and not as a part of another model. A `train_step` or
    `compute_loss` of the model within is not called.

    Args:
        model: The model to train.
        layer_names: List of names of layers in `model` whose outputs may be
            mixed, such as those of the first blocks. An empty list mixes the
            inputs alone, which is plain mixup.
        alpha: Parameter of the beta distribution, a number > 0; the larger,
            the more even the mixtures. Defaults to `2.0`, as in the paper.
        mix_inputs: Whether the inputs of the model may be mixed too. Set it to
            `False` where they are token ids. Defaults to `True`.
        seed: Integer that makes the draws repeatable, or `None`. Defaults to
            `None`.
        **kwargs: Keras' arguments of every model, such as `name`.

    Raises:
        ValueError: If an argument is out of its range, a layer is not there,
            or nothing is left to mix.

    Examples:
        >>> inner = keras.Sequential(
        ...     [
        ...         keras.Input((2,)),
        ...         keras.layers.Dense(4, activation="relu", name="hidden"),
        ...         keras.layers.Dense(3),
        ...     ]
        ... )
        >>> model = ManifoldMixup(inner, ["hidden"])
        >>> loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        >>> model.compile("sgd", loss)
        >>> x, y = np.ones((4, 2)), np.array([0, 1, 2, 0])
        >>> history = model.fit(x, y, verbose=0)
        >>> inner.predict(x, verbose=0).shape
        (4, 3)

    References:
        Verma et al. 2019, Manifold mixup (arXiv 1806.05236); Zhang et al. 2018,
        mixup (arXiv 1710.09412), for the inputs alone.
    """

    def __init__(
        self,
        model: keras.Model,
        layer_names: Sequence[str],
        alpha: float = 2.0,
        mix_inputs: bool = True,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(model, **kwargs)
        self.layer_names = _names(self, layer_names)
        self.alpha = in_range(self, "alpha", alpha, above=0)
        self.mix_inputs = boolean(self, "mix_inputs", mix_inputs)
        if not self.layer_names and not mix_inputs:
            allowed = "a list of at least one name if mix_inputs=False"
            fail(self, "layer_names", allowed, layer_names)
        self._take_seed(seed)
        self._quantiles = beta_quantiles(self.alpha)
        self.build_as_within()

    @property
    def _mixture(self):
        """The mixture of the training step of this thread, or `None`."""
        return getattr(_present, "mixtures", {}).get(id(self))

    def train_step(self, *arguments):
        # Lives from the forward pass to the loss, and nowhere else: neither
        # in another replica, which has its own examples.
        before = getattr(_present, "mixtures", {})
        _present.mixtures = {**before, id(self): _Mixture()}
        try:
            return super().train_step(*arguments)
        finally:
            _present.mixtures = before

    def call(self, inputs, training=None):
        if self._mixture is None or not training:
            return super().call(inputs, training)
        self._draw(inputs)
        if self.mix_inputs:
            inputs = self._mixture.mixed(inputs, len(self.layer_names))
        parts = [_find(self.model, name) for name in self.layer_names]
        with replaced_calls(parts, self._mixture.after):
            return super().call(inputs, training)

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
        others = mixture.partners(y), y_pred, mixture.partners(sample_weight)
        other = super().compute_loss(x, *others, training)
        share = ops.cast(mixture.share, loss.dtype)
        return share * loss + (1 - share) * other

    def _draw(self, inputs):
        first = next(x for x in keras.tree.flatten(inputs) if x is not None)
        draws = uniforms(self, (ops.shape(first)[0] + 2,))
        count = len(self.layer_names) + self.mix_inputs
        self._mixture.share = at_quantile(self._quantiles, draws[0])
        self._mixture.place = ops.cast(draws[1] * count, "int32")
        self._mixture.order = ops.argsort(draws[2:])


class _Mixture:
    """What is drawn for one step: the share, the place and the partners."""

    share = place = order = None

    def mixed(self, structure, place):
        """The states at a place, mixed if the place was drawn."""
        share = ops.where(self.place == place, self.share, 1.0)
        return keras.tree.map_structure(
            lambda x: self._mix(x, share), structure
        )

    def after(self, call, place):
        """A `call` of a layer whose output is mixed."""

        def call_and_mix(*arguments, **options):
            return self.mixed(call(*arguments, **options), place)

        return call_and_mix

    def partners(self, structure):
        """For each example, what belongs to the one it is mixed with."""
        return keras.tree.map_structure(
            lambda x: None if x is None else ops.take(x, self.order, axis=0),
            structure,
        )

    def _mix(self, x, share):
        dtype = keras.backend.standardize_dtype(x.dtype)
        if not keras.backend.is_float_dtype(dtype):
            raise ValueError(
                "Only floating point numbers can be mixed. Received: "
                f"dtype={dtype}. Convert them first, or, for ids, set "
                "`mix_inputs=False` of ManifoldMixup."
            )
        share = ops.cast(share, dtype)
        return share * x + (1 - share) * self.partners(x)


def _names(owner, names):
    known = [part.name for part in all_layers(owner.model, include_self=False)]
    good = isinstance(names, (list, tuple)) and set(names) <= set(known)
    if not good:
        fail(owner, "layer_names", f"a list of names from {known}", names)
    return list(names)


def _find(model, name):
    parts = all_layers(model, include_self=False)
    return next(part for part in parts if part.name == name)

from collections.abc import Sequence

import keras
from keras import ops

from keras_regopt._model_wrapper import ModelWrapper
from keras_regopt._registry import register
from keras_regopt._validate import boolean, fail
from keras_regopt.layers._mixup_model import (
    MixupModel,
    find_layer,
    names_of_layers,
)
from keras_regopt.layers._replaced_calls import replaced_calls


@register
class ManifoldMixup(MixupModel):
    """A model that trains on mixtures of hidden states and of labels.

    In each step one of the named layers is drawn, and each example's output
    `h` of it is mixed with that of another example `j` of the batch; the loss
    mixes both labels in the same proportion:

        h' = lam * h + (1 - lam) * h[j],   lam ~ Beta(alpha, alpha),
        loss = lam * loss(y, f(h')) + (1 - lam) * loss(y[j], f(h')).

    It smooths the boundaries between classes within the network, and helps
    most where data are few. `lam`, layer and partners are drawn once for the
    batch. Since the losses are mixed, not the labels, any loss and any labels
    will do, integers as well. Metrics in training compare with the example's
    own label, so they look worse than they are; those of validation are exact.

    It shares the weights of the model within, which stays a model of its own:
    compile and fit this one, then go on with either. It mixes in its own
    `fit` and `train_on_batch` alone: not in `predict`, `evaluate` or
    `model(x)`, and not within another model. A `train_step` or
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
        ValueError: If `model` has no layer of a name, or nothing is left to
            mix.

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
        super().__init__(model, alpha, seed, **kwargs)
        self.layer_names = names_of_layers(self, layer_names)
        self.mix_inputs = boolean(self, "mix_inputs", mix_inputs)
        if not self.layer_names and not mix_inputs:
            allowed = "a list of at least one name if mix_inputs=False"
            fail(self, "layer_names", allowed, layer_names)
        self.build_as_within()

    def call_mixed(self, inputs, mixture):
        count = len(self.layer_names)
        drawn = ops.cast(mixture.choice * (count + self.mix_inputs), "int32")

        def mixed(structure, index):
            lam = ops.where(drawn == index, mixture.lam, 1.0)
            return mixture.mixed(structure, lam)

        def after(call, index):
            return lambda *inputs, **options: mixed(
                call(*inputs, **options), index
            )

        if self.mix_inputs:
            inputs = mixed(inputs, count)
        parts = [find_layer(self.model, name) for name in self.layer_names]
        with replaced_calls(parts, after):
            return ModelWrapper.call(self, inputs, training=True)

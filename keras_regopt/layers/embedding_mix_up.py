from collections.abc import Sequence

import keras
from keras import ops

from keras_regopt._keras import all_layers
from keras_regopt._model_wrapper import ModelWrapper
from keras_regopt._registry import register
from keras_regopt._validate import fail
from keras_regopt.layers._mixup_model import (
    MixupModel,
    find_layer,
    names_of_layers,
)
from keras_regopt.layers._replaced_calls import replaced_calls


@register
class EmbeddingMixUp(MixupModel):
    """A model that trains on mixtures of embedded texts and of labels.

    Token ids cannot be mixed, but their embeddings can. Each example's
    embeddings `e` are mixed with those of another example `j` of the batch,
    token by token, and the loss mixes both labels in the same proportion:

        e' = lam * e + (1 - lam) * e[j],   lam ~ Beta(alpha, alpha),
        loss = lam * loss(y, f(e')) + (1 - lam) * loss(y[j], f(e')).

    Where the mask of the embedding tells that either text has no token, the
    example's own vector stays. `lam` and the partners are drawn once for the
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
        layer_names: List of names of layers in `model` that make embeddings
            of ids, which are all mixed. Defaults to `None`: all that are a
            `keras.layers.Embedding`.
        alpha: Parameter of the beta distribution, a number > 0; the larger,
            the more even the mixtures. Defaults to `1.0`, as in the paper.
        seed: Integer that makes the draws repeatable, or `None`. Defaults to
            `None`.
        **kwargs: Keras' arguments of every model, such as `name`.

    Raises:
        ValueError: If `model` has no layer of a name, or no embedding.

    Examples:
        >>> inner = keras.Sequential(
        ...     [
        ...         keras.Input((3,), dtype="int32"),
        ...         keras.layers.Embedding(9, 4, mask_zero=True),
        ...         keras.layers.GlobalAveragePooling1D(),
        ...         keras.layers.Dense(2),
        ...     ]
        ... )
        >>> model = EmbeddingMixUp(inner)
        >>> loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        >>> model.compile("sgd", loss)
        >>> ids, labels = np.array([[5, 6, 0], [7, 8, 2]]), np.array([0, 1])
        >>> history = model.fit(ids, labels, verbose=0)
        >>> inner.predict(ids, verbose=0).shape
        (2, 2)

    References:
        Guo, Mao and Zhang 2019, Augmenting data with mixup for sentence
        classification (arXiv 1905.08941).
    """

    def __init__(
        self,
        model: keras.Model,
        layer_names: Sequence[str] | None = None,
        alpha: float = 1.0,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(model, alpha, seed, **kwargs)
        if layer_names is not None:
            layer_names = names_of_layers(self, layer_names)
        self.layer_names = layer_names
        self.build_as_within()
        if layer_names == [] or (self.built and not self._embeddings()):
            allowed = "a list of at least one name, if no layer is an Embedding"
            fail(self, "layer_names", allowed, layer_names)

    def call_mixed(self, inputs, mixture):
        layers = self._embeddings()

        def after(call, index):
            return lambda ids, *more, **options: _mixed_tokens(
                layers[index], ids, call(ids, *more, **options), mixture
            )

        with replaced_calls(layers, after):
            return ModelWrapper.call(self, inputs, training=True)

    def _embeddings(self):
        """The layers whose outputs are mixed."""
        if self.layer_names is not None:
            return [find_layer(self.model, name) for name in self.layer_names]
        layers = all_layers(self.model, include_self=False)
        return [x for x in layers if isinstance(x, keras.layers.Embedding)]


def _mixed_tokens(layer, ids, embeddings, mixture):
    """Embeddings mixed where both texts have a token."""
    dtype = keras.backend.standardize_dtype(getattr(ids, "dtype", "int32"))
    if keras.backend.is_float_dtype(dtype):
        # A tied embedding, which makes logits of what comes out at the end.
        return embeddings
    mixed = mixture.mix(embeddings, mixture.lam)
    mask = layer.compute_mask(ids, None)
    if mask is None:
        return mixed
    both = ops.logical_and(mask, mixture.partners(mask))
    return ops.where(both[..., None], mixed, embeddings)

"""Mixing by one of several layers, which is drawn for each element."""

import numpy as np

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation._batch import select
from keras_regopt.augmentation._mixing import Mixing
from keras_regopt.augmentation._probabilities import drawn_number


class InTurn(Mixing):
    """Base of what a `RandomMix` is for one kind of data.

    A subclass says when `combined` can be called: the weights of some layers
    hang on the data.

    Args:
        layers: List of `Mixing` layers of the kind.
        probabilities: List of positive numbers, or `None`.
        per: `"image"` or `"batch"`.
        **kwargs: Those of the base of the kind.
    """

    def __init__(self, layers, probabilities, per, **kwargs):
        super().__init__(**kwargs)
        self.layers = layers
        self.probabilities = probabilities
        self.per = per
        self.mixed_count = max(layer.mixed_count for layer in layers)
        self.computes_in_floats = any(x.computes_in_floats for x in layers)

    def save_own_variables(self, store):
        # It draws from the seed of the RandomMix, and has no state.
        pass

    def load_own_variables(self, store):
        pass

    def drawn(self, shape, seed):
        """Which layer each element draws, and what all layers draw."""
        turn, coin = self.uniforms(2, shape[0], seed)
        return {
            "choice": self.choice(turn, coin),
            "layers": [layer.sample(shape, seed) for layer in self.layers],
        }

    def combined(self, drawn):
        """The same, with sources and weights of the layer that was drawn."""
        choice = drawn["choice"]
        batch = ops.shape(choice)[0]
        own = ops.arange(batch, dtype="int32")[:, None]
        # Where nothing mixes, an element is made of itself alone.
        weights = ops.ones((batch, 1), "float32")
        sources, weights = self._with_room(own, weights, own)
        for number, part in enumerate(drawn["layers"]):
            mine = choice == number
            found = self._with_room(part["sources"], part["weights"], own)
            sources = select(mine, found[0], sources)
            weights = select(mine, found[1], weights)
        return {**drawn, "sources": sources, "weights": weights}

    def choice(self, turn, coin):
        """The number of the layer for each element, -1 for none."""
        if self.per == "batch":
            turn = turn[:1] + ops.zeros_like(turn)
        choice = drawn_number(turn, self.probabilities, len(self.layers))
        rates = np.array([layer.rate for layer in self.layers], "float32")
        acts = coin < ops.take(ops.convert_to_tensor(rates), choice, axis=0)
        return ops.where(acts, choice, -1)

    def apply(self, inputs, parameters):
        return self.in_turn_by("apply", inputs, parameters)

    def in_turn_by(self, method, tensor, parameters, *arguments):
        """What a method of each layer makes of the elements that drew it."""
        result = tensor
        for number, layer in enumerate(self.layers):
            part = parameters["layers"][number]
            changed = getattr(layer, method)(tensor, part, *arguments)
            mine = parameters["choice"] == number
            result = select(mine, changed, result)
        return result

    def _with_room(self, sources, weights, own):
        """Sources and weights for as many parts as any layer has."""
        missing = self.mixed_count - weights.shape[1]
        own = ops.cast(own, sources.dtype)
        none = ops.zeros_like(weights[:, :1])
        return (
            ops.concatenate([sources] + [own] * missing, axis=1),
            ops.concatenate([weights] + [none] * missing, axis=1),
        )

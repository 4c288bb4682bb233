import contextlib
import threading

import keras
import numpy as np
from keras import ops

from keras_regopt._export import DrawsInService
from keras_regopt._keras import (
    all_layers,
    in_tf_graph,
    make_default_seed,
    own_state,
    seed_states,
    takes_training,
)
from keras_regopt._precision import at_least_single
from keras_regopt._registry import register
from keras_regopt._validate import boolean, integer
from keras_regopt.layers._replaced_calls import replaced_calls
from keras_regopt.layers._wrapper import Wrapper

# Keeps the seeds of two generators apart, however often one has drawn.
_STRIDE = 1_000_003
# One may stand within another.
_lock = threading.RLock()


@register
class MonteCarlo(DrawsInService, Wrapper):
    """Mean and spread of many random passes, to tell how sure a model is.

    A model that was trained with dropout is run `samples` times with its
    dropout on. The mean is a better prediction than one pass without dropout
    promises to be, and the spread, the standard deviation over the passes,
    grows where the model has seen little. All passes are one call: the inputs
    are repeated along the batch, which on small models is many times faster
    than a loop.

        mean, spread = MonteCarlo(model, samples=20)(x)

    Layers that keep running statistics, such as batch normalization, go on as
    in inference, and nothing of the model changes. Each call draws the same,
    whatever was called before, so that a prediction can be repeated, also by a
    saved or exported model. In training there is one pass, as without this
    wrapper, and the spread is zero.

    Where one draw serves a whole batch (`DropConnect`, `L0`, and
    `StochasticDepth(mode="batch")`), the passes run one after the other. A
    foreign layer of that kind should not be repeated along the batch: its
    spread would be zero.

    Args:
        layer: The model, or its random part: what comes before need not be
            repeated.
        samples: Number of passes, at least 2. Memory grows with it. Defaults
            to `20`.
        spread: Whether the spread comes too, as `(mean, spread)`, or the mean
            alone. Defaults to `True`.
        seed: Integer that fixes the draws, or `None` for a random one, which
            the configuration keeps. Defaults to `None`.
        **kwargs: Keras' arguments of every layer, such as `name` and `dtype`.

    Input shape:
        As of `layer`.

    Output shape:
        As of `layer`, or a pair of those.

    Raises:
        ValueError: If an argument is out of its range.

    Examples:
        >>> model = keras.Sequential(
        ...     [keras.layers.Dropout(0.5), keras.layers.Dense(1)]
        ... )
        >>> mean, spread = MonteCarlo(model)(np.ones((4, 8), "float32"))
        >>> mean.shape == spread.shape == (4, 1)
        True

    References:
        Gal and Ghahramani 2016, Dropout as a Bayesian approximation
        (arXiv 1506.02142).
    """

    def __init__(
        self,
        layer: keras.layers.Layer,
        samples: int = 20,
        spread: bool = True,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(layer, **kwargs)
        self.samples = integer(self, "samples", samples, low=2)
        self.spread = boolean(self, "spread", spread)
        seed = integer(self, "seed", seed, low=0, optional=True)
        self.seed = make_default_seed() if seed is None else seed

    def call(self, inputs, training=False, mask=None):
        if training:
            outputs = self._call_layer(inputs, training, mask)
            return self._with_spread(outputs, ops.zeros_like)
        with _alone(), self._own_draws(), self._statistics_at_rest():
            passes = self._passes(inputs, mask)
        means = keras.tree.map_structure(_mean_of, passes)
        return self._with_spread(means, self._spread_of, passes)

    def _with_spread(self, means, function, *structures):
        if not self.spread:
            return means
        structures = structures or (means,)
        return means, keras.tree.map_structure(function, *structures)

    def _spread_of(self, passes):
        exact = at_least_single(passes)
        deviations = exact - ops.mean(exact, axis=1, keepdims=True)
        squares = ops.sum(ops.square(deviations), axis=1)
        spread = ops.sqrt(squares / (self.samples - 1))
        return ops.cast(spread, passes.dtype)

    def _passes(self, inputs, mask):
        """What all passes give, one after the other on axis 1."""
        parts = all_layers(self.layer)
        if any(getattr(p, "draws_once_for_a_batch", False) for p in parts):
            each = [
                self._call_layer(inputs, True, mask)
                for _ in range(self.samples)
            ]
            return keras.tree.map_structure(
                lambda *outputs: ops.stack(outputs, axis=1), *each
            )
        outputs = self._call_layer(
            self._repeated(inputs), True, self._repeated(mask)
        )
        return keras.tree.map_structure(self._taken_apart, outputs)

    def _repeated(self, structure):
        return keras.tree.map_structure(
            lambda x: (
                None if x is None else ops.repeat(x, self.samples, axis=0)
            ),
            structure,
        )

    def _taken_apart(self, outputs):
        shape = (-1, self.samples, *ops.shape(outputs)[1:])
        return ops.reshape(outputs, shape)

    @contextlib.contextmanager
    def _own_draws(self):
        """All generators begin at this seed, and then go on as before."""
        states = seed_states(self.layer)
        before = [ops.copy(state.value) for state in states]
        for place, state in enumerate(states):
            start = np.array([(self.seed + place * _STRIDE) % 2**31, 0])
            state.assign(ops.convert_to_tensor(start, dtype=state.dtype))
        try:
            with _torch_draws(self.seed):
                yield
        finally:
            for state, value in zip(states, before, strict=True):
                state.assign(value)

    def _statistics_at_rest(self):
        parts = [
            part
            for part in all_layers(self.layer)
            if own_state(part) and takes_training(part)
        ]
        return replaced_calls(parts, _in_inference)

    def compute_mask(self, inputs, mask=None):
        mask = super().compute_mask(inputs, mask)
        return [mask, mask] if self.spread and mask is not None else mask

    def compute_output_shape(self, input_shape):
        shape = super().compute_output_shape(input_shape)
        return (shape, shape) if self.spread else shape

    def compute_output_spec(self, inputs, training=False, mask=None):
        spec = super().compute_output_spec(inputs)
        again = super().compute_output_spec(inputs)
        return (spec, again) if self.spread else spec


def _mean_of(passes):
    return ops.cast(ops.mean(at_least_single(passes), axis=1), passes.dtype)


def _alone():
    """Keeps other threads away from the generators, which they share.

    Not where TensorFlow builds a graph: replicas take turns there, and one
    that holds a lock would never be given its next turn.
    """
    return contextlib.nullcontext() if in_tf_graph() else _lock


@contextlib.contextmanager
def _torch_draws(seed):
    """The same for torch's own generator, which Keras' dropout uses there."""
    if keras.backend.backend() != "torch":
        yield
        return
    import torch

    devices = range(torch.cuda.device_count())
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


def _in_inference(call, place):
    def call_in_inference(*arguments, training=None, **options):
        return call(*arguments, training=False, **options)

    return call_in_inference

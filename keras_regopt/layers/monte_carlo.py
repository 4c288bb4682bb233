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

# Between the seeds of two generators: more than one ever draws.
_STRIDE = 1_000_003
# Reentrant, since one MonteCarlo may contain another.
_lock = threading.RLock()


@register
class MonteCarlo(DrawsInService, Wrapper):
    """Mean and standard deviation of many random passes of a model.

    A model that was trained with dropout is run `samples` times with its
    dropout on. The mean is often a better prediction than one pass without
    dropout. The standard deviation over the passes tells how sure the model
    is: it grows where the model has seen little. All passes are one call: the
    inputs are repeated along the batch, which on small models is many times
    faster than a loop.

        mean, std = MonteCarlo(model, samples=20)(x)

    Layers that keep running statistics, such as batch normalization, go on as
    in inference, and nothing of the model changes. Each call draws the same,
    whatever was called before, so that a prediction can be repeated, also by a
    saved or exported model. In training there is one pass, as without this
    wrapper, and the standard deviation is zero.

    Where one draw serves a whole batch (`DropConnect`, `L0`, and
    `StochasticDepth(mode="batch")`), the passes run one after the other. A
    foreign layer of that kind should not be repeated along the batch: its
    standard deviation would be zero.

    Args:
        layer: The model, or its random part: what comes before need not be
            repeated.
        samples: Number of passes, at least 2. Memory grows with it. Defaults
            to `20`.
        return_std: Whether to return the pair `(mean, std)`, or the mean
            alone. Defaults to `True`.
        seed: Integer that fixes the draws, or `None` for a random one, which
            the configuration keeps. Defaults to `None`.
        **kwargs: Keras' arguments of every layer, such as `name` and `dtype`.

    Input shape:
        As of `layer`.

    Output shape:
        As of `layer`, or a pair of those.

    Examples:
        >>> model = keras.Sequential(
        ...     [keras.layers.Dropout(0.5), keras.layers.Dense(1)]
        ... )
        >>> mean, std = MonteCarlo(model)(np.ones((4, 8), "float32"))
        >>> mean.shape == std.shape == (4, 1)
        True

    References:
        Gal and Ghahramani 2016, Dropout as a Bayesian approximation
        (arXiv 1506.02142).
    """

    def __init__(
        self,
        layer: keras.layers.Layer,
        samples: int = 20,
        return_std: bool = True,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(layer, **kwargs)
        self.samples = integer(self, "samples", samples, low=2)
        self.return_std = boolean(self, "return_std", return_std)
        seed = integer(self, "seed", seed, low=0, optional=True)
        self.seed = make_default_seed() if seed is None else seed

    def call(self, inputs, training=False, mask=None):
        if training:
            outputs = self._call_layer(inputs, training, mask)
            return self._with_std(outputs, ops.zeros_like)
        with _alone(), self._own_seeds(), self._frozen_statistics():
            passes = self._passes(inputs, mask)
        means = keras.tree.map_structure(_mean_of, passes)
        return self._with_std(means, self._std_of, passes)

    def _with_std(self, means, function, *structures):
        if not self.return_std:
            return means
        structures = structures or (means,)
        return means, keras.tree.map_structure(function, *structures)

    def _std_of(self, passes):
        exact = at_least_single(passes)
        deviations = exact - ops.mean(exact, axis=1, keepdims=True)
        squares = ops.sum(ops.square(deviations), axis=1)
        std = ops.sqrt(squares / (self.samples - 1))
        return ops.cast(std, passes.dtype)

    def _passes(self, inputs, mask):
        """The outputs of all passes, stacked on axis 1."""
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
        return keras.tree.map_structure(self._split_passes, outputs)

    def _repeated(self, structure):
        return keras.tree.map_structure(
            lambda x: (
                None if x is None else ops.repeat(x, self.samples, axis=0)
            ),
            structure,
        )

    def _split_passes(self, outputs):
        shape = (-1, self.samples, *ops.shape(outputs)[1:])
        return ops.reshape(outputs, shape)

    @contextlib.contextmanager
    def _own_seeds(self):
        """Seeds all generators with this layer's seed, then restores them."""
        states = seed_states(self.layer)
        before = [ops.copy(state.value) for state in states]
        for index, state in enumerate(states):
            start = np.array([(self.seed + index * _STRIDE) % 2**31, 0])
            state.assign(ops.convert_to_tensor(start, dtype=state.dtype))
        try:
            with _torch_seed(self.seed):
                yield
        finally:
            for state, value in zip(states, before, strict=True):
                state.assign(value)

    def _frozen_statistics(self):
        """Runs the layers that keep statistics in inference mode."""
        parts = [
            part
            for part in all_layers(self.layer)
            if own_state(part) and takes_training(part)
        ]
        return replaced_calls(parts, _in_inference)

    def compute_mask(self, inputs, mask=None):
        mask = super().compute_mask(inputs, mask)
        return [mask, mask] if self.return_std and mask is not None else mask

    def compute_output_shape(self, input_shape):
        shape = super().compute_output_shape(input_shape)
        return (shape, shape) if self.return_std else shape

    def compute_output_spec(self, inputs, training=False, mask=None):
        spec = super().compute_output_spec(inputs)
        again = super().compute_output_spec(inputs)
        return (spec, again) if self.return_std else spec


def _mean_of(passes):
    return ops.cast(ops.mean(at_least_single(passes), axis=1), passes.dtype)


def _alone():
    """Locks the generators, which all threads share.

    Not where TensorFlow builds a graph: replicas take turns there, and one
    that holds a lock would never get its next turn.
    """
    return contextlib.nullcontext() if in_tf_graph() else _lock


@contextlib.contextmanager
def _torch_seed(seed):
    """Seeds torch's own generator, which Keras' dropout uses on torch."""
    if keras.backend.backend() != "torch":
        yield
        return
    import torch

    devices = range(torch.cuda.device_count())
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


def _in_inference(call, index):
    def call_in_inference(*arguments, training=None, **options):
        return call(*arguments, training=False, **options)

    return call_in_inference

"""Layers that break one promise each."""

import time

import keras
import numpy as np
from broken import UNKNOWN_VALUES, Broken, compiled_only, register, traced
from keras import ops, random
from own_classes import AdditiveNoise

from keras_regopt.testing import layers


class ActsAlways(AdditiveNoise):
    """Does not ask whether it is trained."""

    def call(self, inputs, training=False):
        return super().call(inputs, training=True)


class ActsByDefault(AdditiveNoise):
    """Acts where nothing is said of training."""

    def call(self, inputs, training=True):
        return super().call(inputs, training)


class PromisesAnotherShape(AdditiveNoise):
    """Has a `compute_output_shape` that is not up to date."""

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], 1)


class AnotherShapeInTraining(AdditiveNoise):
    """Drops features in training by leaving them out."""

    def call(self, inputs, training=False):
        return inputs[:, ::2] if training else inputs


class RemembersBatchSize(AdditiveNoise):
    """Promises the shape that it saw first."""

    seen = None

    def compute_output_shape(self, input_shape):
        self.seen = self.seen or input_shape
        return self.seen


class Rounds(AdditiveNoise):
    """Rounds, which has no slope."""

    def call(self, inputs, training=False):
        return ops.round(inputs)


class DividesByNorm(AdditiveNoise):
    """Divides by a norm, which may be zero."""

    def call(self, inputs, training=False):
        squares = ops.sum(ops.square(inputs), axis=-1, keepdims=True)
        return inputs / ops.sqrt(squares)


class BranchesInPython(AdditiveNoise):
    """Chooses by a value that a compiled step does not know."""

    def call(self, inputs, training=False):
        return inputs if ops.max(inputs) > 1 else 2 * inputs


class CountsInPython(AdditiveNoise):
    """Grows with each call, which a compiled step makes only once."""

    calls = 0

    def noise(self, inputs):
        self.calls += 1
        return super().noise(inputs) * self.calls


class LogOfNegative(AdditiveNoise):
    """Takes the logarithm of inputs of either sign."""

    def call(self, inputs, training=False):
        return ops.log(inputs)


class NoiseInSinglePrecision(AdditiveNoise):
    """Draws float32 numbers, to which all else is raised."""

    def noise(self, inputs):
        return random.normal(ops.shape(inputs), seed=self.seed_generator)

    def call(self, inputs, training=False):
        return ops.add(inputs, self.noise(inputs)) if training else inputs


class MasksByHugeNumber(AdditiveNoise):
    """Masks by a number that half precision does not have."""

    def call(self, inputs, training=False):
        return inputs * -1e9


class WeightsInHalfPrecision(AdditiveNoise):
    """Makes its weights in the dtype in which it computes."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.scale = self.add_weight(shape=(), dtype=self.compute_dtype)


class DrawsByNumPy(AdditiveNoise):
    """Draws past its seed."""

    def noise(self, inputs):
        draws = np.random.normal(size=inputs.shape)
        return ops.cast(draws, inputs.dtype)


class CutsOffItsNoise(AdditiveNoise):
    """Draws floats and casts them to whatever the inputs are."""

    def call(self, inputs, training=False):
        if not training:
            return inputs
        noise = keras.random.normal(
            ops.shape(inputs), stddev=5.0, seed=self.seed_generator
        )
        return inputs + ops.cast(noise, inputs.dtype)


class DrawsTheSame(AdditiveNoise):
    """Takes the seed itself where a generator belongs."""

    def noise(self, inputs):
        return random.normal(inputs.shape, seed=self.seed)


@register
class WeightsInNumPy(AdditiveNoise):
    """Keeps its weights where Keras does not look for them."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.scale = np.random.uniform(1, 9)

    def call(self, inputs, training=False):
        return inputs * self.scale


@register
class ForgetsStddev(AdditiveNoise):
    """Comes back from a file with the default instead of its argument."""

    def call(self, inputs, training=False):
        return inputs * self.stddev

    def get_config(self):
        return {**super().get_config(), "stddev": 0.1}


class TakesGraphsForTraining(AdditiveNoise):
    """Takes every graph for a train step, unless it is told otherwise."""

    def call(self, inputs, training=None):
        return super().call(inputs, traced(inputs) and training is None)


class MultipliesCodes(AdditiveNoise):
    """Multiplies by the kernel of another layer past this layer.

    Args:
        stddev: Does nothing.
        **kwargs: Keras' arguments of every layer.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(6, use_bias=False)
        self.dense.build((None, 6))

    def call(self, inputs, training=False):
        return ops.matmul(inputs, ops.cast(self.dense._kernel, inputs.dtype))


class HoldsItsInput(AdditiveNoise):
    """Lays its input down on itself, where other threads find it.

    Args:
        stddev: Does nothing.
        **kwargs: Keras' arguments of every layer.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.scale = self.add_weight(shape=(), initializer="ones")

    def call(self, inputs, training=False):
        self.held = [inputs]
        time.sleep(0.005)
        return self.held[0] * self.scale


BROKEN = {
    layers.is_deterministic_in_inference: [
        Broken(ActsAlways, "two calls differ"),
        Broken(ActsByDefault, "two calls differ"),
    ],
    layers.gives_the_promised_shape: [
        Broken(PromisesAnotherShape, r"is \(4, 6\), promised was \(4, 1\)"),
        Broken(AnotherShapeInTraining, r"is \(4, 3\), promised was \(4, 6\)"),
        Broken(RemembersBatchSize, "an open batch size becomes 4"),
    ],
    layers.passes_gradients: [
        Broken(Rounds, "the gradient is zero everywhere"),
        Broken(DividesByNorm, "the gradient is .*(nan|inf)"),
    ],
    layers.trains_alike_compiled_or_not: [
        compiled_only(BranchesInPython, UNKNOWN_VALUES),
        compiled_only(CountsInPython, "the losses differ in mode"),
        Broken(LogOfNegative, "the losses are .*nan"),
    ],
    layers.computes_in_mixed_precision: [
        Broken(NoiseInSinglePrecision, "the output is float32"),
        Broken(MasksByHugeNumber, "the output is not finite"),
        Broken(WeightsInHalfPrecision, "the weights are .*float16"),
    ],
    layers.repeats_itself_by_its_seed: [
        Broken(DrawsByNumPy, "two layers with one seed differ"),
        Broken(DrawsTheSame, "all calls draw the same"),
    ],
    layers.takes_integers_as_floats: [
        Broken(CutsOffItsNoise, "integers and the same floats differ by"),
    ],
    layers.reloads: [
        Broken(ActsByDefault, "`predict` and a call differ"),
        Broken(WeightsInNumPy, "the reloaded model predicts otherwise"),
        Broken(ForgetsStddev, "predicts otherwise", {"stddev": 2.0}),
    ],
    layers.quantizes: [
        Broken(MultipliesCodes, "quantized to int8, the model is .*% off"),
    ],
    layers.serves_several_threads: [
        Broken(HoldsItsInput, "of 20 answers to four threads are wrong"),
    ],
    layers.exports: [
        Broken(TakesGraphsForTraining, "the exported model predicts otherwise"),
    ],
}

"""Classes as a user writes them, without this package's help where they can.

They keep every promise; the broken classes change one thing of them each.
"""

import copy
import numbers

import keras
import numpy as np

from keras_regopt.augmentation import ImageAugmentation
from keras_regopt.callbacks import StoppingCriterion
from keras_regopt.optimizers.transformations._transformation import (
    GradientTransformation,
)

register = keras.saving.register_keras_serializable("own")


def number(name, value, low=0):
    """Refuses what is no number of at least `low`."""
    if not isinstance(value, numbers.Real) or value < low:
        raise ValueError(
            f"`{name}` must be a number >= {low}. Received: {name}={value!r}"
        )
    return value


@register
class Momentum(keras.optimizers.Optimizer):
    """Gradient descent with momentum.

    Args:
        learning_rate: A number or a schedule.
        momentum: Part of the last step that is made again.
        **kwargs: Keras' arguments of every optimizer.
    """

    def __init__(self, learning_rate=0.01, momentum=0.5, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.momentum = number("momentum", momentum)

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.steps = self.add_optimizer_variables(variables, "step")

    def update_step(self, gradient, variable, learning_rate):
        step = self.steps[self._get_variable_index(variable)]
        rate = keras.ops.cast(learning_rate, variable.dtype)
        move = self.direction(keras.ops.cast(gradient, variable.dtype))
        self.assign(step, step * self.momentum - rate * move)
        self.assign_add(variable, step)

    def direction(self, gradient):
        return gradient

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum}


@register
class SquaredWeights(keras.regularizers.Regularizer):
    """The sum of the squares.

    Args:
        rate: Strength of the penalty.
    """

    def __init__(self, rate=0.01):
        self.rate = number("rate", rate)

    def __call__(self, x):
        x = keras.ops.cast(x, "float32")
        return self.rate * keras.ops.sum(keras.ops.square(x))

    def get_config(self):
        return {"rate": self.rate}


@register
class Capped(keras.constraints.Constraint):
    """Keeps every weight between two bounds.

    Args:
        limit: The largest absolute value.
    """

    def __init__(self, limit=1.0):
        self.limit = number("limit", limit)

    def __call__(self, w):
        return keras.ops.clip(w, -self.limit, self.limit)

    def get_config(self):
        return {"limit": self.limit}


@register
class InverseDecay(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that falls like the inverse of the step.

    Args:
        rate: The first rate.
        half: The step at which half of it is left.
    """

    def __init__(self, rate=0.1, half=10):
        self.rate = number("rate", rate)
        self.half = number("half", half, low=1)

    def __call__(self, step):
        return self.rate / (1 + keras.ops.cast(step, "float32") / self.half)

    def get_config(self):
        return {"rate": self.rate, "half": self.half}


@register
class Damping(GradientTransformation):
    """Makes the gradients smaller.

    Args:
        factor: What they are multiplied with.
    """

    def __init__(self, factor=0.5):
        self.factor = number("factor", factor)

    def transform_gradients(self, gradients, variables, step, state):
        return [self.act(gradient) for gradient in gradients]

    def act(self, gradient):
        return gradient * self.factor


@register
class AdditiveNoise(keras.layers.Layer):
    """Adds noise in training.

    Args:
        stddev: Standard deviation of the noise.
        seed: Integer that makes the draws repeatable, or `None`.
        **kwargs: Keras' arguments of every layer.
    """

    def __init__(self, stddev=0.1, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.stddev = number("stddev", stddev)
        self.seed = None if seed is None else number("seed", seed)
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    def call(self, inputs, training=False):
        if not training:
            return inputs
        return inputs + self.noise(inputs) * self.stddev

    def noise(self, inputs):
        return keras.random.normal(
            keras.ops.shape(inputs),
            dtype=inputs.dtype,
            seed=self.seed_generator,
        )

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "stddev": self.stddev,
            "seed": self.seed,
        }


@register
class RandomShade(ImageAugmentation):
    """Makes images darker, each by an amount of its own.

    Args:
        most: The part of the light that can be lost, from 0 to 1.
        seed: Integer that makes the draws repeatable, or `None`.
        **kwargs: The arguments of every image augmentation.
    """

    def __init__(self, most=0.5, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.most = number("most", most)

    def sample(self, shape, seed):
        (loss,) = self.uniforms(1, shape[0], seed)
        return {"loss": loss * self.most}

    def apply(self, inputs, parameters):
        return inputs * (1 - parameters["loss"][:, None, None, None])


@register
class MeanMiss(keras.metrics.Metric):
    """The mean distance of predictions and targets, each up to a limit.

    Args:
        limit: The distance from which on all count the same.
        **kwargs: Keras' arguments of every metric.
    """

    def __init__(self, limit=10.0, **kwargs):
        super().__init__(**kwargs)
        self.limit = number("limit", limit)
        self.total = self.add_variable((), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, y_true, y_pred, sample_weight=None):
        misses = self.misses(y_true, y_pred)
        weights = keras.ops.ones_like(misses)
        if sample_weight is not None:
            weights = self.weights(weights, sample_weight)
        self.add(misses * weights, weights)

    def misses(self, y_true, y_pred):
        y_true, y_pred = (
            keras.ops.cast(y, "float32") for y in (y_true, y_pred)
        )
        misses = keras.ops.minimum(keras.ops.abs(y_true - y_pred), self.limit)
        return keras.ops.mean(misses, axis=-1)

    def weights(self, ones, sample_weight):
        return ones * keras.ops.reshape(sample_weight, (-1,))

    def add(self, misses, weights):
        self.total.assign_add(keras.ops.sum(misses))
        self.count.assign_add(keras.ops.sum(weights))

    def result(self):
        return keras.ops.divide_no_nan(self.total, self.count)

    def get_config(self):
        return {**super().get_config(), "limit": self.limit}


@register
class LossKeeper(keras.callbacks.Callback):
    """Keeps the losses of the last epochs.

    Args:
        most: How many losses are kept.
    """

    def __init__(self, most=5):
        super().__init__()
        self.most = number("most", most, low=1)
        self.losses = []
        self.restored = False

    def on_train_begin(self, logs=None):
        if not self.restored:
            self.losses.clear()
        self.restored = False

    def on_epoch_end(self, epoch, logs=None):
        self.losses.append(self.value(logs["loss"]))
        del self.losses[: -self.most]

    def value(self, loss):
        return float(np.asarray(loss))

    def state(self):
        return {"losses": copy.deepcopy(self.losses)}

    def restore(self, state):
        self.losses = copy.deepcopy(state["losses"])
        self.restored = True

    def get_config(self):
        return {"most": self.most}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


@register
class WorseThanBefore(StoppingCriterion):
    """Stops at the first loss that is worse than the one before.

    Args:
        by: By how much it must be worse.
    """

    def __init__(self, by=0.5):
        self.by = number("by", by)

    def start(self):
        return {"before": None}

    def stops(self, state, loss, training_loss):
        if loss is None:
            return False
        before, state["before"] = state["before"], loss
        return before is not None and loss > before + self.by

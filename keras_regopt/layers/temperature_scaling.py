from typing import Any

import numpy as np
from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import boolean, fail, in_range
from keras_regopt.layers._base import Layer

# Beyond these, the data say that the model knows nothing, or all.
_LOW, _HIGH = 1e-2, 1e2


@register
class TemperatureScaling(Layer):
    """Divides logits by a temperature, so that probabilities are frequencies.

    Networks that are trained to the end are often too sure. One number, found
    on dev data after the training, corrects that: the outputs become

        logits / temperature

    or, of probabilities, `softmax(log(probabilities) / temperature)`. It
    changes no decision: the largest output stays the largest. Put it behind
    the trained model, call `calibrate` with what the model predicts for dev
    data, and save both as one model. The temperature is a weight that no
    gradient changes.

    Args:
        temperature: What the logits are divided by before `calibrate` was
            called, a number > 0. Defaults to `1.0`.
        from_logits: Whether the inputs are logits; else they are
            probabilities: of several classes along the last axis, or of one
            class where that has one entry. Defaults to `True`.
        **kwargs: Keras' arguments of every layer, such as `name`.

    Input shape:
        Any, with the classes along the last axis.

    Output shape:
        As the input.

    Raises:
        ValueError: If an argument is out of its range.

    Examples:
        >>> layer = TemperatureScaling()
        >>> logits = np.array([[8.0, 0.0], [8.0, 0.0], [8.0, 0.0], [8.0, 0.0]])
        >>> round(layer.calibrate(logits, np.array([0, 0, 0, 1])), 2)
        7.28
        >>> [round(float(v), 2) for v in layer(logits)[0]]
        [1.1, 0.0]

    References:
        Guo, Pleiss, Sun and Weinberger 2017, On calibration of modern neural
        networks (arXiv 1706.04599).
    """

    passes_channels = True

    def __init__(
        self,
        temperature: float = 1.0,
        from_logits: bool = True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.temperature = in_range(self, "temperature", temperature, above=0)
        self.from_logits = boolean(self, "from_logits", from_logits)
        self.supports_masking = True

    def build(self, input_shape):
        self.scale = self.add_weight(
            name="temperature",
            shape=(),
            initializer=lambda shape, dtype: ops.full(
                shape, self.temperature, dtype=dtype
            ),
            trainable=False,
            autocast=False,
        )
        super().build(input_shape)

    def calibrate(self, outputs: Any, targets: Any) -> float:
        """Sets the temperature to that of the largest likelihood.

        Args:
            outputs: What the model predicts for dev data, as the layer takes
                them, with two axes.
            targets: The classes of the rows: integers, one-hot rows, or 0
                and 1.

        Returns:
            The temperature, between 0.01 and 100, as a Python float.

        Raises:
            ValueError: If the two do not fit together.
        """
        from scipy.optimize import minimize_scalar

        owner = f"{type(self).__name__}.calibrate"
        logits = _logits(owner, outputs, self.from_logits)
        classes = _classes(owner, targets, logits)

        def loss(log_temperature):
            scaled = logits / np.exp(log_temperature)
            top = scaled.max(axis=1)
            total = np.log(np.exp(scaled - top[:, None]).sum(axis=1)) + top
            return (total - scaled[np.arange(len(scaled)), classes]).mean()

        found = minimize_scalar(
            loss,
            bounds=(np.log(_LOW), np.log(_HIGH)),
            method="bounded",
            options={"xatol": 1e-6},
        )
        if not self.built:
            self.build((None, *np.shape(outputs)[1:]))
        value = float(np.exp(found.x))
        self.scale.assign(value)
        return value

    def call(self, inputs):
        x = ops.cast(inputs, "float32")
        scale = ops.cast(self.scale, "float32")
        if self.from_logits:
            return ops.cast(x / scale, self.compute_dtype)
        x = ops.clip(x, 1e-7, 1.0)
        if inputs.shape[-1] == 1:
            odds = ops.log(x) - ops.log(ops.maximum(1.0 - x, 1e-7))
            scaled = ops.sigmoid(odds / scale)
        else:
            scaled = ops.softmax(ops.log(x) / scale, axis=-1)
        return ops.cast(scaled, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape


def _logits(owner, outputs, from_logits):
    """Outputs as logits of two classes or more."""
    if ops.is_tensor(outputs):
        outputs = ops.convert_to_numpy(outputs)
    x = np.asarray(outputs, "float64")
    if x.ndim != 2 or not len(x) or not np.isfinite(x).all():
        fail(owner, "outputs", "finite numbers with two axes", x.shape)
    if not from_logits:
        if x.min() < 0 or x.max() > 1:
            allowed = "probabilities, as the layer has from_logits=False"
            fail(owner, "outputs", allowed, f"{x.min():.3g} to {x.max():.3g}")
        x = np.clip(x, 1e-7, 1)
        one = np.log(x) - np.log(np.maximum(1 - x, 1e-7))
        x = one if x.shape[1] == 1 else np.log(x)
    if x.shape[1] == 1:
        x = np.concatenate([np.zeros_like(x), x], axis=1)
    return x


def _classes(owner, targets, logits):
    if ops.is_tensor(targets):
        targets = ops.convert_to_numpy(targets)
    y = np.asarray(targets)
    if y.ndim == 2 and y.shape[1] > 1 and y.shape == logits.shape:
        y = y.argmax(axis=1)
    y = y.reshape(len(y), -1) if y.ndim else y.reshape(0, 1)
    allowed = (
        f"{len(logits)} classes from 0 to {logits.shape[1] - 1}, or one-hot "
        "rows"
    )
    if y.shape != (len(logits), 1):
        fail(owner, "targets", allowed, f"array of shape {np.shape(targets)}")
    y = y[:, 0]
    if (y != np.floor(y)).any() or y.min() < 0 or y.max() >= logits.shape[1]:
        fail(owner, "targets", allowed, f"{y.min()} to {y.max()}")
    return y.astype(int)

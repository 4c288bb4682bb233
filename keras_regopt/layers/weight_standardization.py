from collections.abc import Sequence

import keras
from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import in_range
from keras_regopt.layers._replaced_weights import (
    find_weights,
    fold_at_quantization,
    names_of_weights,
    quantization_of,
    replaced,
    value_of,
)
from keras_regopt.layers._wrapper import Wrapper

_DEPTHWISE = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)
_TRANSPOSED = (
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)


@register
class WeightStandardization(Wrapper):
    """Standardizes the incoming weights of each unit: mean 0, variance 1.

    Smooths the loss as batch normalization does, without a look at the batch:
    use it around convolutions that `GroupNormalization` follows, where batches
    are small. In each call, the weights `w` that enter a unit or filter are

        (w - mean(w)) / sqrt(variance(w) + epsilon)

    and gradients flow through this to the weights themselves. Biases stay as
    they are. It is the same in training and at inference.

    Args:
        layer: The layer whose weights are standardized: any `Dense` or
            convolution of Keras, or a layer or model that holds such.
        target: Name of the weights, or a list of names. All weights of that
            name count, those of layers within `layer` too. Defaults to
            `"kernel"`.
        epsilon: Number > 0 that is added to the variance. Defaults to `1e-6`.
        **kwargs: Keras' arguments of every layer, such as `name` and `dtype`.

    Input shape:
        As of `layer`.

    Output shape:
        As of `layer`.

    Raises:
        ValueError: If `layer` has no weight of a name in `target`, once it is
            built.

    Examples:
        >>> layer = WeightStandardization(keras.layers.Conv2D(8, 3))
        >>> layer(np.ones((2, 6, 6, 3), "float32")).shape == (2, 4, 4, 8)
        True

    References:
        Qiao et al. 2019, Micro-batch training with batch-channel normalization
        and weight standardization (arXiv 1903.10520); timm's `StdConv2d`, which
        adds the same `epsilon` to the variance.
    """

    def __init__(
        self,
        layer: keras.layers.Layer,
        target: str | Sequence[str] = "kernel",
        epsilon: float = 1e-6,
        **kwargs,
    ):
        super().__init__(layer, **kwargs)
        self.target = names_of_weights(self, target)
        self.epsilon = in_range(self, "epsilon", epsilon, above=0)

    def build(self, input_shape):
        super().build(input_shape)
        self._refs = find_weights(self, self.layer, self.target)
        fold_at_quantization(
            self, self._refs, lambda ref, _: self._standardized(ref)
        )

    def call(self, inputs, training=False, mask=None):
        # Quantized weights are standardized already.
        refs = [p for p in self._refs if quantization_of(p) is None]
        # No comprehension: TorchDynamo gets lost in it on the older Keras.
        weights = list(map(self._standardized, refs))
        with replaced(refs, weights):
            return self._call_layer(inputs, training, mask)

    def _standardized(self, ref):
        # In the weight's own precision: small variances need it.
        weight = value_of(ref, full_precision=True)
        axes = _incoming(ref.layer, len(weight.shape))
        mean, variance = ops.moments(weight, axes=axes, keepdims=True)
        return (weight - mean) * ops.rsqrt(variance + self.epsilon)


def _incoming(layer, rank):
    """The axes of a kernel along which the weights of one unit lie."""
    if isinstance(layer, _DEPTHWISE):
        return list(range(rank - 2))
    if isinstance(layer, _TRANSPOSED):
        return [*range(rank - 2), rank - 1]
    return list(range(rank - 1))

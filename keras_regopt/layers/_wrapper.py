import keras
from keras import ops

from keras_regopt._keras import takes_mask, takes_training
from keras_regopt._validate import instance_of
from keras_regopt.layers._base import Layer


class Wrapper(Layer, keras.layers.Wrapper):
    """Base of the layers that hold another layer.

    The layer within may be any Keras layer of one input, a model too. Unless
    told otherwise, the wrapper has its precision. Masks go through it as the
    layer within lets them.

    Args:
        layer: The layer within.
        **kwargs: Keras' arguments of every layer, such as `name` and `dtype`.

    Raises:
        ValueError: If `layer` is no Keras layer.
    """

    def __init__(self, layer: keras.layers.Layer, **kwargs):
        instance_of(self, "layer", layer, keras.layers.Layer, "a Keras layer")
        kwargs.setdefault("dtype", layer.dtype_policy)
        super().__init__(layer, **kwargs)
        self.supports_masking = layer.supports_masking
        self.supports_jit = layer.supports_jit
        self.input_spec = layer.input_spec

    def call(self, inputs, training=False, mask=None):
        return self._call_layer(inputs, training, mask)

    def _call_layer(self, inputs, training, mask):
        """What the layer within gives, in the precision of the wrapper."""
        arguments = {}
        if takes_training(self.layer):
            arguments["training"] = training
        if takes_mask(self.layer) and mask is not None:
            arguments["mask"] = mask
        outputs = self.layer(inputs, **arguments)
        return keras.tree.map_structure(self._cast, outputs)

    def _cast(self, x):
        if keras.backend.is_float_dtype(x.dtype):
            return ops.cast(x, self.compute_dtype)
        return x

    def compute_mask(self, inputs, mask=None):
        return self.layer.compute_mask(inputs, mask)

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def compute_output_spec(self, inputs, training=False, mask=None):
        # Not by the shape: not every layer tells what it will be.
        specs = self.layer.compute_output_spec(inputs)
        return keras.tree.map_structure(self._cast_spec, specs)

    def _cast_spec(self, spec):
        is_float = keras.backend.is_float_dtype(spec.dtype)
        dtype = self.compute_dtype if is_float else spec.dtype
        return keras.KerasTensor(spec.shape, dtype)

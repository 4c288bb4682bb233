from keras_regopt._registry import register
from keras_regopt.augmentation.image._base import ImageAugmentation


@register
class RandomChannelShuffle(ImageAugmentation):
    """Puts the channels of each image into another order.

    Makes a model indifferent to which color is which, but keeps colors apart
    where a grey image would lose them. All orders are equally likely, the old
    one among them, which of three channels stays in one image of six. Labels,
    boxes and masks do not change.

    Args:
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that an order is drawn at all) and
            `data_format`, and `name` and `dtype` of a Keras layer.

    Input shape:
        `(height, width, channels)` or `(batch, height, width, channels)`, or
        with the channels first, or a dict; see `ImageAugmentation`.

    Output shape:
        That of the inputs.

    Examples:
        >>> layer = RandomChannelShuffle()
        >>> image = np.array([[[10, 20, 30]]], "uint8")
        >>> sorted(keras.ops.convert_to_numpy(layer(image)).ravel().tolist())
        [10, 20, 30]

    References:
        Buslaev et al. 2020, Albumentations: fast and flexible image
        augmentations.
    """

    # Values are only moved.
    computes_in_floats = False

    def __init__(self, seed: int | None = None, **kwargs):
        super().__init__(seed=seed, **kwargs)

    def sample(self, shape, seed):
        batch, _, _, channels = shape
        draws = self.random.uniform(
            (batch, channels), dtype="float32", seed=seed
        )
        return {"order": self.ops.argsort(draws, axis=-1)}

    def apply(self, inputs, parameters):
        ops = self.ops
        order = ops.cast(parameters["order"], "int32")[:, None, None]
        order = ops.broadcast_to(order, ops.shape(inputs))
        return ops.take_along_axis(inputs, order, axis=-1)

"""The base of layers that change every value by itself."""

from keras_regopt._validate import value_range as checked_range
from keras_regopt.augmentation.image._base import ImageAugmentation
from keras_regopt.augmentation.image._values import as_floats, in_dtype_of
from keras_regopt.augmentation.image.functional._tables import (
    are_bytes,
    from_levels,
    lookup,
    table_of,
    to_levels,
)


class PointwiseAugmentation(ImageAugmentation):
    """Changes every value of an image by itself.

    A subclass writes `sample`, and `change(levels, parameters)`, which takes
    and returns levels: floats from 0 to 255, whatever the images hold.

    Args:
        value_range: The pair of the lowest and the highest value that a
            pixel can have.
        **kwargs: Arguments of `ImageAugmentation`.
    """

    # `apply` goes back to bytes by itself.
    computes_in_floats = False

    # Whether `change` costs more than to look its results up in a table of
    # all levels, where there are no more than 256.
    is_costly = False

    def __init__(self, *, value_range: tuple[float, float], **kwargs):
        super().__init__(**kwargs)
        self.value_range = checked_range(self, value_range)

    def sample(self, shape, seed):
        # By default there is nothing to draw but which images change.
        return {}

    def change(self, levels, parameters):
        """What becomes of the levels of a batch.

        Args:
            levels: Float tensor of shape `(batch, height, width, channels)`.
            parameters: What `sample` returned.

        Returns:
            A float tensor of the same shape.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must write "
            "`change(self, levels, parameters)`."
        )

    def apply(self, inputs, parameters):
        if self.is_costly and are_bytes(inputs, self.value_range):
            table = table_of(lambda levels: self.change(levels, parameters))
            return lookup(inputs, table)
        levels = to_levels(as_floats(inputs), self.value_range)
        values = from_levels(self.change(levels, parameters), self.value_range)
        return in_dtype_of(values, inputs, self.value_range)

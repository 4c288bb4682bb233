import math

from keras import ops

from keras_regopt._axes import axes_within
from keras_regopt._registry import register
from keras_regopt._validate import fail, positive_int
from keras_regopt.layers._batch_normalization import BatchNormalization


@register
class GhostBatchNormalization(BatchNormalization):
    """Batch normalization over parts of a batch, as if batches were small.

    The noise in the statistics of small batches regularizes, and is lost in
    large ones. So in training, a batch is normalized in parts of
    `ghost_batch_size` examples, one after the other as they come:

        y = gamma * (x - mean_part) / sqrt(variance_part + epsilon) + beta,

    and the moving statistics move as if each part had been a batch by itself.
    What is left over joins the last part. Inference is that of
    `BatchNormalization`, whose weights it has.

    Args:
        ghost_batch_size: Number of examples that are normalized together, at
            least 1. Defaults to `32`.
        **kwargs: The arguments of `keras.layers.BatchNormalization`, such as
            `axis`, `momentum` and `epsilon`, but for `renorm` and
            `synchronized`. Since the statistics move once a part, a `momentum`
            nearer to 1 goes with many parts.

    Input shape:
        Any, with the examples on the first axis and the features on `axis`.

    Output shape:
        As the input.

    Raises:
        ValueError: If an argument is out of its range.

    Examples:
        >>> layer = GhostBatchNormalization(2, center=False, scale=False)
        >>> x = np.array([[1.0], [3.0], [10.0], [30.0]])
        >>> y = layer(x, training=True)
        >>> [round(float(v)) for v in y[:, 0]]
        [-1, 1, -1, 1]

    References:
        Hoffer, Hubara and Soudry 2017, Train longer, generalize better: closing
        the generalization gap in large batch training of neural networks,
        algorithm 1 (arXiv 1705.08741).
    """

    def __init__(self, ghost_batch_size: int = 32, **kwargs):
        super().__init__(**kwargs)
        self.ghost_batch_size = positive_int(
            self, "ghost_batch_size", ghost_batch_size
        )
        if self.synchronized:
            fail(
                self,
                "synchronized",
                "False, since it normalizes parts of what one device has",
                True,
            )

    def build(self, input_shape):
        axes_within(self, "axis", self.axis, input_shape, first=1)
        super().build(input_shape)

    def normalize(self, x, mask):
        part, parts = self._parts(x)
        # One where two examples share a part. No shape depends on how many
        # parts there are, so that all of this compiles.
        together = ops.cast(ops.equal(part[:, None], part[None]), x.dtype)
        examples = ops.sum(together, axis=1)
        within = [i for i in self._reduction_axes if i != 0]
        if mask is None:
            entries = math.prod(ops.shape(x)[i] for i in within)
            counts = (examples * ops.cast(entries, x.dtype))[:, None]
            inside = None
        else:
            inside = ops.cast(ops.expand_dims(mask, -1), x.dtype)
            inside = ops.broadcast_to(inside, ops.shape(x))
            counts = ops.matmul(together, ops.sum(inside, axis=within))
            counts = ops.maximum(counts, 1.0)

        def mean_of_part(values):
            if inside is not None:
                values = values * inside
            return ops.matmul(together, ops.sum(values, axis=within)) / counts

        mean = mean_of_part(x)
        centered = x - self._spread(mean)
        variance = mean_of_part(ops.square(centered))

        # The parts come one after the other.
        left = self.momentum ** ops.cast(parts, x.dtype)
        share = self.momentum ** ops.cast(parts - 1 - part, x.dtype)
        share = (share * (1 - self.momentum) / examples)[None]
        for moving, values in (
            (self.moving_mean, mean),
            (self.moving_variance, variance),
        ):
            moved = ops.cast(moving, x.dtype) * left
            moving.assign(moved + ops.matmul(share, values)[0])

        scale = ops.rsqrt(variance + self.epsilon)
        if self.scale:
            scale = scale * ops.cast(self.gamma, x.dtype)
        outputs = centered * self._spread(scale)
        if self.center:
            beta = ops.cast(self.beta, x.dtype)
            outputs = outputs + self._spread(beta[None])
        return outputs

    def _parts(self, x):
        """The number of the part of each example, and how many parts."""
        count = ops.shape(x)[0]
        parts = ops.maximum(count // self.ghost_batch_size, 1)
        number = ops.arange(count, dtype="int32") // self.ghost_batch_size
        return ops.minimum(number, parts - 1), parts

    def _spread(self, values):
        """Numbers for each example and feature, over the shape of the input."""
        shape = [1] * self.input_spec.ndim
        shape[0], shape[self.axis] = -1, values.shape[-1]
        return ops.reshape(values, shape)

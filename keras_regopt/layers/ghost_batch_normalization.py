import math

from keras import ops

from keras_regopt._axes import axes_within
from keras_regopt._registry import register
from keras_regopt._validate import fail, positive_int
from keras_regopt.layers._batch_normalization import BatchNormalization


@register
class GhostBatchNormalization(BatchNormalization):
    """Batch normalization over ghost batches, as if batches were small.

    The noise in the statistics of small batches regularizes, and is lost in
    large ones. So in training, a batch is split in order into ghost batches of
    `ghost_batch_size` examples, and each is normalized by itself:

        y = gamma * (x - mean_ghost) / sqrt(variance_ghost + epsilon) + beta.

    The moving statistics move as if each had been a batch of its own. Examples
    that are left over join the last one. Inference is that of
    `BatchNormalization`, whose weights it has.

    Args:
        ghost_batch_size: Number of examples that are normalized together, at
            least 1. Defaults to `32`.
        **kwargs: The arguments of `keras.layers.BatchNormalization`, such as
            `axis`, `momentum` and `epsilon`, but for `renorm` and
            `synchronized`. Since the statistics move once a ghost batch, many
            of them need a `momentum` nearer to 1.

    Input shape:
        Any, with the examples on the first axis and the features on `axis`.

    Output shape:
        As the input.

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
                "False, since it normalizes ghost batches of one device",
                True,
            )

    def build(self, input_shape):
        axes_within(self, "axis", self.axis, input_shape, first=1)
        super().build(input_shape)

    def normalize(self, x, mask):
        ghost, ghosts = self._ghost_batches(x)
        # One where two examples are of one ghost batch. No shape depends on
        # how many there are, so that all of this compiles.
        together = ops.cast(ops.equal(ghost[:, None], ghost[None]), x.dtype)
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

        def mean_of_ghost(values):
            if inside is not None:
                values = values * inside
            return ops.matmul(together, ops.sum(values, axis=within)) / counts

        mean = mean_of_ghost(x)
        centered = x - self._broadcast(mean)
        variance = mean_of_ghost(ops.square(centered))

        # As if the ghost batches came one after the other.
        left = self.momentum ** ops.cast(ghosts, x.dtype)
        weight = self.momentum ** ops.cast(ghosts - 1 - ghost, x.dtype)
        weight = (weight * (1 - self.momentum) / examples)[None]
        for moving, values in (
            (self.moving_mean, mean),
            (self.moving_variance, variance),
        ):
            moved = ops.cast(moving, x.dtype) * left
            moving.assign(moved + ops.matmul(weight, values)[0])

        scale = ops.rsqrt(variance + self.epsilon)
        if self.scale:
            scale = scale * ops.cast(self.gamma, x.dtype)
        outputs = centered * self._broadcast(scale)
        if self.center:
            beta = ops.cast(self.beta, x.dtype)
            outputs = outputs + self._broadcast(beta[None])
        return outputs

    def _ghost_batches(self, x):
        """The index of each example's ghost batch, and how many there are."""
        count = ops.shape(x)[0]
        ghosts = ops.maximum(count // self.ghost_batch_size, 1)
        index = ops.arange(count, dtype="int32") // self.ghost_batch_size
        return ops.minimum(index, ghosts - 1), ghosts

    def _broadcast(self, values):
        """Numbers for each example and feature, in a shape like the input's."""
        shape = [1] * self.input_spec.ndim
        shape[0], shape[self.axis] = -1, values.shape[-1]
        return ops.reshape(values, shape)

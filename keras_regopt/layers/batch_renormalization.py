from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import in_range, integer
from keras_regopt.layers._batch_normalization import BatchNormalization


@register
class BatchRenormalization(BatchNormalization):
    """Batch normalization that is nearly the same in training and inference.

    Batch normalization trains with the statistics of each batch, and infers
    with moving ones: a network that is trained on small batches, or on
    batches of related examples, sees other statistics than in training.
    Here the batch's statistics are corrected towards the moving ones:

        r = clip(s_batch / s, 1 / r_max, r_max)
        d = clip((m_batch - m) / s, -d_max, d_max)
        y = gamma * ((x - m_batch) / s_batch * r + d) + beta

    with the mean `m` and the standard deviation `s`; `r` and `d` count as
    constants in the gradient. `r_max = 1` and `d_max = 0` is batch
    normalization, from which the bounds open in the course of training. At
    inference, `y = gamma * (x - m) / s + beta`.

    Unlike Keras' `BatchNormalization(renorm=True)`, it has these growing bounds
    and one set of moving statistics, as in the paper. The weights are those of
    `BatchNormalization` and a counter, with the averaged standard deviation as
    `moving_variance`, so that either can go on with the other's.

    Args:
        r_max: Bound of the scale's correction, a number >= 1. Defaults to
            `3.0`.
        d_max: Bound of the shift's correction, a number >= 0. Defaults to
            `5.0`.
        warmup_steps: Number of train steps of plain batch normalization at
            the start, an integer >= 0. Defaults to `1000`.
        ramp_steps: Number of steps after these, in which the bounds grow
            linearly from no correction, an integer >= 0. Defaults to `5000`.
        **kwargs: The arguments of `keras.layers.BatchNormalization`, such as
            `axis`, `momentum` and `epsilon`, but for `renorm`.

    Input shape:
        Any, with the features on `axis`.

    Output shape:
        As the input.

    Examples:
        >>> layer = BatchRenormalization(r_max=3.0, d_max=5.0)
        >>> layer(np.ones((8, 4)), training=True).shape == (8, 4)
        True

    References:
        Ioffe 2017, Batch renormalization: towards reducing minibatch dependence
        in batch-normalized models, algorithm 1 (arXiv 1702.03275). The paper
        trains 5,000 steps of plain batch normalization, lets `d_max` grow until
        step 25,000 and `r_max` until 40,000.
    """

    def __init__(
        self,
        r_max: float = 3.0,
        d_max: float = 5.0,
        warmup_steps: int = 1000,
        ramp_steps: int = 5000,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.r_max = in_range(self, "r_max", r_max, low=1)
        self.d_max = in_range(self, "d_max", d_max, low=0)
        self.warmup_steps = integer(self, "warmup_steps", warmup_steps, low=0)
        self.ramp_steps = integer(self, "ramp_steps", ramp_steps, low=0)

    def build(self, input_shape):
        super().build(input_shape)
        self.step = self.add_weight(
            name="step",
            shape=(),
            dtype="int32",
            initializer="zeros",
            trainable=False,
        )

    def normalize(self, x, mask):
        mean, variance = self._moments(x, mask)
        stddev = ops.sqrt(variance + self.epsilon)
        moving_mean = ops.cast(self.moving_mean, x.dtype)
        moving_stddev = ops.sqrt(
            ops.cast(self.moving_variance, x.dtype) + self.epsilon
        )

        r_max, d_max = self._bounds(x.dtype)
        r = ops.clip(stddev / moving_stddev, 1 / r_max, r_max)
        d = ops.clip((mean - moving_mean) / moving_stddev, -d_max, d_max)
        r, d = ops.stop_gradient(r), ops.stop_gradient(d)
        gamma = ops.cast(self.gamma, x.dtype) if self.scale else 1.0
        beta = ops.cast(self.beta, x.dtype) if self.center else 0.0

        step = 1 - self.momentum
        moving_stddev = moving_stddev + step * (stddev - moving_stddev)
        self.moving_mean.assign(moving_mean + step * (mean - moving_mean))
        # Rounding must not take it below zero.
        self.moving_variance.assign(
            ops.maximum(ops.square(moving_stddev) - self.epsilon, 0.0)
        )
        self.step.assign(self.step + 1)
        return ops.batch_normalization(
            x=x,
            mean=mean,
            variance=variance,
            axis=self.axis,
            offset=d * gamma + beta,
            scale=r * gamma,
            epsilon=self.epsilon,
        )

    def _bounds(self, dtype):
        """The bounds of this step."""
        step = ops.cast(self.step, dtype) - self.warmup_steps
        if self.ramp_steps:
            opened = ops.clip(step / self.ramp_steps, 0.0, 1.0)
        else:
            opened = ops.cast(step >= 0, dtype)
        return 1 + opened * (self.r_max - 1), opened * self.d_max

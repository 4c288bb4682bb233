import keras
from keras import ops

from keras_regopt._precision import at_least_single
from keras_regopt._registry import register
from keras_regopt._validate import instance_of
from keras_regopt.regularizers._stateful import StatefulRegularizer


@register
class Scheduled(StatefulRegularizer):
    """Another penalty, whose strength follows a schedule.

    The penalty on a weight is

        schedule(step) * regularizer(w).

    So the schedule gives the strength itself if that of the regularizer is 1,
    as in `Scheduled(L2(1.0), schedule)`. `step` counts how often the gradient
    of this penalty was taken: the steps of training, from 0; each micro-step
    of an accumulation and both gradients of SAM count. Evaluation uses the
    strength of the next step and does not count. The count is compiled into
    the train step and saved with the model, so that training goes on where it
    was. To change the strength of an object that is in use, without this class,
    see `keras_regopt.callbacks.HyperparameterSchedule`.

    Args:
        regularizer: The penalty, a Keras regularizer.
        schedule: A `LearningRateSchedule`, of `keras_regopt.schedules` or of
            Keras.

    Raises:
        ValueError: If `regularizer` or `schedule` is of another kind.

    Examples:
        >>> schedule = keras.optimizers.schedules.PiecewiseConstantDecay(
        ...     [100], [0.0, 0.1]
        ... )
        >>> penalty = Scheduled(keras.regularizers.L2(1.0), schedule)
        >>> layer = keras.layers.Dense(8, kernel_regularizer=penalty)
    """

    state_name = "step"
    state_dtype = "int"
    needs_its_state = True

    def __init__(
        self,
        regularizer: keras.regularizers.Regularizer,
        schedule: keras.optimizers.schedules.LearningRateSchedule,
    ):
        super().__init__()
        self.regularizer = instance_of(
            self,
            "regularizer",
            regularizer,
            keras.regularizers.Regularizer,
            "a Keras regularizer",
        )
        self.schedule = instance_of(
            self,
            "schedule",
            schedule,
            keras.optimizers.schedules.LearningRateSchedule,
            "a LearningRateSchedule",
            "For a strength that stays, use the regularizer alone.",
        )

    def state_shape(self, shape):
        return ()

    def initial_state(self, x):
        return ops.cast(0, self.state_dtype)

    def next_state(self, x, state):
        return state + 1

    def penalty(self, x, before, after):
        if not isinstance(self.regularizer, StatefulRegularizer):
            x = at_least_single(x)
        penalty = self.regularizer(x)
        return ops.cast(self.schedule(before), penalty.dtype) * penalty

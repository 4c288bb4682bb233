import keras

from keras_regopt._config import SignatureConfig
from keras_regopt._precision import at_least_single
from keras_regopt._roles import refuse_role


class Regularizer(SignatureConfig, keras.regularizers.Regularizer):
    """Base of the penalties: a subclass writes `__init__` and `penalty`.

    `penalty` takes a weight, or an activity, and returns a scalar tensor. It
    computes in single precision at least: sums of squares overflow in half
    precision, and Keras cannot add losses of different dtypes.
    """

    # Whether it makes sense as an `activity_regularizer` too.
    on_activities = True

    def __call__(self, x):
        """The penalty on a weight or an activity.

        Args:
            x: A tensor of any shape and float dtype.

        Returns:
            A scalar tensor, float64 for float64 and float32 otherwise.
        """
        refuse_role(self, x, is_for="regularizer")
        return self.penalty(at_least_single(x))

    def penalty(self, x):
        raise NotImplementedError(
            f"{type(self).__name__} must write `penalty(self, x)`."
        )

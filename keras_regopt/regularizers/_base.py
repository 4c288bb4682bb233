import keras
from keras import ops

from keras_regopt._config import SignatureConfig
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


def at_least_single(x):
    """A tensor in float32, or in float64 if it is in float64.

    Args:
        x: A tensor, a variable or an array.

    Returns:
        A tensor.
    """
    x = ops.convert_to_tensor(x)
    if keras.backend.standardize_dtype(x.dtype) != "float64":
        x = ops.cast(x, "float32")
    return x

import keras
from keras import ops

from keras_regopt._config import SignatureConfig


class Regularizer(SignatureConfig, keras.regularizers.Regularizer):
    """Base of the penalties: a subclass writes `__init__` and `penalty`.

    `penalty` takes a weight, or an activity, and returns a scalar tensor. It
    computes in single precision at least: sums of squares overflow in half
    precision, and Keras cannot add losses of different dtypes.
    """

    def __call__(self, x):
        """The penalty on a weight or an activity.

        Args:
            x: A tensor of any shape and float dtype.

        Returns:
            A scalar tensor, float64 for float64 and float32 otherwise.
        """
        x = ops.convert_to_tensor(x)
        if keras.backend.standardize_dtype(x.dtype) != "float64":
            x = ops.cast(x, "float32")
        return self.penalty(x)

    def penalty(self, x):
        raise NotImplementedError(
            f"{type(self).__name__} must write `penalty(self, x)`."
        )

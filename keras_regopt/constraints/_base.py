import keras
from keras import ops

from keras_regopt._config import SignatureConfig
from keras_regopt._precision import at_least_single
from keras_regopt._roles import refuse_role


class Constraint(SignatureConfig, keras.constraints.Constraint):
    """Base of the constraints: a subclass writes `__init__` and `project`.

    Keras calls a constraint on a weight after each step of the optimizer.
    `project` takes the weight and returns the constrained one. It computes in
    single precision at least, since norms overflow in half precision.
    """

    def __call__(self, w):
        """Constrains a weight.

        Args:
            w: A tensor of any shape and float dtype.

        Returns:
            A tensor of the same shape and dtype.
        """
        refuse_role(self, w, is_for="constraint")
        w = ops.convert_to_tensor(w)
        return ops.cast(self.project(at_least_single(w)), w.dtype)

    def project(self, w):
        raise NotImplementedError(
            f"{type(self).__name__} must write `project(self, w)`."
        )

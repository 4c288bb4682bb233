"""Numbers that replace attributes and that compiled steps read each time."""

import keras

from keras_regopt._keras import in_stateless_scope

REMEDY = (
    "Inside of a compiled step it cannot follow a schedule. Train in several "
    "fits with a number each, or put in the place of the layer one that "
    "computes with `keras.ops`."
)


class TracedNumber(keras.Variable):
    """A variable that passes for a Python number.

    Code that computes with it gets a tensor, and is compiled once for all
    values. Code that compares it in Python, as `if self.rate > 0`, gets the
    answer for the side of the bound that the value is on now; a value that
    lies on the bound counts as one inside of [0, 1]. A later value on the
    other side is refused.

    Args:
        label: What it stands for, for the errors.
        value: The first value, a Python number.
        dtype: The dtype of the variable.
    """

    def __init__(self, label, value, dtype):
        # Before Keras' constructor, which may ask for the value.
        self.label = label
        self.number = value
        self.reads = 0
        self._sides = {}
        super().__init__(
            value, dtype=dtype, trainable=False, name="hyperparameter"
        )

    @property
    def value(self):
        # JAX's trainer reads all variables, though not in this scope.
        if keras.backend.backend() != "jax" or in_stateless_scope():
            self.reads += 1
        return super().value

    def move_to(self, number):
        """Takes a number as the next value, without assigning it.

        Args:
            number: A Python number.

        Raises:
            ValueError: If Python code has taken a branch that is wrong for it.
        """
        for bound, above in self._sides.items():
            if number != bound and (number > bound) != above:
                raise ValueError(
                    f"The schedule of {self.label} goes from {self.number} to "
                    f"{number}, past {bound}, at which its code "
                    f"takes another branch. {REMEDY}"
                )
        self.number = number

    def _is_above(self, bound):
        self.reads += 1
        bound = float(bound)
        above = self.number > bound
        if self.number == bound:
            above = bound <= 0
        return self._sides.setdefault(bound, above)

    def __gt__(self, bound):
        return self._is_above(bound)

    def __ge__(self, bound):
        return self._is_above(bound)

    def __lt__(self, bound):
        return not self._is_above(bound)

    def __le__(self, bound):
        return not self._is_above(bound)

    def __eq__(self, other):
        return self is other

    def __ne__(self, other):
        return self is not other

    def __bool__(self):
        return True

    def __hash__(self):
        return id(self)

    def __float__(self):
        raise TypeError(
            f"The code of {self.label} asks for a Python number. {REMEDY}"
        )

    __int__ = __index__ = __array__ = __float__

    # TensorFlow's own functions look at a tensor more closely.
    def __tf_tensor__(self, dtype=None, name=None):
        import tensorflow as tf

        value = tf.convert_to_tensor(self.value)
        return value if dtype is None else tf.cast(value, dtype)

    def get_shape(self):
        return self.shape

    @property
    def dtype(self):
        dtype = super().dtype
        if keras.backend.backend() != "tensorflow":
            return dtype
        import tensorflow as tf

        return tf.as_dtype(dtype)

"""How a broken class is listed, with what must be said of it."""

import typing

import keras

register = keras.saving.register_keras_serializable("broken")


class Broken(typing.NamedTuple):
    """A class that breaks one promise.

    Args:
        cls: The class. Its docstring says what is wrong with it.
        says: A regular expression that finds what is wrong in the message.
        arguments: What the constructor needs, as a dict.
        backends: The backends on which it can go wrong, in one string.
    """

    cls: type
    says: str
    arguments: dict = {}
    backends: str = "tensorflow jax torch"

    def skip_reason(self):
        fault = " ".join(self.cls.__doc__.split())
        return f"goes wrong only on {self.backends}: {fault}"


# What TensorFlow, and JAX by way of Keras, say of a Python `if` on values.
UNKNOWN_VALUES = "Using a symbolic `tf.Tensor`|_error_repr|[Tt]race"


def only_on(backends, cls, says):
    """A class that can go wrong only on some backends."""
    return Broken(cls, says, backends=backends)


def compiled_only(cls, says):
    """A class that goes wrong where Keras compiles the train step."""
    return only_on("tensorflow jax", cls, says)


def traced(tensor):
    """Whether a tensor stands for values that are not known yet."""
    try:
        keras.ops.convert_to_numpy(tensor)
    except Exception:
        return True
    return False

"""Names, seeds and calls that a whole process shares."""

import contextlib

import keras
from keras.src.backend.common.global_state import get_global_attribute
from keras.src.random import seed_generator
from keras.src.random.seed_generator import (
    global_seed_generator,
    make_default_seed,
)
from keras.src.utils.naming import to_snake_case

# Keras 3.12 to 3.14 write the name where it is used.
_GLOBAL_SEED_GENERATOR = getattr(
    seed_generator, "GLOBAL_SEED_GENERATOR", "global_seed_generator"
)


def automatic_names(class_name):
    """The names that Keras makes for the objects of a class.

    Args:
        class_name: The name of the class.

    Returns:
        What they begin with, and how many were made since the session began.
        All but the first end in `_1`, `_2` and so on.
    """
    base = to_snake_case(class_name)
    return base, (get_global_attribute("object_name_uids") or {}).get(base, 0)


def existing_global_seed():
    """The generator of all draws without a seed, or `None` before the first."""
    return get_global_attribute(_GLOBAL_SEED_GENERATOR)


def entry_layer():
    """The outermost Keras layer of the call in progress, or `None`."""
    context = get_global_attribute("current_call_ctx")
    return None if context is None else context.entry_layer


def in_training():
    """Whether the call in progress was told that it trains."""
    context = get_global_attribute("current_call_ctx")
    return context is not None and getattr(context, "training", None) is True


@contextlib.contextmanager
def kept_kernels():
    """Has TensorFlow keep what it has compiled, for all threads.

    It drops it when its global seed is set, and Keras when a session is
    cleared. The next step of every model would then take long. Operations that
    draw outside of a model go on with their draws if the seed is set to the
    one that it was; a new seed gives new draws.
    """
    if keras.backend.backend() != "tensorflow":
        yield
        return
    from tensorflow.python.eager import context

    library = context.pywrap_tfe
    clear = library.TFE_ContextClearCaches
    library.TFE_ContextClearCaches = lambda handle: None
    try:
        yield
    finally:
        library.TFE_ContextClearCaches = clear

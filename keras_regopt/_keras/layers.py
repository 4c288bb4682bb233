"""What layers and variables keep of themselves."""

import keras
from keras import ops


def all_layers(layer, include_self=True):
    """A layer or model and all layers within it, at any depth, each once.

    Args:
        layer: A layer or model.
        include_self: Whether it is in the list itself. Defaults to `True`.

    Returns:
        A list.
    """
    return layer._flatten_layers(include_self=include_self)


def direct_layers(layer):
    """The layers that a layer holds itself: the very list that Keras tracks."""
    return layer._layers


def seed_states(layer):
    """The states of all generators in a layer or model, each once.

    Args:
        layer: A layer or model.

    Returns:
        A list of variables.
    """
    states = {
        id(generator.state): generator.state
        for part in all_layers(layer)
        for generator in held_generators(part)
    }
    return list(states.values())


def held_generators(layer):
    """The generators of a layer itself: the very list that Keras tracks.

    JAX's steps carry the states of these.
    """
    return layer._seed_generators


def symbolic_input(layer):
    """What a layer was called with in a functional model, or `None`."""
    return layer.input if layer._inbound_nodes else None


def own_state(layer):
    """The variables of a layer itself that no gradient changes.

    Frozen weights are not among them.
    """
    return layer._non_trainable_variables


def takes_training(layer):
    """Whether the `call` of a layer or model has an argument `training`."""
    return layer._call_has_training_arg


def takes_mask(layer):
    """Whether the `call` of a layer or model has an argument `mask`."""
    return layer._call_has_mask_arg


def own_losses(layer):
    """What a layer itself has added to the loss in its last call, a list."""
    return layer._get_own_losses()


def clear_losses(layer):
    """Drops what a layer and those within it have added to the loss."""
    layer._clear_losses()


def file_attributes(store):
    """What a file may hold of a layer besides its weights, a mapping.

    Args:
        store: What Keras hands to `save_own_variables`.

    Returns:
        The attributes of a group in an HDF5 file, or `None` for other stores.
    """
    return getattr(getattr(store, "_h5_entry_group", None), "attrs", None)


def held_tensor(variable):
    """The tensor that a variable of the torch backend holds.

    It is what `value` returns outside of any scope, at a tenth of the time.
    """
    return variable._value


def has_value(variable):
    """Whether a variable can be read.

    Under JAX those of a model cannot after a `fit` that ended by an error.
    """
    return variable._value is not None


def value_before_tracing(variable):
    """A variable's value as an array, also while a step is traced.

    `None` where there is none, as while JAX traces the step of a `fit`.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        with tf.init_scope():
            return ops.convert_to_numpy(variable)
    if keras.backend.backend() == "jax":
        value = variable._value
        return None if value is None or value.is_deleted() else value
    return ops.convert_to_numpy(variable)


def stored_dtype(variable):
    """The dtype that a variable is kept in, whatever it is read in."""
    return variable._dtype


def autocasts(variable):
    """Whether a variable is read in the precision of the layer's call."""
    return variable._autocast


def layout_of(variable):
    """How a variable lies on the devices, or `None`."""
    return getattr(variable, "_layout", None)

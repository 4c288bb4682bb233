"""Graphs, losses and training state of models."""

import keras

from keras_regopt._keras.classes import Functional


def graph_of(model):
    """The functional model behind a model.

    Args:
        model: A Keras model.

    Returns:
        The model itself, the one within a built `Sequential`, or `None` for
        a subclassed model, whose graph nobody knows.
    """
    if isinstance(model, keras.Sequential):
        return model._functional if model.built else None
    return model if isinstance(model, Functional) else None


def graph_nodes(functional):
    """The calls that a functional model consists of, in their order.

    Args:
        functional: What `graph_of` returned.

    Returns:
        A list of Keras' nodes.
    """
    nodes = functional._nodes_by_depth
    return [
        node for depth in sorted(nodes, reverse=True) for node in nodes[depth]
    ]


def input_structure(model):
    """The inputs of a model, in the structure that it was made with."""
    if isinstance(model, Functional):
        return model._inputs_struct
    return model.inputs[0]


def compiled_loss(model):
    """What a model computes its loss with, or `None` without one."""
    return model._compile_loss


def direction_of(metric):
    """Whether less of a metric is better: `"down"`, `"up"`, or `None`."""
    return getattr(metric, "_direction", None)


def strategy_of_model(model):
    """The `tf.distribute.Strategy` that a model was made in, or `None`."""
    return getattr(model, "_distribute_strategy", None)


def build_symbolically(model, batch):
    """Makes all variables of a compiled model, its metrics and its optimizer.

    Args:
        model: The model.
        batch: What `fit` gets for a batch, of `KerasTensor`.
    """
    model._symbolic_build(data_batch=batch)


def finish_quantization(model):
    """Collects the parameters of all layers again, which torch needs."""
    model._post_quantize(None)


def jax_state(model):
    """The values of a running epoch on JAX, which the variables do not have.

    Args:
        model: A model.

    Returns:
        A dict of lists of arrays by the names of the lists of variables;
        `None` where the variables hold their values.
    """
    return None if in_sync(model) else getattr(model, "_jax_state", None)


def in_sync(model):
    """Whether the variables hold their values; not within an epoch on JAX."""
    return getattr(model, "_jax_state_synced", True)


def draw_before_fit(model):
    """Has the next `fit` draw a batch first, as for a model that is not built.

    On JAX, this moves NumPy's random generator, which orders the samples.

    Args:
        model: A built model whose loss is built, too.
    """
    build = type(model)._symbolic_build

    def build_and_draw(iterator=None, data_batch=None):
        object.__delattr__(model, "_symbolic_build")
        for _, _, batches in iterator or ():
            next(iter(batches))
            break
        build(model, iterator, data_batch)

    object.__setattr__(model, "_symbolic_build", build_and_draw)

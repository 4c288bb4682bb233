"""Telling an optimizer that the weights are others than it left behind."""

from keras_regopt._optimizer_tree import parts_of


def restart(model):
    """Lets a model's optimizer begin again from the weights as they are now.

    Keras' own optimizers keep nothing of where the weights were; this
    package's that do have a `restart`, also within Keras' wrappers.

    Args:
        model: A model, compiled or not.
    """
    _restart(getattr(model, "optimizer", None))


def _restart(optimizer):
    if hasattr(optimizer, "restart"):
        # Those within it are its own affair.
        optimizer.restart()
        return
    for part in parts_of(optimizer):
        _restart(part)

"""Telling an optimizer that the weights are others than it left behind."""


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
        optimizer.restart()
        return
    members = getattr(optimizer, "optimizers", [])
    for inner in [getattr(optimizer, "inner_optimizer", None), *members]:
        if inner is not None:
            _restart(inner)

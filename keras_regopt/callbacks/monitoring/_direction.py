"""Whether a larger or a smaller value of a metric is the better one."""

from keras import ops

# What the end of a name says where Keras knows no direction.
_DIRECTION_OF_ENDING = {
    "loss": ops.less,
    "error": ops.less,
    "acc": ops.greater,
    "accuracy": ops.greater,
}


def inferred_direction(model, name):
    """The comparison that is true for a better value, as far as is known.

    Args:
        model: The model under training, with its metrics built.
        name: The name of a metric in the logs.

    Returns:
        `ops.less`, `ops.greater`, or `None` if nothing tells it.
    """
    name = name.removeprefix("val_")
    outputs = getattr(model, "output_names", None) or []
    for metric in _all_metrics(model):
        names = [metric.name] + [f"{o}_{metric.name}" for o in outputs]
        direction = getattr(metric, "_direction", None)
        if name in names and direction is not None:
            return ops.greater if direction == "up" else ops.less
    for ending, direction in _DIRECTION_OF_ENDING.items():
        if name.lower().endswith(ending):
            return direction
    return None


def _all_metrics(model):
    """The metrics of a model, those inside of lists of metrics too."""
    metrics = []
    for metric in getattr(model, "metrics", None) or []:
        metrics.extend(getattr(metric, "metrics", None) or [metric])
    return metrics

"""What `WeightAveraging` cannot work with."""

from keras_regopt._optimizer_tree import walk
from keras_regopt._validate import fail


def refuse_other_averages(owner, optimizer):
    """Refuses an optimizer that ends `fit` with averages of its own.

    Args:
        owner: The callback.
        optimizer: Any Keras optimizer; what it wraps is looked at as well.
    """
    for each in walk(optimizer):
        if getattr(each, "use_ema", False):
            remedy = "use_ema=False"
        elif hasattr(each, "average_values") and each.overwrite:
            remedy = "overwrite=False"
        else:
            continue
        fail(
            owner,
            "optimizer",
            "one that does not overwrite the weights with its own average at "
            "the end of `fit`",
            each,
            f"Make it with {remedy}, or leave this callback out.",
        )


def refuse_long_executions(average, model):
    """Refuses a model that makes more steps at once than a sample spans."""
    steps = getattr(model, "steps_per_execution", 1)
    if average.unit == "step" and average.every < steps:
        fail(
            average,
            "every",
            f"an integer >= {steps}, since the model was compiled with "
            f"steps_per_execution={steps} and shows no weights in between",
            average.every,
        )


def refuse_other_shapes(variables, averages):
    """Refuses averages that were restored from those of another model."""
    shapes = [tuple(v.shape) for v in variables]
    others = [tuple(average.shape) for average in averages]
    for variable, shape, other in zip(variables, shapes, others, strict=False):
        if shape != other:
            raise ValueError(
                f"The restored state of WeightAveraging is that of another "
                f"model: the weight {variable.path!r} has the shape {shape} "
                f"here and {other} there."
            )
    if len(shapes) != len(others):
        raise ValueError(
            f"The restored state of WeightAveraging is that of another model "
            f"or of another `batch_norm`: it has {len(others)} weights, and "
            f"{len(shapes)} are averaged here."
        )

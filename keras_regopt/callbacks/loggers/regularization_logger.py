import math
from typing import Any

from keras import ops, tree

from keras_regopt._keras import (
    all_layers,
    clear_losses,
    own_losses,
    takes_training,
)
from keras_regopt._registry import register
from keras_regopt._types import Path
from keras_regopt._validate import boolean, fail
from keras_regopt.callbacks.loggers._logger import Logger
from keras_regopt.callbacks.loggers._stable_names import stable_paths


@register
class RegularizationLogger(Logger):
    """Writes down how much of the loss each penalty is.

    Shows whether a regularizer has any weight at all, or smothers the data:
    a penalty of a thousandth of the loss does nothing, one of nine tenths
    does everything. At the end of each epoch the logs, and so the history, get

    - `"penalty"`: the sum of all penalties on the weights as they are now,
    - `"penalty_share"`: this sum, divided by the epoch's training loss (a
      mean over the epoch, in which the penalties are contained),
    - `"penalty/<weight>"` and `"penalty_share/<weight>"`: the same of each
      weight that has a regularizer, by its path. The numbers in automatic
      names of layers begin again with each model.

    The penalties are computed again once an epoch; the training step stays as
    it is. Frozen weights do not count, as in the loss.

    What activity regularizers and `add_loss` add depends on the data. It is
    counted where inputs to measure it on are given, as
    `"penalty/<layer>/activity"`.

    Args:
        x: Optional batch of inputs for the model, as an array or a list or
            dict of arrays, on which activity penalties are measured, in
            inference mode. Defaults to `None`.
        per_weight: Whether each weight has values of its own. Defaults to
            `True`.
        log_dir: Optional folder for TensorBoard, to which it writes by itself
            on every backend. Defaults to `None`.

    Raises:
        ValueError: If an argument is out of its range.

    Examples:
        >>> dense = keras.layers.Dense(1, kernel_regularizer="l2", name="d")
        >>> model = keras.Sequential([keras.Input((2,)), dense])
        >>> model.compile("sgd", "mse")
        >>> history = model.fit(
        ...     np.ones((8, 2)), np.ones((8, 1)), verbose=0,
        ...     callbacks=[RegularizationLogger(per_weight=False)],
        ... )
        >>> sorted(history.history)
        ['loss', 'penalty', 'penalty_share']
    """

    def __init__(
        self,
        x: Any = None,
        per_weight: bool = True,
        log_dir: Path | None = None,
    ):
        super().__init__(log_dir)
        self.x = _checked_inputs(self, x)
        self.per_weight = boolean(self, "per_weight", per_weight)

    def measure(self, logs):
        penalties = self._penalties_of_weights()
        if self.x is not None:
            penalties.update(self._penalties_of_activities())
        loss = logs.get("loss", math.nan)
        total = float(sum(penalties.values()))
        values = {"penalty": total, "penalty_share": _share(total, loss)}
        if self.per_weight:
            for name, penalty in penalties.items():
                values[f"penalty/{name}"] = penalty
                values[f"penalty_share/{name}"] = _share(penalty, loss)
        return values

    def _penalties_of_weights(self):
        name = stable_paths(self.model)
        return {
            name(variable.path): _number(variable.regularizer(variable))
            for variable in self.model.trainable_variables
            if getattr(variable, "regularizer", None) is not None
        }

    def _penalties_of_activities(self):
        model = self.model
        clear_losses(model)
        model(self.x, **({"training": False} if takes_training(model) else {}))
        penalties, name = {}, stable_paths(model)
        for layer in all_layers(model):
            losses = own_losses(layer)
            if losses:
                key = f"{name(layer.path or layer.name)}/activity"
                penalties[key] = sum(_number(loss) for loss in losses)
        clear_losses(model)
        return penalties


def _checked_inputs(owner, x):
    arrays = [] if x is None else tree.flatten(x)
    if (x is not None and not arrays) or any(
        not len(getattr(a, "shape", ())) for a in arrays
    ):
        fail(owner, "x", "a batch of inputs, as arrays, or None", x)
    return x


def _number(tensor):
    return float(ops.convert_to_numpy(ops.stop_gradient(tensor)))


def _share(penalty, loss):
    return penalty / loss if loss else math.nan

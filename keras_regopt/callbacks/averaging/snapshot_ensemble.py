import os
import pathlib
from collections.abc import Sequence

import keras
import numpy as np

from keras_regopt._files import replaced
from keras_regopt._keras import Functional, input_structure
from keras_regopt._registry import register
from keras_regopt._train_step import sync
from keras_regopt._types import Path
from keras_regopt._validate import fail, integer, one_of, positive_int
from keras_regopt.callbacks.averaging._step_clock import StepClock

SUFFIX = ".weights.h5"


@register
class SnapshotEnsemble(StepClock):
    """Collects the weights at the end of each cycle, for one ensemble.

    With a cyclical learning rate, a single training visits several minima:
    the rate falls until the model has settled in one, and then rises and
    throws it out again. The mean of the predictions of those snapshots is
    about as good as that of models that were trained one by one. Pair it with
    `keras_regopt.schedules.Repeat` or the restarts of `CosineDecay`, of the
    same period.

    `ensemble()` makes an ordinary Keras model of the snapshots, and
    `predict` serves models that Keras cannot copy.

    Args:
        cycle: Length of a cycle, an integer >= 1; or a list of the ends of
            all cycles, as numbers of epochs or steps from the start of the
            training, in rising order.
        unit: What `cycle` counts, `"step"` (batches) or `"epoch"`. Defaults
            to `"epoch"`.
        keep: Number of the latest snapshots to keep, an integer >= 1, or
            `None` for all. Defaults to `None`.
        filepath: Where to write the snapshots, such as
            `"snapshots/{cycle}.weights.h5"`; each appears under its name when
            it is complete. Files are never deleted. `None` keeps the
            snapshots in memory. Defaults to `None`.

    Attributes:
        snapshots: The snapshots, the oldest first: lists of arrays as of
            `get_weights`, or paths.
        steps: Number of the steps so far, if cycles are counted in steps.

    Raises:
        ValueError: If an argument is out of its range; by `ensemble` and
            `predict`, if there are fewer snapshots than asked for.

    Examples:
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> model.compile(keras.optimizers.SGD(0.1), "mse")
        >>> snapshots = SnapshotEnsemble(cycle=2)
        >>> x = np.ones((8, 1))
        >>> _ = model.fit(x, x, epochs=6, verbose=0, callbacks=[snapshots])
        >>> len(snapshots.snapshots)
        3
        >>> snapshots.ensemble(last=2).predict(x, verbose=0).shape
        (8, 1)

    References:
        Huang et al. 2017, Snapshot ensembles: train 1, get M for free (arXiv
        1704.00109).
    """

    state_attributes = ("steps", "snapshots")

    def __init__(
        self,
        cycle: int | Sequence[int],
        unit: str = "epoch",
        keep: int | None = None,
        filepath: Path | None = None,
    ):
        super().__init__()
        self.cycle = _checked_cycle(self, cycle)
        self.unit = one_of(self, "unit", unit, ("step", "epoch"))
        self.keep = integer(self, "keep", keep, low=1, optional=True)
        self.filepath = _checked_path(self, filepath)
        self.reset()

    @property
    def clock_unit(self):
        return self.unit

    def reset(self):
        super().reset()
        self.snapshots = []

    def on_epoch_end(self, epoch, logs=None):
        if self.unit == "epoch":
            self._collect(epoch, epoch + 1)

    def after_steps(self, before, after):
        self._collect(before, after)

    def ensemble(self, last=None):
        """Makes one model whose outputs are the mean of the snapshots'.

        Args:
            last: How many of the latest snapshots to take, an integer >= 1,
                or `None` for all. Defaults to `None`.

        Returns:
            A functional Keras model, which is saved like any other. Its
            outputs are float32. Classes should come out as probabilities, as
            the paper averages them, not as logits.

        Raises:
            ValueError: If there are fewer snapshots, or the model is neither
                functional nor sequential.
        """
        snapshots = self._latest("ensemble", last)
        model = self.model
        if not isinstance(model, (Functional, keras.Sequential)):
            raise ValueError(
                f"`ensemble` of SnapshotEnsemble copies functional and "
                f"sequential models alone. Received: {type(model).__name__}. "
                "Use `predict` of SnapshotEnsemble, or write the model in the "
                "functional form."
            )
        inputs = _inputs_like(model)
        outputs = []
        for number, snapshot in enumerate(snapshots):
            config = {**model.get_config(), "name": f"snapshot_{number}"}
            member = type(model).from_config(config)
            outputs.append(member(inputs))
            _load(member, snapshot)
        mean = keras.tree.map_structure(_mean_output, *outputs)
        return keras.Model(inputs, mean, name=f"{model.name}_ensemble")

    def predict(self, x, last=None, **options):
        """The mean of the predictions of the snapshots, one after the other.

        The model gets the weights of each snapshot in turn, and has its own
        again afterwards.

        Args:
            x: What `predict` of a model takes, but no generator.
            last: How many of the latest snapshots to take, an integer >= 1,
                or `None` for all. Defaults to `None`.
            **options: Further arguments of `predict` of a model.

        Returns:
            Arrays of the structure of the model's outputs.
        """
        snapshots = self._latest("predict", last)
        own, outputs = _values(self.model), []
        try:
            for snapshot in snapshots:
                _load(self.model, snapshot)
                outputs.append(self.model.predict(x, **options))
        finally:
            for variable, value in own:
                variable.assign(value)
        return keras.tree.map_structure(
            lambda *each: np.mean(
                each, axis=0, dtype=np.result_type(each[0], np.float32)
            ),
            *outputs,
        )

    def _collect(self, before, after):
        ended = self._ends(after)
        if ended == self._ends(before):
            return
        # In the middle of an epoch, JAX's variables hold no values.
        sync(self.model)
        if self.filepath is None:
            snapshot = self.model.get_weights()
        else:
            snapshot = _write(self.model, self.filepath.format(cycle=ended))
        self.snapshots = [*self.snapshots, snapshot]
        if self.keep is not None:
            self.snapshots = self.snapshots[-self.keep :]

    def _ends(self, position):
        """How many cycles are over at a number of steps or epochs."""
        if isinstance(self.cycle, int):
            return position // self.cycle
        return sum(end <= position for end in self.cycle)

    def _latest(self, method, last):
        there = len(self.snapshots)
        owner = f"{type(self).__name__}.{method}"
        wanted = integer(owner, "last", last, low=1, optional=True) or there
        if there < max(wanted, 1):
            fail(
                owner,
                "last",
                f"at most {there}, the number of snapshots"
                if there
                else "called after the end of the first cycle",
                last,
            )
        return self.snapshots[-wanted:]


def _checked_cycle(owner, cycle):
    if not isinstance(cycle, (list, tuple)):
        return positive_int(
            owner, "cycle", cycle, remedy="Or give a list of the cycles' ends."
        )
    ends = [positive_int(owner, "cycle", end) for end in cycle]
    if not ends or ends != sorted(set(ends)):
        fail(owner, "cycle", "a list of integers in rising order", cycle)
    return ends


def _checked_path(owner, filepath):
    if filepath is None:
        return None
    good = isinstance(filepath, (str, os.PathLike))
    path = str(filepath) if good else ""
    if "{cycle" not in path or not path.endswith(SUFFIX):
        allowed = f"a path with '{{cycle}}' that ends in {SUFFIX!r}, or None"
        fail(owner, "filepath", allowed, filepath)
    return path


def _write(model, path):
    """Writes weights so that a file of this name is always whole."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replaced(path, SUFFIX) as draft:
        model.save_weights(draft)
    return str(path)


def _load(model, snapshot):
    if not isinstance(snapshot, str):
        model.set_weights(snapshot)
        return
    if not os.path.exists(snapshot):
        raise ValueError(
            f"The snapshot {snapshot!r} of SnapshotEnsemble is gone. Put the "
            "file back, or ask for fewer snapshots with `last`."
        )
    model.load_weights(snapshot)


def _values(model):
    """All that a snapshot may change: a file has the optimizer's state too."""
    optimizer = getattr(model, "optimizer", None)
    variables = [*model.variables, *getattr(optimizer, "variables", [])]
    # Copies, since some backends hand out their own memory.
    return [(v, np.array(keras.ops.convert_to_numpy(v))) for v in variables]


def _inputs_like(model):
    """New inputs of the structure of a model's own."""
    structure = input_structure(model)
    return keras.tree.map_structure(
        lambda x: keras.Input(batch_shape=x.shape, dtype=x.dtype, name=x.name),
        structure,
    )


def _mean_output(*outputs):
    if len(outputs) == 1:
        return keras.ops.cast(outputs[0], "float32")
    return keras.layers.Average(dtype="float32")(list(outputs))

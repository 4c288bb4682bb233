import numpy as np
from keras import ops

from keras_regopt import _train_step
from keras_regopt._registry import register
from keras_regopt._types import Path
from keras_regopt._validate import boolean
from keras_regopt.callbacks._claims import claim
from keras_regopt.callbacks.loggers._gradient_norms import gradient_norms
from keras_regopt.callbacks.loggers._logger import Logger
from keras_regopt.callbacks.loggers._stable_names import stable_paths

# So many steps wait on the device before their norms are fetched.
_CHUNK = 256


@register
class GradientNormLogger(Logger):
    """Writes down the norms of the gradients that the training really used.

    Shows gradients that vanish or explode, layers that learn nothing, and
    where a `clipnorm` would act. At the end of each epoch the logs, and so the
    history, get

    - `"gradient_norm"`: the Euclidean norm of all gradients together, as a
      mean over the steps of the epoch,
    - `"gradient_norm_max"`: the largest of these,
    - `"gradient_norm/<layer>"`: the mean norm of each layer's gradients.
      The numbers in automatic names begin again with each model.

    The gradients are those of the loss with its penalties, batch by batch, as
    they come to the optimizer: before clipping and before any transformation,
    without the factor of loss scaling. Steps whose norm is not finite, which
    `LossScaleOptimizer` skips, do not count; if all are such, the values
    are NaN. A layer that `GradualUnfreezing` has frozen has zero. With
    gradient accumulation every batch counts. Where several steps are made in
    one execution, the last of each is measured. Under `tf.distribute`, the
    gradients of all replicas are summed up once more.

    The norms are computed inside the compiled step. The train function is
    compiled again when a training begins, and once more in the next training
    without this callback. A model that is compiled with another optimizer
    inside of `fit` is followed.

    Args:
        per_layer: Whether each layer has a value of its own. Defaults to
            `True`.
        log_dir: Optional folder for TensorBoard, to which it writes by itself
            on every backend. Defaults to `None`.

    Raises:
        ValueError: If an argument is out of its range.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> history = model.fit(
        ...     np.ones((8, 2)), np.ones((8, 1)), verbose=0,
        ...     callbacks=[GradientNormLogger(per_layer=False)],
        ... )
        >>> sorted(history.history)
        ['gradient_norm', 'gradient_norm_max', 'loss']
    """

    # What the steps of the running epoch have added up to.
    state_attributes = ("epoch", "sums", "counted", "largest")

    def __init__(self, per_layer: bool = True, log_dir: Path | None = None):
        super().__init__(log_dir)
        self.per_layer = boolean(self, "per_layer", per_layer)
        self._layers = []
        self._measured_model = None
        self.reset()

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        claim(self, "the norms of the gradients")
        # What a training that ended by an error has left.
        self._detach()
        self._layers, self._named = [], stable_paths(self.model)
        name = type(self).__name__
        gradients = _train_step.Gradients(name, self._norms, self._receive)
        _train_step.register(self.model, gradients)
        self.model.make_train_function(force=True)
        self._measured_model = self.model

    def on_train_end(self, logs=None):
        super().on_train_end(logs)
        self._detach()

    def on_epoch_begin(self, epoch, logs=None):
        # An epoch that was interrupted goes on.
        if epoch != self.epoch:
            self.reset()
            self.epoch = epoch

    def state(self):
        self._fetch()
        return super().state()

    def reset(self):
        self._waiting = []
        self.epoch, self.counted = None, 0
        self.sums, self.largest = np.zeros(()), np.nan

    def measure(self, logs):
        self._fetch()
        means = np.full(1 + len(self._layers), np.nan)
        if self.counted:
            means = self.sums / self.counted
        values = {
            "gradient_norm": float(means[0]),
            "gradient_norm_max": float(self.largest),
        }
        if self.per_layer:
            for layer, mean in zip(self._layers, means[1:], strict=True):
                values[f"gradient_norm/{layer}"] = float(mean)
        return values

    def _detach(self):
        model, self._measured_model = self._measured_model, None
        if model is not None:
            _train_step.unregister(model, _train_step.GRADIENTS)
            model.make_train_function(force=True)

    def _norms(self, gradients, variables, known, scale):
        """What is measured in each step: all norms as one tensor."""
        groups = self._groups(variables, known)
        number = len(self._layers)
        return gradient_norms(gradients, variables, groups, number) / scale

    def _groups(self, variables, known):
        """The layer of each variable, by the path that they share."""
        layers = [
            self._named(_path(v).rpartition("/")[0])
            for v in [*known, *variables]
        ]
        self._layers = list(dict.fromkeys(layers))
        return [self._layers.index(layer) for layer in layers[len(known) :]]

    def _receive(self, norms):
        self._waiting.append(norms)
        if len(self._waiting) >= _CHUNK:
            self._fetch()

    def _fetch(self):
        if not self._waiting:
            return
        norms = np.float64(ops.convert_to_numpy(ops.stack(self._waiting)))
        self._waiting = []
        norms = norms[np.isfinite(norms[:, 0])]
        # One by one, so that the sum does not depend on when it is asked for.
        for step in norms:
            self.sums = self.sums + step
            self.counted += 1
            self.largest = float(np.fmax(self.largest, step[0]))


def _path(variable):
    return getattr(variable, "path", None) or variable.name

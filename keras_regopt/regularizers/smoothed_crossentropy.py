import keras
from keras import ops

from keras_regopt._config import SignatureConfig
from keras_regopt._hyper_parameter import HyperParameter, tunable
from keras_regopt._precision import at_least_single
from keras_regopt._registry import register
from keras_regopt._search_space import Range
from keras_regopt._validate import boolean

_SMALLEST = 1e-7


@register
class SmoothedCrossentropy(SignatureConfig, keras.losses.Loss):
    """The cross-entropy with smoothed labels, for class numbers, too.

    Keras' own losses smooth one-hot labels alone, and by a plain number. With
    `K` classes of the probabilities `p` and the label `y`, the loss is

        -(1 - label_smoothing) * log(p[y])
        - label_smoothing / K * sum(log(p)).

    Labels that are no single class, as after `MixUp`, are rows of
    probabilities instead. `GradientTuner` compares on validation data without
    the smoothing.

    Args:
        label_smoothing: Share of each label that goes to all classes, a number
            in [0, 1) or a `HyperParameter`. Defaults to `0.1`.
        from_logits: Whether the model gives logits. If `False`, it gives
            probabilities. Defaults to `False`.
        **kwargs: Keras' arguments of every loss: `reduction`, `name`, `dtype`.

    Raises:
        ValueError: If an argument is out of its range.

    Examples:
        >>> loss = SmoothedCrossentropy(0.2)
        >>> round(float(loss(np.array([0]), np.array([[0.9, 0.1]]))), 4)
        0.3251

    References:
        Szegedy et al. 2016, Rethinking the Inception architecture for computer
        vision (arXiv 1512.00567).
    """

    search_space = {"label_smoothing": Range(0.0, 0.5)}

    def __init__(
        self,
        label_smoothing: float | HyperParameter = 0.1,
        from_logits: bool = False,
        **kwargs,
    ):
        kwargs.setdefault("name", "smoothed_crossentropy")
        super().__init__(**kwargs)
        self.label_smoothing = tunable(
            self, "label_smoothing", label_smoothing, low=0, below=1
        )
        self.from_logits = boolean(self, "from_logits", from_logits)

    def call(self, y_true, y_pred):
        """The loss of each example."""
        y_pred = at_least_single(y_pred)
        if self.from_logits:
            logs = ops.log_softmax(y_pred, axis=-1)
        else:
            logs = ops.log(ops.clip(y_pred, _SMALLEST, 1.0))
        of_label = ops.sum(_rows(y_true, logs) * logs, axis=-1)
        # Keras rounds a mean to single precision.
        of_all = ops.sum(logs, axis=-1) / logs.shape[-1]
        return -of_label + self.label_smoothing * (of_label - of_all)

    def _keras_config(self):
        return keras.losses.Loss.get_config(self)


def _rows(labels, logs):
    """The labels as probabilities."""
    labels = ops.convert_to_tensor(labels)
    if len(labels.shape) == len(logs.shape) and labels.shape[-1] == 1:
        labels = ops.squeeze(labels, axis=-1)
    if len(labels.shape) == len(logs.shape):
        return ops.cast(labels, logs.dtype)
    return ops.one_hot(
        ops.cast(labels, "int32"), logs.shape[-1], dtype=logs.dtype
    )

import keras
from keras import ops

from keras_regopt._keras import (
    all_layers,
    scale_loss_for_distribution,
    seed_states,
)
from keras_regopt._model_wrapper import ModelWrapper
from keras_regopt._validate import fail, in_range
from keras_regopt.regularizers._batch import Batch


class PenalizedModel(ModelWrapper):
    """Base of the models that add a penalty to the loss of each train step.

    A subclass writes `penalty`, which takes a `Batch` and returns a float32
    scalar. Around another model of this kind, both penalties count. One that
    differentiates slopes again says so in `differentiates_twice`.

    Args:
        model: The model to train, built or not.
        rate: Strength of the penalty, a number >= 0.
        **kwargs: Keras' arguments of every model, such as `name`.
    """

    differentiates_twice = False

    def __init__(self, model: keras.Model, rate: float, **kwargs):
        super().__init__(model, **kwargs)
        _refuse_own_steps(self, model)
        if self.differentiates_twice and _pools_in_half(model):
            self.supports_jit = False
        self.rate = in_range(self, "rate", rate, low=0)
        self._penalty_tracker = keras.metrics.Mean(name="penalty")
        self.seeds_before = _SeedsBefore()

    def call(self, inputs, training=None):
        if training and self.compiled:
            self.seeds_before.keep(self.model)
        return self.run(inputs, training)

    def run(self, inputs, training=None):
        """A pass through the model within."""
        return super().call(inputs, training)

    def compute_loss(
        self,
        x=None,
        y=None,
        y_pred=None,
        sample_weight=None,
        training=True,
    ):
        """The loss, with the penalty if the model trains.

        Args:
            x: The inputs.
            y: The targets.
            y_pred: The predictions.
            sample_weight: The weights of the examples, or `None`.
            training: Whether the model trains.

        Returns:
            A scalar tensor.
        """
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        if not training:
            return loss
        batch = Batch(
            self, x, y, y_pred, sample_weight, self.seeds_before.values
        )
        terms = [model.terms(batch) for model in self._chain()]
        penalty = sum(penalty for _, penalty in terms)
        self._penalty_tracker.update_state(penalty, sample_weight=batch.size)
        for model in self._chain():
            model.seeds_before.forget()
        added = scale_loss_for_distribution(sum(added for added, _ in terms))
        return loss + ops.cast(added, loss.dtype)

    def terms(self, batch):
        """What is added to the loss, and the part of it that is shown."""
        penalty = self.rate * self.penalty(batch)
        return penalty, penalty

    def penalty(self, batch):
        raise NotImplementedError(
            f"{type(self).__name__} must write `penalty(self, batch)`."
        )

    def evaluate(self, *arguments, return_dict=False, **options):
        """Evaluates without the penalty, which belongs to training.

        Args:
            *arguments: The arguments of Keras' function of this name.
            return_dict: Whether to return a dict.
            **options: Further arguments of Keras' function of this name.

        Returns:
            What Keras' function returns.
        """
        logs = super().evaluate(*arguments, return_dict=True, **options)
        logs.pop("penalty", None)
        return logs if return_dict else self._flatten_metrics_in_order(logs)

    def _chain(self):
        """This model, and those within it that have a penalty as well."""
        model = self
        while isinstance(model, PenalizedModel):
            yield model
            model = model.model


class _SeedsBefore:
    """Where random numbers stood before the first pass over a batch."""

    def __init__(self):
        self.forget()

    def keep(self, model):
        self.values = [(s, s.value * 1) for s in seed_states(model)]

    def forget(self):
        # No tensor of a train step may outlive it.
        self.values = []


def _pools_in_half(model):
    """Whether TensorFlow's XLA lacks a second derivative, that of MaxPool."""
    pools = (
        keras.layers.MaxPooling1D,
        keras.layers.MaxPooling2D,
        keras.layers.MaxPooling3D,
    )
    return keras.backend.backend() == "tensorflow" and any(
        isinstance(layer, pools) and layer.compute_dtype != "float32"
        for layer in all_layers(model)
    )


def _refuse_own_steps(owner, model):
    for name in ("train_step", "compute_loss"):
        own = getattr(type(model), name) is not getattr(keras.Model, name)
        if own and not isinstance(model, PenalizedModel):
            fail(
                owner,
                "model",
                f"a model without a `{name}` of its own, which would not be "
                "called",
                model,
            )

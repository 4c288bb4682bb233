import keras
from keras import ops

from keras_regopt._autodiff import gradients_of
from keras_regopt._keras import all_layers, own_state, seed_states
from keras_regopt._model_wrapper import ModelWrapper
from keras_regopt._registry import register
from keras_regopt._validate import boolean, in_range
from keras_regopt.optimizers.engine._numerics import copied
from keras_regopt.optimizers.engine._replicas import assign_each, replicas
from keras_regopt.optimizers.wrappers._ascent import ascent
from keras_regopt.optimizers.wrappers._gradients import (
    reduced,
    with_gradients,
)


@register
class SharpnessAwareModel(ModelWrapper):
    """A model that trains by sharpness-aware minimization on each batch.

    Looks for weights in whose whole neighborhood the loss is low, which often
    generalizes better. Each train step takes two gradients of the same batch:
    the first tells where, at the distance `rho`, the loss is highest; the
    second, taken there, is what the optimizer gets for the original weights:

        w' = w + rho * g(w) / ||g(w)||,   w = step(w, g(w')).

    So a step takes twice the time. Both gradients are those of the same loss:
    dropout draws the same numbers twice. The loss and the metrics that are
    shown, and the statistics of batch normalization, are those of the first
    pass, at the unperturbed weights.

    It shares the weights of the model within, which stays a model of its own:
    compile and fit this one, then go on with either. Predictions, evaluation,
    saving and export are as ever; a saved model trains on as before. Any
    optimizer will do, wrappers and loss scaling included. A `train_step` or
    `compute_loss` of the model within is not called. Where twice the time is
    too much, see `SAM`, which takes the two gradients of two batches.

    Args:
        model: The model to train, built or not.
        rho: Distance at which the second gradient is taken, at least 0.
            Defaults to `0.05`; for `adaptive=True` about ten times as much is
            usual.
        adaptive: Whether distances are measured relative to the weights, so
            that a rescaled network has the same sharpness (ASAM). Then
            `w' = w + rho * w ** 2 * g / ||w * g||`. Defaults to `False`.
        **kwargs: Keras' arguments of every model, such as `name`.

    Raises:
        ValueError: If `model` is not a model.

    Examples:
        >>> inner = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model = SharpnessAwareModel(inner, rho=0.05)
        >>> model.compile("sgd", "mse")
        >>> history = model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
        >>> inner.predict(np.ones((4, 2)), verbose=0).shape
        (4, 1)

    References:
        Foret et al. 2021, Sharpness-aware minimization for efficiently
        improving generalization (arXiv 2010.01412); Kwon et al. 2021, ASAM
        (arXiv 2102.11600), whose small constant added to the weights is left
        out, as usual. Under `tf.distribute` the perturbation is that of the
        whole batch, not one for each replica.
    """

    def __init__(
        self,
        model: keras.Model,
        rho: float = 0.05,
        adaptive: bool = False,
        **kwargs,
    ):
        super().__init__(model, **kwargs)
        self.rho = in_range(self, "rho", rho, low=0)
        self.adaptive = boolean(self, "adaptive", adaptive)
        self.build_as_within()

    def train_step(self, *arguments):
        # With JAX, the step is Keras' own, around another loss.
        if keras.backend.backend() == "jax":
            return super().train_step(*arguments)
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(*arguments)
        batch = (x, y, sample_weight)
        if not self.built:
            # Now, since what a pass changes must be known before it.
            self(x)
        weights = self.trainable_weights
        state = _state(self) + self.metrics_variables
        state_before = _values(state)
        gradients, loss, y_pred = self._gradients(weights, batch)
        self._loss_tracker.update_state(
            loss * replicas(), sample_weight=_batch_size(x)
        )
        logs = self.compute_metrics(x, y, y_pred, sample_weight)
        state_after = _values(state)
        weights_before = _values(weights)

        # The second pass starts as the first did and leaves only a gradient.
        _assign(state, state_before)
        self._perturb(gradients, weights)
        gradients, _, _ = self._gradients(weights, batch)
        assign_each(self.optimizer, weights, weights_before)
        _assign(state, state_after)
        _apply(self.optimizer, gradients, weights)
        return logs

    def compute_loss_and_updates(
        self, trainable_variables, *arguments, training=False, **options
    ):
        """The loss on JAX, whose gradient is the one at the perturbed weights.

        Args:
            trainable_variables: List of the values of the variables.
            *arguments: Further arguments of Keras' function of this name.
            training: Whether the model trains.
            **options: Further arguments of Keras' function of this name.

        Returns:
            What Keras' function returns.
        """
        import jax

        def loss_and_updates(values):
            return super(SharpnessAwareModel, self).compute_loss_and_updates(
                values, *arguments, training=training, **options
            )

        if not training:
            return loss_and_updates(trainable_variables)
        values = list(trainable_variables)
        (loss, updates), gradients = jax.value_and_grad(
            loss_and_updates, has_aux=True
        )(jax.lax.stop_gradient(values))
        indices, steps = self._ascent(
            gradients, self.trainable_variables, values
        )
        for i, step in zip(indices, steps, strict=True):
            values[i] = values[i] + jax.lax.stop_gradient(step)
        above, _ = loss_and_updates(values)
        # The value of the first pass, with the gradient of the second.
        return loss + above - jax.lax.stop_gradient(above), updates

    def _perturb(self, gradients, weights):
        indices, steps = self._ascent(gradients, weights, weights)
        weights = [weights[i] for i in indices]
        perturbed = list(map(ops.add, weights, steps))
        assign_each(self.optimizer, weights, perturbed)

    def _ascent(self, gradients, variables, values):
        """The indices of the weights that are perturbed, and by how much."""
        indices = with_gradients(gradients, variables)
        if not indices:
            return [], []
        variables = [variables[i] for i in indices]
        gradients = [gradients[i] for i in indices]
        gradients = reduced(self.optimizer, gradients, variables)
        values = [values[i] for i in indices]
        return indices, ascent(gradients, values, self.rho, self.adaptive)

    def _gradients(self, weights, batch):
        """The gradients of the scaled loss, the loss and the predictions."""

        def scaled_loss():
            loss, y_pred = self._loss_and_predictions(*batch)
            return self.optimizer.scale_loss(loss), (loss, y_pred)

        slopes, (loss, y_pred) = gradients_of(scaled_loss, weights)
        return slopes, loss, y_pred

    def _loss_and_predictions(self, x, y, sample_weight):
        y_pred = self(x, training=True)
        loss = self.compute_loss(
            x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=True
        )
        return loss, y_pred


def _state(model):
    """The variables that a pass changes: running statistics and random seeds.

    Frozen weights, which may be many, are not among them.
    """
    state = [v for layer in all_layers(model) for v in own_state(layer)]
    state += seed_states(model)
    return list({id(variable): variable for variable in state}.values())


def _values(variables):
    """The values of variables, which later assignments leave as they are."""
    values = [copied(variable) for variable in variables]
    if keras.backend.backend() == "torch":
        return [value.detach() for value in values]
    return values


def _assign(variables, values):
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _apply(optimizer, gradients, weights):
    if keras.backend.backend() == "torch":
        import torch

        with torch.no_grad():
            optimizer.apply(gradients, weights)
    else:
        optimizer.apply(gradients, weights)


def _batch_size(x):
    first = next(i for i in keras.tree.flatten(x) if i is not None)
    return ops.shape(first)[0]

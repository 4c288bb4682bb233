"""A batch in training, with more passes over it than the first."""

import keras
from keras import ops

from keras_regopt._autodiff import pullback
from keras_regopt._keras import compiled_loss, unscale_loss_for_distribution
from keras_regopt.regularizers._slopes import rows


class Batch:
    """The batch from which a penalty is computed.

    Further passes over it have no side effects: whatever they assign to
    variables, such as the statistics of batch normalization, is dropped.

    Args:
        model: The compiled model that trains.
        x: The inputs.
        y: The targets.
        y_pred: The predictions of the first pass.
        sample_weight: The weights of the examples, or `None`.
        seeds: List of the variables that random numbers come from, each with
            its value before the first pass.
    """

    def __init__(self, model, x, y, y_pred, sample_weight, seeds):
        self._model = model
        self._seeds = seeds
        self.x = x
        self.y = y
        self.y_pred = y_pred
        self.sample_weight = sample_weight

    @property
    def size(self):
        """The number of examples."""
        return ops.shape(keras.tree.flatten(self.y_pred)[0])[0]

    @property
    def compiled_loss(self):
        """The loss as it was given to `compile`."""
        return self._model.loss

    def float_inputs(self):
        """The inputs by which one can differentiate, as a list.

        Raises:
            ValueError: If there are none.
        """
        inputs = [x for x in keras.tree.flatten(self.x) if _is_float(x)]
        if not inputs:
            dtypes = [
                keras.backend.standardize_dtype(x.dtype)
                for x in keras.tree.flatten(self.x)
                if x is not None
            ]
            raise ValueError(
                f"{type(self._model).__name__} needs inputs of a float dtype, "
                f"by which it differentiates. Received: inputs of {dtypes}. "
                "Cast images to float32 before the model; for token ids, "
                "wrap the layers of the model that follow the embedding."
            )
        return [ops.convert_to_tensor(x) for x in inputs]

    def first_pass_at(self, float_inputs):
        """The predictions of the first pass for other inputs.

        The random numbers are the same, so that it is the same function.
        """
        _, y_pred = self._pass(self._with(float_inputs), self._seeds)
        return y_pred

    def second_pass(self):
        """The predictions of another pass, with new random numbers."""
        scope, y_pred = self._pass(self.x, [])
        for seed, _ in self._seeds:
            state = scope.get_current_value(seed)
            if state is not None:
                seed.assign(state)
        return y_pred

    def loss(self, y_pred):
        """The compiled loss of predictions, in single precision."""
        compiled = compiled_loss(self._model)
        if compiled is None:
            raise ValueError(
                f"{type(self._model).__name__} needs a loss: give one to "
                "`compile`."
            )
        # The trackers of single losses have seen this batch already.
        trackers = [(v, v.value) for v in self._model.metrics_variables]
        with keras.StatelessScope(trackers):
            loss = compiled(self.y, y_pred, self.sample_weight)
        return unscale_loss_for_distribution(ops.cast(loss, "float32"))

    def output_slopes(self):
        """The outputs in rows, and their pullback to the inputs."""

        def outputs(inputs):
            flat = keras.tree.flatten(self.first_pass_at(inputs))
            return ops.concatenate([rows(y) for y in flat], axis=-1)

        return pullback(outputs, self.float_inputs())

    def loss_slopes(self):
        """The gradients of the loss by the inputs, as a list."""

        def loss(inputs):
            return self.loss(self.first_pass_at(inputs))

        loss, pull = pullback(loss, self.float_inputs())
        return pull(ops.ones_like(loss))

    def _with(self, float_inputs):
        rest = list(float_inputs)
        return keras.tree.pack_sequence_as(
            self.x,
            [
                rest.pop(0) if _is_float(x) else _tensor(x)
                for x in keras.tree.flatten(self.x)
            ],
        )

    def _pass(self, x, changes):
        values = {id(v): (v, v.value) for v in self._model.model.variables}
        values.update({id(v): (v, value) for v, value in changes})
        with keras.StatelessScope(list(values.values())) as scope:
            return scope, self._model.run(x, training=True)


def _tensor(x):
    # In eager steps on JAX, an array, which Keras does not mix with tensors.
    return x if x is None or ops.is_tensor(x) else ops.convert_to_tensor(x)


def _is_float(x):
    return x is not None and keras.backend.is_float_dtype(x.dtype)

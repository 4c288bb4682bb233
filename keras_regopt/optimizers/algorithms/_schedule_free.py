import contextlib

import keras
from keras import ops

from keras_regopt._keras import strategy_of
from keras_regopt._train_step import hook_models, note_step
from keras_regopt._types import LearningRate
from keras_regopt._validate import fail, in_range, integer
from keras_regopt.optimizers.engine._base import Optimizer
from keras_regopt.optimizers.engine._control_dependencies import after


class ScheduleFree(Optimizer):
    """Base of the schedule-free optimizers.

    Three sequences of weights: `z` makes the steps, `x` is their average and
    what a model is used with, and the gradients are taken between the two, at
    `y = x + (1 - b) (z - x)`. The model's variables hold `y` while a train
    function runs and `x` at all other times. This class keeps the distance
    `s = z - x`. With the step `d` of `z`, and with the part `c` that the
    newest `z` has in the average,

        x = x + c (s - d);  s = (1 - c) (s - d).

    The distance is zero at the start whatever the weights are, stays good when
    weights are loaded or set from outside, and needs no division by `b`.

    A subclass has a property `interpolation`, which is `b`, and writes
    `descent`, which is `d`.

    Args:
        learning_rate: A number >= 0, a `LearningRateSchedule`, or a function
            without arguments.
        warmup_steps: Steps over which the rate grows linearly, at least 0.
        r: Power >= 0 of the step in the weights of the average.
        weight_lr_power: Power >= 0 of the largest rate so far in them.
        **kwargs: Keras' base arguments.

    Raises:
        ValueError: If an argument is out of its range, or `use_ema` is set.
    """

    decays_itself = True

    def __init__(
        self,
        learning_rate: LearningRate,
        warmup_steps: int,
        r: float,
        weight_lr_power: float,
        **kwargs,
    ):
        if kwargs.get("use_ema"):
            remedy = "The weights are an average already."
            fail(self, "use_ema", "False", kwargs["use_ema"], remedy)
        super().__init__(learning_rate, **kwargs)
        self.warmup_steps = integer(self, "warmup_steps", warmup_steps, low=0)
        self.r = in_range(self, "r", r, low=0)
        self.weight_lr_power = in_range(
            self, "weight_lr_power", weight_lr_power, low=0
        )
        hook_models()

    def slot_names(self):
        return [("distance",)]

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.weight_sum, self.lr_max, self.holds_average = (
            self.add_variable(
                shape=(),
                dtype="float32",
                aggregation="only_first_replica",
                name=name,
            )
            # The last is 1 while the variables hold x, 0 while they hold y.
            for name in ("weight_sum", "lr_max", "holds_average")
        )

    def kind_of(self, index, variable):
        # A constraint may need the variable as a whole.
        alone = self._trainable_variables[index].constraint is not None
        return None if alone else super().kind_of(index, variable)

    def may_compile(self, index):
        # What a constraint computes may not suit the compiler.
        return self._trainable_variables[index].constraint is None

    def descent(self, gradient, point, slots, rate, step):
        """The step of `z`, to be subtracted.

        Args:
            gradient: The gradient.
            point: The value of the variable, at which the gradient was taken.
            slots: The state of the variable, but for the distance.
            rate: The variable's learning rate, with warm-up.
            step: The `Step`.

        Returns:
            A tensor like the gradient, and the list of the new state.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must write "
            "`descent(self, gradient, point, slots, rate, step)`."
        )

    def rate_factor(self, step):
        """The factor on the learning rate of a step, counted from 1."""
        if self.warmup_steps == 0:
            return 1.0
        return ops.minimum(step / self.warmup_steps, 1.0)

    def step_values(self, gradients, variables, learning_rate):
        note_step(self)
        step = ops.cast(self.iterations + 1, "float32")
        rate_factor = self.rate_factor(step)
        rate = ops.cast(learning_rate, "float32") * rate_factor
        lr_max = ops.maximum(self.lr_max, rate)
        weight = step**self.r * lr_max**self.weight_lr_power
        weight_sum = self.weight_sum + weight
        # Own loops may come here with x in the variables, and leave with y.
        holds_point = 1 - self.holds_average
        with after(gradients):
            self.lr_max.assign(lr_max)
            self.weight_sum.assign(weight_sum)
            self.holds_average.assign(0.0)
        # All weights are zero while the rate is.
        part = ops.where(
            weight_sum > 0, weight / ops.where(weight_sum > 0, weight_sum, 1), 0
        )
        b = self.interpolation
        return {
            "rate_factor": rate_factor,
            "part": part,
            "forth": 1 - b + b * part,
            "back": (1 - b) * holds_point,
        }

    def formula(self, variable, gradient, slots, step):
        values = step.values
        distance, *slots = slots
        rate = step.rate * values["rate_factor"]
        move, slots = self.descent(gradient, variable, slots, rate, step)
        ahead = distance - move
        constraint = self._trainable_variables[step.index].constraint
        if constraint is not None:
            # z keeps to it, and so do its averages where the set is convex.
            average = variable - distance * values["back"]
            ahead = constraint(average + ahead) - average
        variable = variable + (
            ahead * values["forth"] - distance * values["back"]
        )
        return variable, [ahead * (1 - values["part"]), *slots]

    def switch_to_training(self):
        """Puts `y` into the variables, unless they hold it already.

        `fit` and `train_on_batch` do this by themselves. In a loop of your
        own, call it before you train on. Under `tf.distribute`, call it
        outside of `strategy.run`.
        """
        self._switch(0.0)

    def switch_to_evaluation(self):
        """Puts the average `x` into the variables, unless they hold it already.

        In a loop of your own, call it before you evaluate or save the model.
        """
        self._switch(1.0)

    def restart(self):
        if self.built:
            distances = [d for d in self.states("distance") if d is not None]
            for variable in (self.weight_sum, *distances):
                variable.assign(ops.zeros(variable.shape, variable.dtype))

    @contextlib.contextmanager
    def evaluation(self):
        """Context in which the variables hold `x`; afterwards they hold `y`."""
        self.switch_to_evaluation()
        try:
            yield
        finally:
            self.switch_to_training()

    def _switch(self, holds_average):
        if not self.built:
            return
        factor = (1 - self.interpolation) * (self.holds_average - holds_average)
        pairs = [
            (variable, distance)
            for variable, distance in zip(
                self._trainable_variables, self.states("distance"), strict=True
            )
            if distance is not None
        ]
        _add(self, pairs, factor)
        self.holds_average.assign(holds_average)
        if holds_average:
            for variable, _ in pairs:
                if variable.constraint is not None:
                    variable.assign(variable.constraint(variable))


def _add(optimizer, pairs, factor):
    """Adds to each variable a factor times its distance."""
    if not pairs:
        return
    variables, distances = zip(*pairs, strict=True)
    if keras.backend.backend() == "tensorflow":

        def add(variable, distance):
            change = ops.cast(factor, variable.dtype) * distance
            optimizer.assign_add(variable, change)

        for variable, distance in pairs:
            strategy_of(optimizer).extended.update(
                variable.value, add, args=(distance.value,), group=False
            )
    elif keras.backend.backend() == "torch":
        import torch

        from keras_regopt.optimizers.engine import _torch_lists

        # All at once, which is fast and cannot be interrupted half-way.
        with torch.no_grad():
            changes = _torch_lists.multiplied(
                [d.value for d in distances], factor
            )
            _torch_lists.add([v.value for v in variables], changes)
    else:
        for variable, distance in pairs:
            change = ops.cast(factor, variable.dtype) * distance
            variable.assign_add(change)

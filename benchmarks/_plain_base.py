"""Base of optimizers as one writes them down on Keras' class, to compare with.

Keras has no class of these names. Each makes the steps of ours with the default
arguments, without weight decay, one operation after the other.
"""

import keras
from keras import ops


class Plain(keras.optimizers.Optimizer):
    """Base: state in lists, one for each name.

    Args:
        learning_rate: The learning rate.
    """

    slots: tuple = ()

    def __init__(self, learning_rate):
        super().__init__(learning_rate)

    def build(self, variables):
        super().build(variables)
        for name in self.slots:
            setattr(
                self, f"{name}s", self.add_optimizer_variables(variables, name)
            )

    def of(self, variable):
        index = self._get_variable_index(variable)
        return [getattr(self, f"{name}s")[index] for name in self.slots]

    def scalar(self, name, value=0.0):
        return self.add_variable(
            (), keras.initializers.Constant(value), "float32", name=name
        )

    def since_start(self, own, variable):
        """What a variable was at the first step; in the first, what it is."""
        first = ops.equal(self.iterations, 0)
        own, value = map(ops.convert_to_tensor, (own, variable))
        return ops.where(first, value, own)

    def average(self, own, value, beta):
        self.assign_add(own, (value - own) * (1 - beta))

    def corrections(self, beta_1, beta_2):
        step = ops.cast(self.iterations + 1, "float32")
        return 1 - beta_1**step, ops.sqrt(1 - beta_2**step)

from keras_regopt._config import SignatureConfig


class GradientTransformation(SignatureConfig):
    """Base of the transformations that `Transformed` applies around a step.

    A subclass writes `transform_gradients`, which comes before the step of the
    optimizer, or `transform_updates`, which comes after it, or both; it keeps
    its arguments under their own names, checks them at construction and is
    registered. State that lasts from step to step is made in `build`.

    Arguments and results are lists of tensors of the same shapes and dtypes.
    The gradients are complete, that is dense, unscaled and, under
    `tf.distribute`, summed over the replicas. All functions run inside of
    compiled train steps,
    so they must not branch on values nor change the tensors that they get.
    """

    # Whether the transformed sum of some gradients is the sum of the
    # transformed ones. Then each replica may transform its own gradients.
    is_linear = False

    def build(self, optimizer, variables):
        """Creates the state for each variable; none by default.

        Args:
            optimizer: The wrapper around the optimizer. Its `add_variable` and
                `add_optimizer_variables` make variables that are saved.
            variables: The model's variables.

        Returns:
            A list with the state of every variable, of any kind.
        """
        return [None] * len(variables)

    def transform_gradients(self, gradients, variables, step, state):
        """Acts on the gradients before the step; by default not at all.

        Args:
            gradients: List of tensors. Variables without gradient are left out.
            variables: List of the variables that they belong to.
            step: How many steps the optimizer has made, an integer tensor; how
                many calls there were, around one that skips some.
            state: List of the state of these variables.

        Returns:
            List of tensors.
        """
        return gradients

    def transform_updates(self, updates, gradients, variables, step, state):
        """Acts on what the step added to the variables; by default not at all.

        Args:
            updates: List of tensors, the new values minus the old ones.
            gradients: List of the gradients that the optimizer was given.
            variables: List of the variables.
            step: How many steps were made, this one included.
            state: List of the state of these variables.

        Returns:
            List of tensors.
        """
        return updates


def overrides(transformation, name):
    """Whether a transformation has a function of its own for this name."""
    return getattr(type(transformation), name) is not getattr(
        GradientTransformation, name
    )


def unit_axes(variable):
    """The axes that lie within one unit (output) of a layer's weight.

    Args:
        variable: A variable of a model.

    Returns:
        All axes but the last, since Keras' kernels end with the outputs; all
        but the first for the rows of an `Embedding`; `None` for a scalar or a
        vector, which has no units.
    """
    rank = len(variable.shape)
    if rank < 2:
        return None
    if variable.name == "embeddings":
        return tuple(range(1, rank))
    return tuple(range(rank - 1))

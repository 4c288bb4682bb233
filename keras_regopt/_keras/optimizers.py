"""Rates, counters, averages and the parts of a step of Keras' optimizers."""


def held_rate(optimizer):
    """What an optimizer has its rate from.

    Args:
        optimizer: An optimizer.

    Returns:
        A variable, a `LearningRateSchedule` or a function without arguments.
    """
    return optimizer._learning_rate


def replace_rate(optimizer, rate):
    """Replaces what `held_rate` returns, for a time.

    The property `learning_rate` would give the old rate up for good.

    Args:
        optimizer: An optimizer.
        rate: What `held_rate` returned, or another of its kinds.
    """
    optimizer._learning_rate = rate


def count_of_calls(optimizer):
    """The variable that counts the calls of `apply`.

    `iterations` are fewer under Keras' gradient accumulation.
    """
    return optimizer._iterations


def trained_variables(optimizer):
    """The variables of the model that an optimizer was built with, a list."""
    return optimizer._trainable_variables


def own_variables(optimizer):
    """The list in which Keras keeps an optimizer's own variables."""
    return optimizer._variables


def index_of(optimizer, variable):
    """Which of `trained_variables` a variable is, on TensorFlow also natively.

    Raises:
        KeyError: If it is none of them.
    """
    return optimizer._get_variable_index(variable)


def index_or_none(optimizer, variable):
    """As `index_of`, with `None` for a variable that is none of them."""
    return optimizer._trainable_variables_indices.get(
        optimizer._var_key(variable)
    )


def is_overwritten(optimizer, variable):
    """Whether a variable takes the value of its gradient, as in float8."""
    return optimizer._overwrite_variable_with_gradient(variable)


def averages_of(optimizer):
    """The averages of `trained_variables` under `use_ema`; some are `None`."""
    return optimizer._model_variables_moving_average


def move_averages(optimizer, variables):
    """Moves the averages towards the variables, as Keras does each step."""
    optimizer._update_model_variables_moving_average(variables)


def overwrite_with_averages(optimizer, variables):
    """Gives variables their averages, as Keras does now and then."""
    optimizer._overwrite_model_variables_with_average_value(variables)


def accumulated_gradients(optimizer, variables):
    """The sums of the gradients of variables under Keras' accumulation."""
    sums = optimizer._accumulated_gradients
    return [sums[index_of(optimizer, variable)] for variable in variables]


def accumulate(optimizer, gradients, sums):
    """Adds gradients to their sums, which `accumulated_gradients` returned."""
    optimizer._backend_increment_gradient_accumulators(gradients, sums)


def clipped(optimizer, gradients):
    """The gradients, clipped as the optimizer was told to."""
    return optimizer._clip_gradients(gradients)


def decay_weights(optimizer, variables):
    """Decays variables before the step."""
    optimizer._apply_weight_decay(variables)


def decays(optimizer, variable):
    """Whether the weight decay of an optimizer is meant for a variable."""
    return optimizer._use_weight_decay(variable)


def step_of_backend(optimizer, gradients, variables, rate):
    """Makes the step from gradients that are complete and clipped."""
    optimizer._backend_update_step(gradients, variables, rate)


def all_reduced(optimizer, gradients, variables):
    """The gradients on TensorFlow, summed over the replicas, as a list."""
    pairs = zip(gradients, variables, strict=True)
    return [g for g, _ in optimizer._all_reduce_sum_gradients(pairs)]


def strategy_of(optimizer):
    """The `tf.distribute.Strategy` that an optimizer was made in."""
    return optimizer._distribution_strategy

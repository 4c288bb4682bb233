"""Steps on small variables: of an optimizer of Keras, of optax, of torch."""

import functools

import jax
import jax.numpy as jnp
import keras
import numpy as np
import optax
import torch

SHAPES = [(), (3,), (4, 5), (3, 3, 2, 4)]


def gradients(step, shapes=SHAPES):
    random = np.random.default_rng(step)
    return [random.normal(size=s).astype("float32") for s in shapes]


def variables_at_start(dtype="float32", given=gradients):
    return [keras.Variable(value, dtype=dtype) for value in given(1000)]


def run(
    optimizer, steps=20, variables=None, first=0, scale=1.0, given=gradients
):
    """The values after some steps, as float32 arrays.

    Not compiled: on JAX, that alone would take longer than some dozen steps.
    """
    variables = variables or variables_at_start(given=given)
    for step in range(first, first + steps):
        slopes = [
            keras.ops.convert_to_tensor(g * scale, v.dtype)
            for g, v in zip(given(step), variables, strict=True)
        ]
        optimizer.apply(slopes, variables)
    return values_of(variables)


def quick_step(optimizer, variables):
    """A function of gradients that makes a compiled step: for hundreds."""
    if keras.backend.backend() == "torch":
        return lambda slopes: optimizer.apply(slopes, variables)
    optimizer.build(variables)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(lambda slopes: optimizer.apply(slopes, variables))
    apply = jax.jit(optimizer.stateless_apply)

    def step(slopes):
        state = optimizer.variables
        values, states = apply(
            [v.value for v in state], slopes, [v.value for v in variables]
        )
        for variable, value in zip(
            [*variables, *state], [*values, *states], strict=True
        ):
            variable.assign(value)

    return step


def values_of(variables):
    return [
        np.array(keras.ops.convert_to_numpy(keras.ops.cast(v, "float32")))
        for v in variables
    ]


def optax_run(
    optimizer,
    steps=20,
    outputs_first=False,
    given=gradients,
    dtype="float64",
    result=lambda state, values: values,
):
    """The same of an optax optimizer, which may want the outputs first.

    In double precision, since optax' corrections lose digits in float32.
    """

    def turned(arrays, source, target):
        if not outputs_first:
            return arrays
        return [np.moveaxis(a, source, target) if a.ndim else a for a in arrays]

    with jax.enable_x64(dtype == "float64"):
        update = jax.jit(optimizer.update)
        values = [jnp.array(v, dtype) for v in turned(given(1000), -1, 0)]
        state = optimizer.init(values)
        for step in range(steps):
            slopes = [np.asarray(g, dtype) for g in turned(given(step), -1, 0)]
            updates, state = update(slopes, state, values)
            values = optax.apply_updates(values, updates)
        values = result(state, values)
        return turned([np.asarray(v) for v in values], 0, -1)


def torch_run(
    cls, learning_rate, steps=20, scale=1.0, given=gradients, **options
):
    """The same of a class of torch, with a rate or a function of the step."""
    parameters = [torch.nn.Parameter(torch.tensor(v)) for v in given(1000)]
    optimizer = cls(parameters, **options)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = (
                learning_rate(step)
                if callable(learning_rate)
                else learning_rate
            )
        for parameter, gradient in zip(parameters, given(step), strict=True):
            parameter.grad = torch.tensor(gradient * scale)
        optimizer.step()
    return [p.detach().numpy() for p in parameters]


def falling(rate=0.1):
    """A schedule of Keras, and the same as a function of the step."""
    return (
        keras.optimizers.schedules.ExponentialDecay(rate, 5, 0.5),
        lambda step: rate * 0.5 ** (step / 5),
    )


def assert_close(ours, theirs, rtol=1e-5, atol=1e-6):
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


# The fewer the numbers, the smaller the largest, the finer its bfloat16.
FEW = functools.partial(gradients, shapes=[(), (3,), (4, 5), (2, 3, 4)])


def assert_close_in_half_precision(make, atol=0.05, given=FEW):
    """Twenty steps of bfloat16 variables are near those of float32.

    The first have eight bits of mantissa, for numbers of the order of 1.
    """
    half = run(
        make(), variables=variables_at_start("bfloat16", given), given=given
    )
    assert_close(half, run(make(), given=given), rtol=0, atol=atol)

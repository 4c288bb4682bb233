"""What the workers of bench_optimizers.py run: one step of each contender."""

import functools

import _plain_optimizers
import keras
import numpy as np
from keras import ops

from keras_regopt import optimizers

RATE = 1e-4
# Of an embedding, in one batch.
ROWS_SEEN = 4096
BATCH = 32


class KernelAdam(keras.optimizers.Adam):
    """Adam by the kernel that TensorFlow has for it, one call a variable."""

    def update_step(self, gradient, variable, learning_rate):
        import tensorflow as tf

        index = self._get_variable_index(variable)
        step = ops.cast(self.iterations + 1, "float32")
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=ops.power(self.beta_1, step),
            beta2_power=ops.power(self.beta_2, step),
            lr=learning_rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


def steps(backend, description, kind, shapes):
    """A contender, in all modes of a backend.

    Args:
        backend: A backend of Keras.
        description: (place, class, arguments), where the place is `"Keras"`,
            `"ours"`, `"plain"`, `"TensorFlow"`, `"optax"`, `"torch"` or
            `"memory"`.
        kind: `"dense"`, `"rows"` or `"train"`.
        shapes: The shapes of the variables.

    Yields:
        (mode, function without arguments).
    """
    make = MAKERS.get((kind, backend, description[0]))
    if make:
        yield from make(*description, shapes)


def in_keras(place, name, arguments):
    """An optimizer of Keras' kind."""
    places = {
        "Keras": keras.optimizers,
        "ours": optimizers,
        "plain": _plain_optimizers,
    }
    cls = getattr(places[place], name) if place in places else globals()[name]
    arguments = {
        key: in_keras(*value) if isinstance(value, tuple) else value
        for key, value in arguments.items()
    }
    if "inner" not in arguments:
        arguments = {"learning_rate": RATE, **arguments}
    return cls(**arguments)


def arrays(shapes):
    random = np.random.default_rng(0)
    for shape in shapes:
        yield random.standard_normal(shape, "float32") * np.float32(0.01)


def copied(place, name, arguments, shapes):
    """A plain copy of the variables' bytes: 8 bytes moved a parameter."""
    size = sum(int(np.prod(shape)) for shape in shapes)
    source, target = np.ones((2, size), "float32")
    yield "memory", lambda: np.copyto(target, source)


def dense_tensorflow(place, name, arguments, shapes):
    import tensorflow as tf

    variables = [keras.Variable(array) for array in arrays(shapes)]
    gradients = [tf.constant(array) for array in arrays(shapes)]
    optimizer = in_keras(place, name, arguments)
    yield from in_graphs(optimizer, gradients, variables)


def rows_tensorflow(place, name, arguments, shapes):
    import tensorflow as tf

    (shape,) = shapes
    gradient = tf.IndexedSlices(
        tf.constant(next(arrays([(ROWS_SEEN, shape[1])]))),
        tf.constant(rows_seen(shape[0])),
        tf.constant(shape),
    )
    variables = [keras.Variable(next(arrays(shapes)))]
    optimizer = in_keras(place, name, arguments)
    yield from in_graphs(optimizer, [gradient], variables)


def in_graphs(optimizer, gradients, variables):
    import tensorflow as tf

    def step():
        # Results of the graph, as in a train step, instead of its inputs.
        results = tf.nest.map_structure(
            tf.identity, gradients, expand_composites=True
        )
        optimizer.apply(results, variables)

    # Of functions that are traced again for every step that is compared.
    tf.get_logger().setLevel("ERROR")
    optimizer.build(variables)
    for mode, jit in (("TF graph", False), ("TF jit", True)):
        yield mode, tf.function(step, autograph=False, jit_compile=jit)


def dense_jax(place, name, arguments, shapes):
    variables = [keras.Variable(array) for array in arrays(shapes)]
    optimizer = in_keras(place, name, arguments)
    optimizer.build(variables)

    def step(weights, state, gradients):
        return optimizer.stateless_apply(state, gradients, weights)

    state = [v.value for v in optimizer.variables]
    yield "JAX", donating(step, [v.value for v in variables], state, shapes)


def dense_optax(place, name, arguments, shapes):
    import jax.numpy as jnp
    import optax

    arguments = dict(arguments)
    clip = arguments.pop("clip", None)
    optimizer = getattr(optax, name)(RATE, **arguments)
    if clip:
        clip = optax.clip_by_global_norm(clip)
        optimizer = optax.chain(clip, optimizer)

    def step(weights, state, gradients):
        updates, state = optimizer.update(gradients, state, weights)
        return optax.apply_updates(weights, updates), state

    weights = [jnp.array(array) for array in arrays(shapes)]
    yield "JAX", donating(step, weights, optimizer.init(weights), shapes)


def donating(step, weights, state, shapes):
    """A jitted step on weights and state that changes both in place."""
    import jax
    import jax.numpy as jnp

    step = jax.jit(step, donate_argnums=(0, 1))
    gradients = [jnp.array(array) for array in arrays(shapes)]
    held = [weights, state]

    def run():
        held[:] = step(*held, gradients)
        jax.block_until_ready(held)

    return run


def dense_torch(place, name, arguments, shapes):
    import torch

    variables = [keras.Variable(array) for array in arrays(shapes)]
    gradients = [torch.from_numpy(array) for array in arrays(shapes)]
    optimizer = in_keras(place, name, arguments)
    optimizer.build(variables)

    def step():
        with torch.no_grad():
            optimizer.apply(gradients, variables)

    yield "torch", step


def dense_torch_own(place, name, arguments, shapes):
    import torch

    arguments = dict(arguments)
    clip = arguments.pop("clip", None)
    weights = [torch.from_numpy(array) for array in arrays(shapes)]
    for weight, array in zip(weights, arrays(shapes), strict=True):
        weight.grad = torch.from_numpy(array)
    optimizer = getattr(torch.optim, name)(weights, lr=RATE, **arguments)

    def step():
        if clip:
            torch.nn.utils.clip_grad_norm_(weights, clip, foreach=True)
        optimizer.step()

    yield "torch", step


def rows_torch_own(place, name, arguments, shapes):
    import torch

    (shape,) = shapes
    weight = torch.from_numpy(next(arrays(shapes)))
    weight.grad = torch.sparse_coo_tensor(
        torch.from_numpy(rows_seen(shape[0])[None]),
        torch.from_numpy(next(arrays([(ROWS_SEEN, shape[1])]))),
        shape,
        check_invariants=False,
    )
    optimizer = getattr(torch.optim, name)([weight], lr=RATE, **arguments)
    yield "torch", optimizer.step


def rows_seen(rows):
    return np.random.default_rng(0).integers(0, rows, ROWS_SEEN)


def train(place, name, arguments, shapes):
    """Whole train steps of a network, one square layer a shape."""
    arguments = dict(arguments)
    penalty = arguments.pop("kernel_regularizer", None)
    if penalty:
        penalty = keras.regularizers.L2(penalty)
    random = np.random.default_rng(0)
    width = shapes[0][0]
    x = random.standard_normal((BATCH, width), "float32")
    y = random.standard_normal((BATCH, width), "float32")
    modes = {
        "tensorflow": {"TF graph": False, "TF jit": True},
        "jax": {"JAX": True},
        "torch": {"torch": False},
    }
    for mode, jit in modes[keras.backend.backend()].items():
        model = keras.Sequential([keras.Input((width,))])
        for shape in shapes:
            model.add(
                keras.layers.Dense(shape[1], "relu", kernel_regularizer=penalty)
            )
        optimizer = in_keras(place, name, arguments)
        model.compile(optimizer, "mse", jit_compile=jit)
        yield mode, functools.partial(model.train_on_batch, x, y)


MAKERS = {
    ("dense", "numpy", "memory"): copied,
    ("dense", "tensorflow", "TensorFlow"): dense_tensorflow,
    ("dense", "jax", "optax"): dense_optax,
    ("dense", "torch", "torch"): dense_torch_own,
    ("rows", "torch", "torch"): rows_torch_own,
}
for _place in ("Keras", "ours", "plain"):
    MAKERS["dense", "tensorflow", _place] = dense_tensorflow
    MAKERS["dense", "jax", _place] = dense_jax
    MAKERS["dense", "torch", _place] = dense_torch
    MAKERS["rows", "tensorflow", _place] = rows_tensorflow
    for _backend in ("tensorflow", "jax", "torch"):
        MAKERS["train", _backend, _place] = train

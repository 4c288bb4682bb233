import keras
import numpy as np
import pytest
from trajectories import (
    assert_close,
    gradients,
    run,
    values_of,
    variables_at_start,
)

from keras_regopt.optimizers import RAdam
from keras_regopt.optimizers.wrappers.gradient_accumulation import (
    GradientAccumulation,
)
from keras_regopt.testing._backend import backend, data_parallel
from keras_regopt.testing._contract import NotApplicable
from keras_regopt.testing._samples import (
    compile_arguments,
    data,
    dense_model,
    modes,
)

# What costs the least where the way of running is of no account, and what is
# least forgiving.
QUICK = "jit" if backend() == "jax" else "eager"
STRICT = modes()[-1]


def run_on_means(optimizer, steps, of, factor=1.0, variables=None):
    """Some steps, each with the mean of the gradients of several."""
    variables = variables or variables_at_start()
    for step in range(steps):
        parts = [gradients(step * of + i) for i in range(of)]
        means = [np.mean(p, axis=0) * factor for p in zip(*parts, strict=True)]
        optimizer.apply(
            [keras.ops.convert_to_tensor(m) for m in means], variables
        )
    return values_of(variables)


def inner(name):
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.5)
    return {
        "sgd": lambda: keras.optimizers.SGD(
            schedule, momentum=0.9, global_clipnorm=1.0
        ),
        "adam with all": lambda: keras.optimizers.Adam(
            schedule, weight_decay=0.1, clipnorm=0.5, use_ema=True
        ),
        "ours": lambda: RAdam(schedule, weight_decay=0.1, use_ema=True),
    }[name]()


@pytest.mark.any_case
@pytest.mark.parametrize("name", ["sgd", "adam with all", "ours"])
@pytest.mark.parametrize("steps", [1, 3])
def test_steps_and_state_are_those_with_the_mean_of_the_gradients(name, steps):
    accumulating = GradientAccumulation(inner(name), steps)
    plain = inner(name)
    ours = run(accumulating, 20 * steps)
    assert_close(ours, run_on_means(plain, 20, of=steps))
    assert_close(
        values_of(accumulating.inner.variables), values_of(plain.variables)
    )


def test_makes_the_step_with_the_sum_if_told_so():
    accumulating = GradientAccumulation(inner("sgd"), 3, average=False)
    expected = run_on_means(inner("sgd"), 5, of=3, factor=3)
    assert_close(run(accumulating, 15), expected)


def test_between_two_steps_nothing_moves_but_the_collected_gradients():
    class Shrink(keras.constraints.Constraint):
        def __call__(self, w):
            return w * 0.5

    variables = [keras.Variable(v) for v in gradients(1000)]
    for variable in variables:
        variable.constraint = Shrink()
    accumulating = GradientAccumulation(inner("adam with all"), 3)
    accumulating.build(variables)
    before = values_of([*variables, *accumulating.inner.variables])
    run(accumulating, 2, variables)
    after = values_of([*variables, *accumulating.inner.variables])
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)
    run(accumulating, 1, variables, first=2)
    plain = inner("adam with all")
    constrained = [keras.Variable(v) for v in gradients(1000)]
    for variable in constrained:
        variable.constraint = Shrink()
    expected = run_on_means(plain, 1, of=3, variables=constrained)
    assert_close(values_of(variables), expected)


@pytest.mark.parametrize("mode", sorted({QUICK, STRICT}))
def test_fits_as_with_batches_that_are_larger(mode):
    def trained(optimizer, batch_size):
        model = dense_model(optimizer, mode=mode, kernel_constraint="unit_norm")
        x, y = data()
        model.fit(
            x, y, batch_size=batch_size, epochs=5, shuffle=False, verbose=0
        )
        return values_of([*model.weights, *inner_variables(model.optimizer)])

    def inner_variables(optimizer):
        return getattr(optimizer, "inner", optimizer).variables

    assert_close(
        trained(GradientAccumulation(inner("adam with all"), 4), 2),
        trained(inner("adam with all"), 8),
        atol=2e-6,
    )


def test_collects_in_single_precision_for_half_precision_variables():
    variable = keras.Variable([0.0], dtype="bfloat16")
    optimizer = GradientAccumulation(keras.optimizers.SGD(1.0), 300, False)
    for _ in range(300):
        slope = keras.ops.convert_to_tensor([-1.0], dtype="bfloat16")
        optimizer.apply([slope], [variable])
    # In half precision the sum would come to a halt at 256.
    assert values_of([variable])[0][0] == pytest.approx(300, rel=0.005)


def test_a_batch_with_gradients_that_are_not_finite_does_not_count():
    def trained(*batches):
        optimizer = GradientAccumulation(keras.optimizers.Adam(0.1), 2)
        scaled = keras.optimizers.LossScaleOptimizer(
            optimizer, initial_scale=2.0**8
        )
        model = dense_model(scaled, mode=QUICK)
        for x, y in batches:
            model.fit(x, y, batch_size=4, verbose=0)
        return values_of([*model.weights, *optimizer.variables])

    x, y = data()
    first, second = (x[:4], y[:4]), (x[4:], y[4:])
    broken = (x[:4] * np.inf, y[:4])
    assert_close(
        trained(first, broken, second), trained(first, second), rtol=1e-6
    )


def test_sparse_gradients_are_collected_as_dense_ones():
    if backend() != "tensorflow":
        pytest.skip(reason="only TensorFlow has sparse gradients")
    assert_close(
        embedding_trained(GradientAccumulation(momentum_sgd(), 4), 1),
        embedding_trained(momentum_sgd(), 4),
    )


# Not Keras' Adam, which is wrong where an id comes twice.
def momentum_sgd():
    return keras.optimizers.SGD(0.1, momentum=0.9)


def embedding_trained(optimizer, batch_size):
    ids = np.array([[0, 1], [1, 2], [5, 5], [0, 3]])
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((2,), dtype="int32"), keras.layers.Embedding(6, 3)]
    )
    model.compile(optimizer, "mse", **compile_arguments("graph"))
    y = np.ones((4, 2, 3), "float32")
    model.fit(ids, y, batch_size=batch_size, epochs=3, shuffle=False, verbose=0)
    return values_of(model.weights)


def test_leaves_variables_without_a_gradient_to_the_inner_optimizer():
    variables = [keras.Variable([1.0]), keras.Variable([1.0])]
    decaying = keras.optimizers.SGD(0.1, weight_decay=0.5)
    optimizer = GradientAccumulation(decaying, 2)
    slope = keras.ops.convert_to_tensor([1.0])
    optimizer.build(variables)
    optimizer.apply([slope, None], variables)
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        optimizer.apply([slope, None], variables)
    first, second = values_of(variables)
    assert first[0] < 1
    assert second[0] == 1


def test_two_devices_collect_what_one_collects():
    def train():
        optimizer = GradientAccumulation(RAdam(0.1), 4)
        model = dense_model(optimizer)
        x, y = data()
        # Six batches: a step, and half of the gradients for another one.
        model.fit(
            np.tile(x, (3, 1)),
            np.tile(y, (3, 1)),
            batch_size=4,
            shuffle=False,
            verbose=0,
        )
        return values_of([*model.weights, *optimizer.variables])

    try:
        parallel = data_parallel(train)
    except NotApplicable as reason:
        pytest.skip(reason=str(reason))
    assert_close(parallel, train())


def test_two_devices_collect_the_sparse_gradients_of_both():
    if backend() != "tensorflow":
        pytest.skip(reason="only TensorFlow has sparse gradients")
    # Each device sees one row of a batch, and some ids are on both.
    parallel = data_parallel(
        lambda: embedding_trained(GradientAccumulation(momentum_sgd(), 2), 2)
    )
    assert_close(parallel, embedding_trained(momentum_sgd(), 4))


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"inner": 3, "steps": 2}, "inner"),
        ({"inner": "sgd", "steps": 0}, "steps"),
        ({"inner": "sgd", "steps": 2.5}, "steps"),
        ({"inner": "sgd", "steps": 2, "average": "mean"}, "average"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(
        ValueError, match=f"`{name}` of GradientAccumulation must be"
    ):
        GradientAccumulation(**arguments)

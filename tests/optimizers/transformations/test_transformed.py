import copy

import keras
import numpy as np
import pytest
from keras import ops
from keras_versions import since_keras
from trajectories import (
    assert_close,
    gradients,
    run,
    values_of,
    variables_at_start,
)

from keras_regopt.optimizers import Lookahead, RAdam
from keras_regopt.optimizers.transformations._transformation import (
    GradientTransformation,
)
from keras_regopt.optimizers.transformations.adaptive_gradient_clipping import (
    AdaptiveGradientClipping,
)
from keras_regopt.optimizers.transformations.cautious_mask import CautiousMask
from keras_regopt.optimizers.transformations.gradient_centralization import (
    GradientCentralization,
)
from keras_regopt.optimizers.transformations.gradient_noise import GradientNoise
from keras_regopt.optimizers.transformations.gradient_normalization import (
    GradientNormalization,
)
from keras_regopt.optimizers.transformations.gradient_sign import GradientSign
from keras_regopt.optimizers.transformations.transformed import Transformed
from keras_regopt.optimizers.wrappers.gradient_accumulation import (
    GradientAccumulation,
)
from keras_regopt.optimizers.wrappers.sam import SAM
from keras_regopt.testing._backend import data_parallel
from keras_regopt.testing._contract import NotApplicable


@keras.saving.register_keras_serializable("test")
class Average(GradientTransformation):
    """Averages the gradients, and halves the updates that come of it."""

    def __init__(self, decay=0.5):
        self.decay = decay

    def build(self, optimizer, variables):
        return optimizer.add_optimizer_variables(variables, "average")

    def transform_gradients(self, gradients, variables, step, state):
        for average, gradient in zip(state, gradients, strict=True):
            average.assign(average * self.decay + gradient)
        return [ops.convert_to_tensor(average) for average in state]

    def transform_updates(self, updates, gradients, variables, step, state):
        return [update / 2 for update in updates]


def sgd(**arguments):
    return keras.optimizers.SGD(0.1, **arguments)


def everything():
    return [
        GradientCentralization(),
        GradientNoise(0.01, seed=1),
        AdaptiveGradientClipping(0.5),
        Average(),
        GradientNormalization(),
        CautiousMask(),
    ]


def data():
    x = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
    return x, x[:, :1]


def model_with(optimizer, **compile_arguments):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(3, activation="tanh"),
            keras.layers.Dense(1),
        ]
    )
    model.compile(optimizer, "mse", **compile_arguments)
    return model


def fit(model, epochs=3):
    x, y = data()
    history = model.fit(x, y, epochs=epochs, shuffle=False, verbose=0)
    return history.history["loss"]


def test_keeps_the_state_that_a_transformation_builds():
    ours = run(Transformed(sgd(), [Average()]))
    expected = gradients(1000)
    averages = [np.zeros_like(v) for v in expected]
    for step in range(20):
        for value, average, g in zip(
            expected, averages, gradients(step), strict=True
        ):
            average *= 0.5
            average += g
            value -= 0.05 * average
    assert_close(ours, expected)


@pytest.mark.any_backend
def test_applies_the_transformations_in_the_order_of_the_list():
    gradient = ops.convert_to_tensor([[3.0, 1.0], [1.0, 1.0], [2.0, 1.0]])
    moves = []
    for order in (1, -1):
        variable = keras.Variable(np.zeros((3, 2), "float32"))
        transformations = [GradientCentralization(), GradientSign()][::order]
        Transformed(keras.optimizers.SGD(1.0), transformations).apply(
            [gradient], [variable]
        )
        moves.append(values_of([variable])[0].tolist())
    assert moves[0] == [[-1, 0], [1, 0], [0, 0]]
    assert moves[1] == [[0, 0], [0, 0], [0, 0]]


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "name",
    [
        "adam",
        "rmsprop",
        "lion",
        "ftrl",
        pytest.param("muon", marks=since_keras("3.14", "it by name")),
    ],
)
def test_goes_around_the_optimizers_of_keras(name):
    losses = fit(model_with(Transformed(name, everything())), epochs=2)
    assert np.all(np.isfinite(losses))


def test_leaves_variables_without_gradient_where_they_are():
    variables = variables_at_start()
    before = values_of(variables)
    given = [ops.convert_to_tensor(g) for g in gradients(0)]
    given[1] = None
    optimizer = Transformed(sgd(), [Average(), CautiousMask()])
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        optimizer.apply(given, variables)
    after = values_of(variables)
    np.testing.assert_array_equal(before[1], after[1])
    assert not np.array_equal(before[2], after[2])


@pytest.mark.any_backend
def test_hands_on_what_overwrites_a_variable():
    variables = [keras.Variable(np.ones(3, "float32")) for _ in range(2)]
    variables[0].overwrite_with_gradient = True
    optimizer = Transformed(sgd(), [GradientSign()])
    given = [ops.convert_to_tensor([7.0, 8.0, 9.0]) for _ in range(2)]
    optimizer.apply(given, variables)
    overwritten, moved = values_of(variables)
    np.testing.assert_allclose(overwritten, [7, 8, 9])
    np.testing.assert_allclose(moved, 0.9)


@pytest.mark.any_case
@pytest.mark.parametrize("around", [lambda x: x, Lookahead])
def test_sees_the_gradients_as_they_were_before_the_loss_was_scaled(around):
    transformations = [AdaptiveGradientClipping(0.5), GradientNoise(seed=1)]
    plain = run(Transformed(around(sgd()), transformations), 5)
    inner = around(sgd(loss_scale_factor=64.0))
    scaled = run(Transformed(inner, transformations), 5, scale=64.0)
    assert_close(scaled, plain)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="only TensorFlow has them"
)
def test_takes_sparse_gradients():
    import tensorflow as tf

    dense = np.zeros((5, 2), "float32")
    dense[[1, 3]] = [[1, 2], [3, 4]]
    sparse = tf.IndexedSlices(
        tf.constant(dense[[1, 3]]), tf.constant([1, 3]), (5, 2)
    )
    ends = []
    for gradient in (sparse, ops.convert_to_tensor(dense)):
        variable = keras.Variable(np.ones((5, 2), "float32"), name="embeddings")
        optimizer = Transformed(sgd(), everything())
        for _ in range(3):
            optimizer.apply([gradient], [variable])
        ends.append(values_of([variable])[0])
    np.testing.assert_allclose(*ends, rtol=1e-6)


@pytest.mark.any_case
@pytest.mark.parametrize(
    "around",
    [lambda inner: inner, lambda inner: GradientAccumulation(inner, 2)],
)
def test_transforms_the_gradient_of_the_whole_batch_in_data_parallel(around):
    def train():
        # Signs and norms of half a batch differ from those of the whole.
        inner = around(sgd(momentum=0.5))
        transformations = [GradientSign(), *everything()]
        model = model_with(Transformed(inner, transformations))
        fit(model, 5)
        return model

    try:
        parallel = data_parallel(train)
    except NotApplicable as reason:
        pytest.skip(reason=str(reason))
    for a, b in zip(train().weights, parallel.weights, strict=True):
        np.testing.assert_allclose(*values_of([a, b]), rtol=1e-4, atol=1e-5)


@pytest.mark.any_backend
def test_wrappers_nest_and_reload_with_all_state(tmp_path):
    inner = Transformed(RAdam(0.05, weight_decay=0.01), everything())
    outer = [GradientSign(), Average(0.1)]
    model = model_with(Transformed(Lookahead(inner, 2), outer))
    fit(model)
    model.save(tmp_path / "model.keras")
    reloaded = keras.saving.load_model(tmp_path / "model.keras")
    pairs = zip(
        reloaded.optimizer.variables, model.optimizer.variables, strict=True
    )
    for a, b in pairs:
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert fit(reloaded) == fit(model)


@pytest.mark.any_backend
def test_a_deep_copy_goes_on_where_the_original_stands():
    optimizer = Transformed(RAdam(0.1), everything())
    variables = variables_at_start()
    run(optimizer, 6, variables)
    copied = copy.deepcopy(optimizer)
    values = values_of(variables)
    expected = run(optimizer, 5, variables, first=6)
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    for a, b in zip(run(copied, 5, variables, first=6), expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.any_backend
def test_linear_transformations_go_around_an_optimizer_that_accumulates():
    ours = keras.Variable(np.zeros((3, 2), "float32"))
    inner = keras.optimizers.SGD(1.0, gradient_accumulation_steps=2)
    optimizer = Transformed(inner, [GradientCentralization()])
    parts = np.random.default_rng(0).normal(size=(4, 3, 2)).astype("float32")
    for part in parts:
        optimizer.apply([ops.convert_to_tensor(part)], [ours])
    expected = -(parts - parts.mean(axis=1, keepdims=True)).sum(axis=0) / 2
    np.testing.assert_allclose(values_of([ours])[0], expected, atol=1e-6)


@pytest.mark.any_backend
@pytest.mark.parametrize("transformation", [GradientSign(), CautiousMask()])
def test_goes_into_an_accumulation(transformation):
    variables = [keras.Variable(np.zeros((3, 2), "float32")) for _ in range(2)]
    transformed = [Transformed(sgd(), [transformation]) for _ in range(2)]
    accumulating = GradientAccumulation(transformed[0], 2)
    parts = np.random.default_rng(0).normal(size=(6, 3, 2)).astype("float32")
    for part in parts:
        accumulating.apply([ops.convert_to_tensor(part)], [variables[0]])
    for pair in parts.reshape(3, 2, 3, 2):
        mean = ops.convert_to_tensor(pair.mean(axis=0))
        transformed[1].apply([mean], [variables[1]])
    np.testing.assert_allclose(*values_of(variables), atol=1e-6)


def accumulating(steps):
    return sgd(momentum=0.8, gradient_accumulation_steps=steps)


def accumulation(steps):
    return GradientAccumulation(sgd(momentum=0.8), steps)


@pytest.mark.any_case
@pytest.mark.parametrize("inner", [accumulating, accumulation])
def test_around_an_accumulation_acts_on_each_gradient_and_each_step(inner):
    # Signs of each part, and a step that turns no way the last part forbids.
    transformations = [GradientSign(), CautiousMask()]
    ours = run(Transformed(inner(2), transformations), 8)
    expected = gradients(1000)
    momenta = [np.zeros_like(v) for v in expected]
    for step in range(4):
        pairs = zip(gradients(2 * step), gradients(2 * step + 1), strict=True)
        for j, pair in enumerate(pairs):
            first, last = map(np.sign, pair)
            momenta[j] = 0.8 * momenta[j] - 0.05 * (first + last)
            mask = momenta[j] * last < 0
            expected[j] = expected[j] + momenta[j] * mask / max(
                mask.mean(), 1e-3
            )
    assert_close(ours, expected)


@pytest.mark.any_backend
def test_around_sam_masks_the_step_and_not_the_climb():
    inner = sgd(momentum=0.8)
    ours = run(Transformed(SAM(inner, rho=0.5), [CautiousMask()]), 20)
    # The step is one from where the climb began, with the gradient at the top;
    # as the gradients here are given, the climb itself leaves no trace.
    twin = Transformed(sgd(momentum=0.8), [CautiousMask()])
    theirs = variables_at_start()
    for step in range(1, 20, 2):
        run(twin, 1, theirs, first=step)
    assert_close(ours, values_of(theirs))


@pytest.mark.any_backend
def test_around_sam_the_climb_goes_along_the_transformed_gradient():
    variable = keras.Variable([0.0, 0.0, 0.0, 0.0])
    optimizer = Transformed(SAM(sgd(), rho=1.0), [GradientSign()])
    slope = ops.convert_to_tensor([9.0, -0.1, 2.0, 0.3])
    optimizer.apply([slope], [variable])
    np.testing.assert_allclose(values_of([variable])[0], [0.5, -0.5, 0.5, 0.5])


@pytest.mark.any_backend
def test_noise_differs_between_the_calls_of_one_step():
    variable = keras.Variable(np.zeros(5, "float32"))
    inner = keras.optimizers.SGD(1.0, gradient_accumulation_steps=2)
    optimizer = Transformed(inner, [GradientNoise(1.0, gamma=0.0, seed=1)])
    flat = ops.zeros(5)
    ends = []
    for _ in range(4):
        optimizer.apply([flat], [variable])
        ends.append(values_of([variable])[0])
    once = keras.Variable(np.zeros(5, "float32"))
    alone = Transformed(
        keras.optimizers.SGD(1.0), [GradientNoise(1.0, gamma=0.0, seed=1)]
    )
    for _ in range(4):
        alone.apply([flat], [once])
    # The mean of two draws a step, where the other adds up all four.
    np.testing.assert_allclose(2 * ends[-1], values_of([once])[0], rtol=1e-5)


@pytest.mark.any_case
@pytest.mark.parametrize("make", [accumulation, lambda steps: SAM(sgd())])
def test_is_compiled_around_an_optimizer_that_skips_calls(make):
    ends = []
    for options in ({"run_eagerly": True}, {"jit_compile": "auto"}):
        model = model_with(Transformed(make(2), everything()), **options)
        fit(model, 6)
        ends.append(values_of(model.weights))
    assert_close(*ends, rtol=1e-4, atol=1e-5)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"inner": 3, "transformations": [GradientSign()]}, "inner"),
        ({"inner": "sgd", "transformations": []}, "transformations"),
        (
            {"inner": "sgd", "transformations": GradientSign()},
            "transformations",
        ),
        ({"inner": "sgd", "transformations": ["sign"]}, "transformations"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of Transformed must be"):
        Transformed(**arguments)

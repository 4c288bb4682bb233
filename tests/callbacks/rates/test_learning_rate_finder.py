import keras
import numpy as np
import pytest
from keras import ops
from keras.optimizers import SGD, Adam
from linear_fit import by_kernel_and_bias, keras_decay, linear_model

from keras_regopt._train_step import sync
from keras_regopt.callbacks import LearningRateFinder, find_learning_rate
from keras_regopt.callbacks.rates._rates import rate_holders
from keras_regopt.optimizers import Lookahead
from keras_regopt.schedules import OneCycle

BACKEND = keras.backend.backend()
# Eagerly where that is faster for some steps.
EAGER = {"run_eagerly": BACKEND != "jax"}
X = np.random.default_rng(0).normal(size=(10, 2)).astype("float32")
Y = X[:, :1] - X[:, 1:2]


class EachStep(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.biases = [self._bias()]

    def on_train_batch_end(self, batch, logs=None):
        sync(self.model)
        self.biases.append(self._bias())

    def _bias(self):
        return float(self.model.get_weights()[1][0])


def mean_output(y_true, y_pred):
    """A loss whose gradient by the bias is always 1."""
    return ops.mean(y_pred)


MOVING = {
    "number": lambda: SGD(0.5),
    "schedule": lambda: SGD(keras_decay()),
    "function": lambda: SGD(lambda: 0.5),
    "loss_scale": lambda: keras.optimizers.LossScaleOptimizer(
        Lookahead(SGD(0.5), slow_step_size=1.0), initial_scale=4.0
    ),
    "multi": by_kernel_and_bias,
}


@pytest.mark.any_case
@pytest.mark.parametrize(
    ("kind", "jit_compile"),
    [("schedule", True), ("loss_scale", "auto"), ("multi", "auto")]
    if BACKEND != "torch"
    else [(kind, "auto") for kind in MOVING],
)
def test_the_noted_rates_are_those_that_move_the_weights(kind, jit_compile):
    model = linear_model(MOVING[kind](), jit_compile=jit_compile)
    model.compile(model.optimizer, mean_output, jit_compile=jit_compile)
    # After some steps, since schedules go by the count.
    model.fit(X, Y, batch_size=5, verbose=0)
    each = EachStep()
    test = find_learning_rate(
        model, X, Y, batch_size=5, low=0.01, high=1.0, steps=7, callbacks=[each]
    )
    np.testing.assert_allclose(
        test.rates, np.geomspace(0.01, 1.0, 7), rtol=1e-5
    )
    np.testing.assert_allclose(-np.diff(each.biases), test.rates, rtol=1e-4)


@pytest.mark.any_backend
def test_the_rates_of_linear_growth_are_on_a_line():
    model = linear_model(SGD(0.5), **EAGER)
    test = find_learning_rate(
        model, X, Y, low=0.1, high=0.5, steps=5, growth="linear"
    )
    np.testing.assert_allclose(test.rates, [0.1, 0.2, 0.3, 0.4, 0.5], rtol=1e-6)


@pytest.mark.any_backend
def test_the_losses_are_those_of_single_batches_over_several_epochs():
    model = linear_model(SGD(0.5))
    # At such rates the weights stay what they are.
    test = find_learning_rate(
        model,
        X,
        Y,
        batch_size=4,
        shuffle=False,
        low=1e-20,
        high=1e-19,
        steps=7,
    )
    batches = [slice(0, 4), slice(4, 8), slice(8, 10)] * 3
    expected = [
        np.mean((model.predict_on_batch(X[batch]) - Y[batch]) ** 2)
        for batch in batches[:7]
    ]
    np.testing.assert_allclose(test.losses, expected, rtol=1e-5)


def full_model(optimizer, **options):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(4),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(1),
        ]
    )
    model.compile(optimizer, "mse", metrics=["mae"], **options)
    return model


def everything(model):
    variables = [
        *model.variables,
        *model.optimizer.variables,
        *model.metrics_variables,
    ]
    return [np.array(ops.convert_to_numpy(v)) for v in variables]


def go_on(model):
    # On torch, dropout draws from its one generator for everything.
    keras.utils.set_random_seed(1)
    return model.fit(
        X, Y, batch_size=5, epochs=2, shuffle=False, verbose=0
    ).history


def require_same(ours, theirs):
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)


def test_leaves_a_trained_model_bit_for_bit_as_it_was():
    model, twin = (full_model(Adam(0.01), **EAGER) for _ in range(2))
    assert go_on(model) == go_on(twin)
    before, history = everything(model), model.history
    find_learning_rate(model, X, Y, batch_size=5, steps=8, high=0.1)
    require_same(everything(model), before)
    assert model.history is history
    assert not model.stop_training

    # It trains on as if nothing had been.
    assert go_on(model) == go_on(twin)
    require_same(everything(model), everything(twin))


OPTIMIZERS = {
    "loss_scale": lambda: keras.optimizers.LossScaleOptimizer(
        Lookahead(SGD(OneCycle(0.1, 40), momentum=0.9))
    ),
    "multi": by_kernel_and_bias,
    "function": lambda: SGD(lambda: 0.1),
}


@pytest.mark.any_backend
@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_leaves_every_optimizer_and_its_rates_as_they_were(kind):
    model = linear_model(OPTIMIZERS[kind](), **EAGER)
    model.fit(X, Y, verbose=0)
    holders = [holder for _, holder in rate_holders(model.optimizer)]
    rates = [holder._learning_rate for holder in holders]
    names = [v.path for v in model.optimizer.variables]
    before = everything(model)
    find_learning_rate(model, X, Y, batch_size=5, steps=4, high=0.1)
    require_same(everything(model), before)
    assert [v.path for v in model.optimizer.variables] == names
    for holder, rate in zip(holders, rates, strict=True):
        assert holder._learning_rate is rate


@pytest.mark.any_backend
def test_leaves_a_new_model_as_it_was():
    model = linear_model(Adam(0.01), **EAGER)
    weights = model.get_weights()
    find_learning_rate(model, X, Y, steps=4)
    require_same(model.get_weights(), weights)
    for variable in model.optimizer.variables:
        value = float(np.max(ops.convert_to_numpy(variable)))
        is_rate = variable is model.optimizer._learning_rate
        assert value == pytest.approx(0.01 if is_rate else 0)
    assert "history" not in vars(model)


@pytest.mark.any_backend
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_leaves_the_model_as_it_was_after_an_error_too(error):
    def interrupt(batch, logs):
        if batch == 1:
            raise error

    model = linear_model(Adam(0.01), **EAGER)
    model.fit(X, Y, verbose=0)
    before = everything(model)
    interrupting = keras.callbacks.LambdaCallback(on_train_batch_end=interrupt)
    with pytest.raises(error):
        find_learning_rate(model, X, Y, batch_size=2, callbacks=[interrupting])
    require_same(everything(model), before)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.01)


@pytest.mark.any_backend
def test_a_callback_puts_the_model_back_at_its_next_training():
    def interrupt(batch, logs):
        raise RuntimeError

    model, finder = linear_model(SGD(0.5), **EAGER), None
    finder = LearningRateFinder(steps=2, high=0.1)
    interrupting = keras.callbacks.LambdaCallback(on_train_batch_end=interrupt)
    before = model.get_weights()
    with pytest.raises(RuntimeError):
        model.fit(X, Y, verbose=0, callbacks=[finder, interrupting])
    model.fit(X, Y, batch_size=5, verbose=0, callbacks=[finder])
    require_same(model.get_weights(), before)
    assert float(model.optimizer.learning_rate) == 0.5


@pytest.mark.any_backend
def test_stops_where_the_loss_flies_off():
    model = linear_model(SGD(0.5), **EAGER)
    test = find_learning_rate(
        model, X, Y, low=0.01, high=1e5, steps=60, smoothing=0.5
    )
    assert len(test.losses) < 50
    # Not by the first tenth, in which the average is as rough as the losses.
    looked_at = test.smoothed_losses[6:]
    assert looked_at[-1] > 4 * looked_at.min()
    assert looked_at[-2] <= 4 * looked_at[:-1].min()
    assert 0.01 < test.suggestion < 1


@pytest.mark.any_backend
def test_stops_where_the_loss_is_no_number_and_where_asked_nowhere_else():
    model = linear_model(SGD(0.5), **EAGER)
    test = find_learning_rate(
        model, X, Y, low=1e2, high=1e30, steps=50, divergence=None
    )
    assert not np.isfinite(test.losses[-1])
    assert np.all(np.isfinite(test.losses[:-1]))
    assert test.losses[-2] > 100 * test.losses[0]


@pytest.mark.any_backend
def test_a_loss_below_zero_may_fall():
    model = linear_model(SGD(0.5))
    model.compile(SGD(0.5), mean_output, **EAGER)
    model.set_weights([np.zeros((2, 1)), np.array([-1.0])])
    test = find_learning_rate(model, X, Y, low=0.1, high=1.0, steps=10)
    assert len(test.losses) == 10
    assert test.losses[-1] < test.losses[0] < 0


@pytest.mark.any_backend
def test_warns_where_the_data_end_before_the_test():
    model = linear_model(SGD(0.5), **EAGER)
    before = model.get_weights()
    with pytest.raises(UserWarning, match="ended after 2 of 9 steps"):
        model.fit(
            X,
            Y,
            batch_size=5,
            verbose=0,
            callbacks=[LearningRateFinder(steps=9, high=0.1)],
        )
    require_same(model.get_weights(), before)


@pytest.mark.any_backend
def test_a_generator_of_unknown_length_will_do():
    def batches():
        while True:
            yield X, Y

    model = linear_model(SGD(0.5), **EAGER)
    test = find_learning_rate(
        model, batches(), steps=5, steps_per_epoch=2, shuffle=False
    )
    assert len(test.losses) == 5


class Doubled(keras.Model):
    """Whose layers are built by its first batch."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)

    def call(self, inputs):
        return self.dense(2 * inputs)


@pytest.mark.parametrize(
    "make", [Doubled, lambda: keras.Sequential([keras.layers.Dense(1)])]
)
def test_builds_a_model_from_the_first_batch(make):
    model = make()
    model.compile("sgd", "mse", metrics=["mae"], **EAGER)
    test = find_learning_rate(model, X, Y, steps=4, shuffle=False)
    assert len(test.losses) == 4
    weights = model.get_weights()
    assert [w.shape for w in weights] == [(2, 1), (1,)]
    # The bias has not moved away from where it begins.
    assert weights[1] == [0.0]
    assert int(model.optimizer.iterations.numpy()) == 0
    again = find_learning_rate(model, X, Y, steps=4, shuffle=False)
    assert again.losses[0] == test.losses[0]


@pytest.mark.skipif(BACKEND != "tensorflow", reason="Others build in `fit`.")
def test_says_so_where_a_model_cannot_be_built_before_its_first_batch():
    class OfValues(Doubled):
        def call(self, inputs):
            return self.dense(keras.ops.convert_to_numpy(inputs))

    model = OfValues()
    model.compile("sgd", "mse", run_eagerly=True)
    with pytest.raises(ValueError, match="LearningRateFinder cannot build"):
        find_learning_rate(model, X, Y)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 3}, "`epochs` of find_learning_rate must be left out"),
        ({"low": 0}, "`low` of LearningRateFinder"),
    ],
)
def test_the_function_refuses_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        find_learning_rate(linear_model("sgd"), X, Y, **options)


@pytest.mark.any_backend
def test_the_function_asks_for_a_compiled_model():
    with pytest.raises(ValueError, match="`model` of find_learning_rate must"):
        find_learning_rate(keras.Sequential([keras.Input((2,))]), X, Y)


@pytest.mark.any_backend
@pytest.mark.skipif(BACKEND == "torch", reason="Keras takes 1 alone there.")
def test_refuses_several_steps_in_one_execution():
    model = linear_model(SGD(0.5), steps_per_execution=2)
    with pytest.raises(ValueError, match="must be 1 for a range test"):
        find_learning_rate(model, X, Y)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"low": 0}, "low"),
        ({"high": 1e-8}, "high"),
        ({"steps": 1}, "steps"),
        ({"growth": "cosine"}, "growth"),
        ({"smoothing": 1}, "smoothing"),
        ({"divergence": 1}, "divergence"),
        ({"method": "best"}, "method"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(
        ValueError, match=f"`{name}` of LearningRateFinder must"
    ):
        LearningRateFinder(**arguments)

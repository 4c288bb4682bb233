import keras
import numpy as np
import pytest
from keras import layers

from keras_regopt.callbacks import HyperparameterSchedule
from keras_regopt.layers import StochasticDepth
from keras_regopt.schedules import PiecewiseInterpolation
from keras_regopt.testing._samples import compile_arguments, modes

# 0.1 more in each step.
RAMP = PiecewiseInterpolation([0, 10], [0.0, 1.0])
DOWN = PiecewiseInterpolation([0, 10], [1.0, 0.0])
BACKEND = keras.backend.backend()
# The mode in which the least of the Python code is left.
COMPILED = modes()[-1]


class BatchLosses(keras.callbacks.Callback):
    """The loss of each batch, out of the running means that Keras logs."""

    def on_train_begin(self, logs=None):
        self.losses = []

    def on_epoch_begin(self, epoch, logs=None):
        self.total = 0.0

    def on_train_batch_end(self, batch, logs=None):
        total = logs["loss"] * (batch + 1)
        self.losses.append(total - self.total)
        self.total = total


@keras.saving.register_keras_serializable("test")
class CountedL2(keras.regularizers.Regularizer):
    """Notes how often its Python code runs."""

    def __init__(self, rate=0.7):
        self.rate = rate
        self.runs = 0

    def __call__(self, x):
        self.runs += 1
        return self.rate * keras.ops.sum(keras.ops.square(x))

    def get_config(self):
        return {"rate": self.rate}


def still_model(*regularizers, mode="eager"):
    """Its weights are ones, its loss the penalties, and no step moves it."""
    dense = [
        layers.Dense(
            2,
            use_bias=False,
            kernel_initializer="ones",
            kernel_regularizer=regularizer,
            name=f"dense_{index}",
        )
        for index, regularizer in enumerate(regularizers)
    ]
    model = keras.Sequential([keras.Input((2,)), *dense])
    model.compile(keras.optimizers.SGD(0.0), "mse", **compile_arguments(mode))
    # Left to the first step, TensorFlow would trace that step twice.
    model.optimizer.build(model.trainable_variables)
    return model


def fit(model, *callbacks, epochs=2, steps=3, **options):
    losses = BatchLosses()
    model.fit(
        np.zeros((steps, 2), "float32"),
        np.zeros((steps, 2), "float32"),
        batch_size=1,
        epochs=epochs,
        callbacks=[*callbacks, losses],
        verbose=0,
        **options,
    )
    return losses.losses


def schedule_of_rate(**options):
    return HyperparameterSchedule(
        "dense_0", "kernel_regularizer.rate", RAMP, **options
    )


@pytest.mark.parametrize("mode", modes())
def test_each_step_uses_the_scheduled_value(mode):
    model = still_model(CountedL2(), mode=mode)
    losses = fit(model, schedule_of_rate(per="step"))
    # The kernel holds four ones.
    np.testing.assert_allclose(losses, 0.4 * np.arange(6), rtol=1e-5, atol=1e-6)


@pytest.mark.any_backend
def test_each_epoch_uses_the_scheduled_value_in_validation_too():
    model = still_model(CountedL2(), mode=COMPILED)
    data = np.zeros((1, 2), "float32"), np.zeros((1, 2), "float32")
    # Functions that have the number in them, to be made anew.
    fit(model, epochs=1, validation_data=data)
    history = keras.callbacks.History()
    losses = fit(
        model,
        schedule_of_rate(),
        history,
        initial_epoch=1,
        epochs=3,
        validation_data=data,
    )
    np.testing.assert_allclose(losses, [0.4] * 3 + [0.8] * 3, rtol=1e-5)
    np.testing.assert_allclose(
        history.history["val_loss"], [0.4, 0.8], rtol=1e-5
    )
    assert history.history["dense_0.kernel_regularizer.rate"] == [0.1, 0.2]


@pytest.mark.skipif(BACKEND == "torch", reason="runs the code in each step")
def test_the_step_is_compiled_once():
    runs = {}
    for steps in (2, 5):
        regularizer = CountedL2()
        model = still_model(regularizer, mode=COMPILED)
        fit(model, schedule_of_rate(per="step"), steps=steps, epochs=2)
        runs[steps] = regularizer.runs
    assert runs[2] == runs[5]


@pytest.mark.any_backend
def test_the_last_value_is_left_as_a_plain_number():
    model = still_model(CountedL2(), mode=COMPILED)
    regularizer = model.layers[0].kernel_regularizer
    fit(model, schedule_of_rate(per="step"))
    assert regularizer.rate == 0.5
    assert type(regularizer.rate) is float
    assert "get_config" not in vars(regularizer)
    assert len(model.variables) == 1
    # And without the callback, training goes on with it.
    assert fit(model, epochs=1, steps=1) == pytest.approx([2.0], rel=1e-5)


@pytest.mark.any_backend
def test_a_later_fit_may_schedule_something_else():
    model = still_model(CountedL2(0.0), CountedL2(0.0), mode=COMPILED)
    for name, other in (("dense_0", 1), ("dense_1", 0)):
        schedule = HyperparameterSchedule(
            name, "kernel_regularizer.rate", DOWN, per="step"
        )
        losses = fit(model, schedule, epochs=1)
        rest = 4 * model.layers[other].kernel_regularizer.rate
        expected = [4 + rest, 3.6 + rest, 3.2 + rest]
        np.testing.assert_allclose(losses, expected, rtol=1e-5)


@pytest.mark.any_backend
def test_a_checkpoint_in_between_holds_the_value_of_then(tmp_path):
    model = still_model(CountedL2(), mode=COMPILED)
    checkpoint = keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras")
    fit(model, schedule_of_rate(per="step"), checkpoint)
    loaded = keras.saving.load_model(tmp_path / "1.keras")
    assert loaded.layers[0].kernel_regularizer.rate == 0.2
    assert len(loaded.variables) == 1


@pytest.mark.any_backend
def test_several_targets_follow_by_pattern_object_and_list():
    one, other = CountedL2(), CountedL2()
    attribute = "kernel_regularizer.rate"
    for target in ("dense_*", ["dense_0", "*_1"]):
        model = still_model(one, other, mode=COMPILED)
        schedule = HyperparameterSchedule(target, attribute, RAMP, per="step")
        assert fit(model, schedule, epochs=1)[-1] == pytest.approx(1.6)
    model = still_model(one, other, mode=COMPILED)
    schedule = HyperparameterSchedule([one, other], "rate", RAMP, per="step")
    assert fit(model, schedule, epochs=1)[-1] == pytest.approx(1.6)


@pytest.mark.any_case
@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
@pytest.mark.parametrize(
    "make",
    [
        lambda dtype: layers.Dropout(0.5, dtype=dtype),
        lambda dtype: StochasticDepth(0.5, dtype=dtype),
    ],
)
def test_dropout_drops_the_scheduled_part(make, policy):
    keras.utils.set_random_seed(0)
    one = layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = keras.Sequential([keras.Input((1,)), make(policy), one])
    model.compile(
        keras.optimizers.SGD(0.0), "mse", **compile_arguments(COMPILED)
    )
    schedule = PiecewiseInterpolation([0, 2], [0.0, 0.8])
    callback = HyperparameterSchedule(model.layers[0], "rate", schedule)
    history = model.fit(
        np.ones((10000, 1), "float32"),
        np.zeros((10000, 1), "float32"),
        batch_size=5000,
        epochs=3,
        callbacks=[callback],
        verbose=0,
    )
    # The mean of the squares is 1 / (1 - rate); its standard deviation over
    # 10000 draws at the rate 0.8 is 0.1.
    losses = history.history["loss"]
    np.testing.assert_allclose(losses, [1.0, 1 / 0.6, 5.0], atol=0.4)
    assert losses[0] == pytest.approx(1.0, rel=1e-3)


@pytest.mark.any_backend
def test_steps_go_on_from_a_restored_state_and_from_an_initial_epoch():
    model = still_model(CountedL2())
    first = schedule_of_rate(per="step")
    fit(model, first, epochs=1)
    state = first.state()
    assert state == {"step": 3}
    second = schedule_of_rate(per="step")
    second.restore(state)
    expected = [1.2, 1.6, 2.0]
    assert fit(model, second, epochs=1) == pytest.approx(expected, rel=1e-5)
    # Every fit begins anew, unless it says that it does not.
    assert fit(model, second, epochs=1)[0] == pytest.approx(0)
    later = fit(model, second, initial_epoch=1, epochs=2)
    assert later == pytest.approx(expected, rel=1e-5)


@pytest.mark.skipif(BACKEND == "torch", reason="Keras has no such thing there")
def test_an_execution_of_several_steps_counts_as_several():
    model = still_model(CountedL2())
    model.steps_per_execution = 2
    callback = schedule_of_rate(per="step")
    fit(model, callback, epochs=1, steps=4)
    assert callback.step == 4


@pytest.mark.any_backend
def test_takes_over_from_a_fit_that_failed():
    class Fails(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise KeyboardInterrupt

    model = still_model(CountedL2(), mode=COMPILED)
    with pytest.raises(KeyboardInterrupt):
        fit(model, schedule_of_rate(per="step"), Fails())
    regularizer = model.layers[0].kernel_regularizer
    assert keras.regularizers.serialize(regularizer)["config"] == {"rate": 0.0}
    losses = fit(model, schedule_of_rate(per="step"), epochs=1)
    np.testing.assert_allclose(losses, [0, 0.4, 0.8], rtol=1e-5, atol=1e-6)
    assert regularizer.rate == 0.2
    assert "get_config" not in vars(regularizer)


needs_trace = pytest.mark.skipif(
    BACKEND == "torch", reason="runs Python code with the number in each step"
)


@needs_trace
def test_says_before_training_if_a_layer_needs_a_python_number():
    # It takes the root with Python's `math`.
    dropout = layers.GaussianDropout(0.1, name="noise")
    model = keras.Sequential([keras.Input((2,)), dropout])
    model.compile("sgd", "mse", **compile_arguments(COMPILED))
    schedule = HyperparameterSchedule("noise", "rate", RAMP)
    steps = []
    probe = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: steps.append(batch)
    )
    with pytest.raises(ValueError, match="needs a Python number"):
        fit(model, schedule, probe)
    assert not steps
    assert dropout.rate == 0.0


class Threshold(layers.Layer):
    def __init__(self, scale):
        super().__init__(name="threshold")
        self.scale = scale

    def call(self, x):
        return x * self.scale if self.scale > 0.15 else x


def threshold_model():
    layer, dense = Threshold(0.5), layers.Dense(2)
    model = keras.Sequential([keras.Input((2,)), layer, dense])
    model.compile("sgd", "mse", **compile_arguments(COMPILED))
    return model


@needs_trace
def test_refuses_a_value_for_which_python_would_go_another_way():
    model = keras.Sequential(
        [keras.Input((2,)), Threshold(0.5), layers.Dense(2)]
    )
    model.compile("sgd", "mse", **compile_arguments(COMPILED))
    schedule = HyperparameterSchedule("threshold", "scale", RAMP, per="step")
    with pytest.raises(ValueError, match="takes another branch"):
        fit(model, schedule)


@pytest.mark.any_backend
@needs_trace
def test_warns_of_a_value_that_nothing_reads():
    model = keras.Sequential(
        [keras.Input((2,)), Threshold(0.5), layers.Dense(2)]
    )
    model.compile("sgd", "mse", **compile_arguments(COMPILED))
    model.layers[0].unused = 1.0
    schedule = HyperparameterSchedule("threshold", "unused", RAMP)
    with pytest.warns(UserWarning, match="`unused` of .*threshold has no"):
        fit(model, schedule)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("target", "attribute", "message"),
    [
        ("dens", "kernel_regularizer.rate", "have it: .*dense_0"),
        ("dense_0", "kernel_regularizer.strength", "have it: none"),
        ("dense_0", "units", "with a plain number"),
        ("off", "rate", "has no random generator"),
    ],
)
def test_says_what_the_model_lacks(target, attribute, message):
    model = still_model(CountedL2())
    model.add(layers.Dropout(0.0, name="off"))
    model.compile("sgd", "mse", **compile_arguments("eager"))
    callback = HyperparameterSchedule(target, attribute, RAMP)
    with pytest.raises(ValueError, match=message):
        fit(model, callback)


@pytest.mark.any_backend
def test_an_object_as_a_target_has_no_configuration():
    callback = HyperparameterSchedule(CountedL2(), "rate", RAMP)
    with pytest.raises(ValueError, match="the name of a layer, to be saved"):
        callback.get_config()


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"target": 3}, "target"),
        ({"target": []}, "target"),
        ({"attribute": 3}, "attribute"),
        ({"schedule": 0.1}, "schedule"),
        ({"per": "batch"}, "per"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    good = {"target": "dense", "attribute": "rate", "schedule": RAMP}
    with pytest.raises(ValueError, match=f"`{name}` of Hyperparameter"):
        HyperparameterSchedule(**{**good, **arguments})

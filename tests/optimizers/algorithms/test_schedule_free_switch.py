import keras
import numpy as np
import pytest

from keras_regopt.optimizers import Lookahead
from keras_regopt.optimizers.algorithms.schedule_free_adam_w import (
    ScheduleFreeAdamW,
)
from keras_regopt.optimizers.algorithms.schedule_free_sgd import ScheduleFreeSGD
from keras_regopt.testing._samples import compile_arguments, modes

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(8, 3)).astype("float32")
TARGET = RANDOM.normal(size=(8, 1)).astype("float32")
START = np.ones((3, 1), "float32")
BATCH = {"batch_size": 4, "shuffle": False, "verbose": 0}


def linear_model(
    optimizer, mode=None, built=True, cls=keras.Sequential, **more
):
    layers = [keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")]
    if built:
        layers.insert(0, keras.Input((3,)))
    model = cls(layers)
    model.compile(optimizer, "mse", **compile_arguments(mode), **more)
    return model


def optimizer(**options):
    return ScheduleFreeSGD(0.1, warmup_steps=4, **options)


def mean_squared_error(weights, rows=slice(None)):
    return np.mean((X[rows] @ weights - TARGET[rows]) ** 2)


def expected(steps, batches=2):
    """Weights y and x before each step and after the last, and losses at y."""
    x = y = z = START.astype("float64")
    points, averages, losses = [y], [x], []
    weight_sum = 0.0
    for k in range(steps):
        size = 8 // batches
        rows = slice(k % batches * size, (k % batches + 1) * size)
        rate = 0.1 * min((k + 1) / 4, 1)
        weight_sum += rate**2
        c = rate**2 / weight_sum
        losses.append(mean_squared_error(y, rows))
        gradient = 2 / size * X[rows].T @ (X[rows] @ y - TARGET[rows])
        z = z - rate * gradient
        x = (1 - c) * x + c * z
        y = 0.9 * x + 0.1 * z
        points.append(y)
        averages.append(x)
    return points, averages, losses


def weights_of(model):
    return keras.ops.convert_to_numpy(model.layers[-1].kernel).copy()


def assert_average(weights, steps, **options):
    points, averages, _ = expected(steps, **options)
    np.testing.assert_allclose(weights, averages[-1], rtol=1e-5)
    # Otherwise, the test would say nothing.
    assert np.abs(points[-1] - averages[-1]).max() > 1e-3


class Watch(keras.callbacks.Callback):
    """Notes the weights, and what the model does with them, at each turn."""

    def __init__(self):
        super().__init__()
        self.after_batches, self.after_epochs, self.predictions = [], [], []

    def on_train_batch_end(self, batch, logs=None):
        self.after_batches.append(weights_of(self.model))

    def on_epoch_end(self, epoch, logs=None):
        self.after_epochs.append(weights_of(self.model))
        self.predictions.append(self.model.predict(X, verbose=0))


@pytest.mark.any_case
@pytest.mark.parametrize("mode", modes())
@pytest.mark.parametrize("built", [True, False])
def test_fit_trains_at_the_one_and_leaves_the_other(mode, built):
    model = linear_model(optimizer(), mode, built)
    losses = model.fit(X, TARGET, epochs=3, **BATCH).history["loss"]
    assert_average(weights_of(model), 6)
    expected_losses = np.reshape(expected(6)[2], (3, 2)).mean(axis=1)
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-5)
    np.testing.assert_allclose(
        model.evaluate(X, TARGET, verbose=0),
        mean_squared_error(weights_of(model)),
        rtol=1e-5,
    )
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(model(X)), X @ weights_of(model), rtol=1e-5
    )


@pytest.mark.parametrize("mode", modes())
def test_all_callbacks_and_the_validation_see_the_average(mode):
    watch = Watch()
    model = linear_model(optimizer(), mode)
    history = model.fit(
        X,
        TARGET,
        epochs=3,
        validation_data=(X, TARGET),
        callbacks=[watch],
        **BATCH,
    ).history
    averages = expected(6)[1]
    np.testing.assert_allclose(watch.after_batches, averages[1:], rtol=1e-5)
    np.testing.assert_allclose(watch.after_epochs, averages[2::2], rtol=1e-5)
    np.testing.assert_allclose(
        watch.predictions, [X @ x for x in averages[2::2]], rtol=1e-4, atol=1e-6
    )
    np.testing.assert_allclose(
        history["val_loss"],
        [mean_squared_error(x) for x in averages[2::2]],
        rtol=1e-5,
    )


@pytest.mark.any_case
@pytest.mark.parametrize("save_freq", [1, "epoch"])
def test_checkpoints_hold_the_average_and_all_to_go_on(tmp_path, save_freq):
    path = str(tmp_path / "{epoch}.keras")
    checkpoint = keras.callbacks.ModelCheckpoint(path, save_freq=save_freq)
    model = linear_model(optimizer())
    model.fit(X, TARGET, epochs=2, callbacks=[checkpoint], **BATCH)
    for epoch in (1, 2):
        reloaded = keras.saving.load_model(path.format(epoch=epoch))
        assert_average(weights_of(reloaded), 2 * epoch)
    more = {"epochs": 2, **BATCH}
    losses = model.fit(X, TARGET, **more).history["loss"]
    assert reloaded.fit(X, TARGET, **more).history["loss"] == losses
    np.testing.assert_array_equal(weights_of(reloaded), weights_of(model))


def test_saves_and_exports_the_average(tmp_path):
    model = linear_model(optimizer())
    model.fit(X, TARGET, epochs=2, **BATCH)
    model.save_weights(tmp_path / "model.weights.h5")
    other = linear_model(optimizer())
    other.optimizer.build(other.trainable_variables)
    other.load_weights(tmp_path / "model.weights.h5")
    assert_average(weights_of(other), 4)
    if keras.backend.backend() != "tensorflow":
        return
    model.export(tmp_path / "exported", verbose=False)
    import tensorflow as tf

    served = tf.saved_model.load(tmp_path / "exported")
    np.testing.assert_allclose(
        served.serve(X), X @ weights_of(model), rtol=1e-5
    )


def test_train_on_batch_is_a_step_like_any_other():
    model = linear_model(optimizer())
    for _ in range(5):
        model.train_on_batch(X, TARGET)
        model.reset_metrics()
        loss = model.test_on_batch(X, TARGET)
    assert_average(weights_of(model), 5, batches=1)
    np.testing.assert_allclose(
        loss, mean_squared_error(weights_of(model)), rtol=1e-5
    )


def test_several_steps_in_one_call_train_at_the_same_points():
    if keras.backend.backend() == "torch":
        pytest.skip(reason="Keras has no steps_per_execution on torch")
    model = linear_model(optimizer(), steps_per_execution=2)
    model.fit(X, TARGET, epochs=3, **BATCH)
    assert_average(weights_of(model), 6)


def test_a_train_step_of_ones_own_is_served_too():
    class Own(keras.Sequential):
        def train_step(self, *arguments):
            return super().train_step(*arguments)

    model = linear_model(optimizer(), cls=Own)
    model.fit(X, TARGET, epochs=3, **BATCH)
    assert_average(weights_of(model), 6)
    assert "train_step" not in vars(model)


def test_an_interrupted_fit_leaves_the_average():
    class Interrupt(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.optimizer.iterations == 3:
                raise KeyboardInterrupt

    model = linear_model(optimizer())
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, TARGET, epochs=3, callbacks=[Interrupt()], **BATCH)
    assert_average(weights_of(model), 3)


def test_a_step_that_fails_in_its_middle_leaves_the_average():
    if keras.backend.backend() == "jax":
        pytest.skip(reason="a failed step changes nothing on JAX")

    class Failing(keras.losses.Loss):
        def call(self, y_true, y_pred):
            if keras.backend.backend() == "tensorflow":
                import tensorflow as tf

                # In a graph, other than a Python error, it fails when run.
                y_true = tf.debugging.check_numerics(y_true, "bad target")
            elif not keras.ops.all(keras.ops.isfinite(y_true)):
                raise ValueError("bad target")
            return keras.ops.mean((y_true - y_pred) ** 2, axis=-1)

    model = linear_model(optimizer())
    model.compile(model.optimizer, Failing())
    model.fit(X, TARGET, epochs=3, **BATCH)
    with pytest.raises(Exception, match="bad target"):
        model.fit(X, TARGET * np.inf, **BATCH)
    assert_average(weights_of(model), 6)
    # What comes next goes on from there.
    model.fit(X, TARGET, epochs=2, **BATCH)
    assert_average(weights_of(model), 10)


def test_best_weights_that_are_restored_are_an_average():
    stopping = keras.callbacks.EarlyStopping(
        "loss", mode="max", patience=2, restore_best_weights=True
    )
    model = linear_model(optimizer())
    model.fit(X, TARGET, epochs=8, callbacks=[stopping], **BATCH)
    _, averages, losses = expected(16)
    best = np.argmax(np.reshape(losses, (8, 2)).mean(axis=1)[:3])
    np.testing.assert_allclose(
        weights_of(model), averages[2 * best + 2], rtol=1e-5
    )


def test_works_with_loss_scaling():
    scaled = keras.optimizers.LossScaleOptimizer(optimizer())
    model = linear_model(scaled)
    model.fit(X, TARGET, epochs=3, **BATCH)
    assert_average(weights_of(model), 6)
    # Steps that are skipped leave the average as it is.
    before = weights_of(model)
    model.fit(X, TARGET * np.inf, **BATCH)
    np.testing.assert_allclose(weights_of(model), before, rtol=1e-6)


def test_works_with_accumulated_gradients():
    model = linear_model(optimizer(gradient_accumulation_steps=2))
    model.fit(X, TARGET, epochs=5, **BATCH)
    # Two batches of four make the gradient of eight.
    assert_average(weights_of(model), 5, batches=1)


def test_works_inside_another_wrapper():
    wrapped = Lookahead(optimizer(), 2, slow_step_size=1.0)
    model = linear_model(keras.optimizers.LossScaleOptimizer(wrapped))
    model.fit(X, TARGET, epochs=3, **BATCH)
    # With steps all of the way, the wrapper has no effect.
    assert_average(weights_of(model), 6)


def test_a_loop_of_ones_own_goes_on_after_fit_and_before_it():
    model = linear_model(optimizer())
    free = model.optimizer
    model.fit(X, TARGET, epochs=1, **BATCH)
    free.switch_to_training()
    kernel = model.layers[-1].kernel
    for rows in (slice(4), slice(4, 8)):
        w = weights_of(model)
        gradient = 2 / 4 * X[rows].T @ (X[rows] @ w - TARGET[rows])
        free.apply([keras.ops.array(gradient)], [kernel])
    np.testing.assert_allclose(weights_of(model), expected(4)[0][-1], rtol=1e-5)
    with free.evaluation():
        assert_average(weights_of(model), 4)
    # Without a switch, since the optimizer knows what the variables hold.
    model.fit(X, TARGET, epochs=1, **BATCH)
    assert_average(weights_of(model), 6)


def test_other_models_train_as_ever():
    wrapped = keras.Model.make_train_function
    optimizer()
    ScheduleFreeAdamW()
    assert keras.Model.make_train_function is wrapped
    assert wrapped.__name__ == "make_train_function"
    model = linear_model(keras.optimizers.SGD(0.1))
    model.make_train_function()
    assert not hasattr(model.train_function, "switches_weights")
    assert "train_step" not in vars(model)


def test_a_model_may_change_to_another_optimizer():
    model = linear_model(optimizer())
    model.fit(X, TARGET, epochs=2, **BATCH)
    before = weights_of(model)
    assert_average(before, 4)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(X, TARGET, **{**BATCH, "batch_size": 8})
    gradient = 2 / 8 * X.T @ (X @ before - TARGET)
    np.testing.assert_allclose(
        weights_of(model), before - 0.1 * gradient, rtol=1e-5
    )


def test_the_average_keeps_to_a_constraint():
    layer = keras.layers.Dense(2, kernel_constraint="unit_norm")
    model = keras.Sequential([keras.Input((3,)), layer])
    model.compile(ScheduleFreeAdamW(0.1), "mse")
    model.fit(X, TARGET, epochs=3, **BATCH)
    kernel = keras.ops.convert_to_numpy(layer.kernel)
    np.testing.assert_allclose(np.linalg.norm(kernel, axis=0), 1, rtol=1e-5)

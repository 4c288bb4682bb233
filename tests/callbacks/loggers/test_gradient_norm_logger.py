import keras
import numpy as np
import pytest
from events import scalars
from keras import ops
from keras.optimizers import SGD
from keras_versions import multi_optimizer
from linear_fit import BATCHES, X, Y, by_kernel_and_bias, fit, linear_model

from keras_regopt import optimizers as ours
from keras_regopt.callbacks import (
    GradientNormLogger,
    MomentumCycle,
    ReduceLROnPlateau,
)
from keras_regopt.schedules import OneCycle

BACKEND = keras.backend.backend()
EAGER = {"run_eagerly": BACKEND != "jax"}


def norms_by_hand(model, rates, epochs, penalty=0.0):
    """The norms of each step of plain SGD, in float64 NumPy.

    The rates are one number, or one for each epoch.
    """
    kernel, bias = (np.float64(w) for w in model.get_weights())
    norms = []
    for rate in np.broadcast_to(rates, epochs):
        for batch in BATCHES:
            errors = X[batch] @ kernel + bias - Y[batch]
            by_kernel = 2 / len(errors) * X[batch].T @ errors
            by_kernel = by_kernel + 2 * penalty * kernel
            by_bias = 2 / len(errors) * errors.sum(axis=0)
            norms.append(np.sqrt(np.sum(by_kernel**2) + np.sum(by_bias**2)))
            kernel, bias = kernel - rate * by_kernel, bias - rate * by_bias
    return np.array(norms).reshape(epochs, len(BATCHES))


OPTIMIZERS = {
    "sgd": lambda: SGD(0.02),
    # Norms from before the clipping, which is far away from acting here.
    "clipped": lambda: ours.SGD(0.02, global_clipnorm=1e6),
    "scaled": lambda: SGD(0.02, loss_scale_factor=64.0),
    "loss_scale": lambda: keras.optimizers.LossScaleOptimizer(
        ours.Lookahead(SGD(0.02), slow_step_size=1.0), initial_scale=8.0
    ),
    "multi": lambda: multi_optimizer(SGD(0.02), {".*kernel": SGD(0.02)}),
}
COMPILED = [] if BACKEND == "torch" else [("sgd", True), ("loss_scale", True)]


@pytest.mark.any_case
@pytest.mark.parametrize(
    ("kind", "jit_compile"), [(kind, False) for kind in OPTIMIZERS] + COMPILED
)
def test_logs_the_norms_of_the_gradients_that_training_used(kind, jit_compile):
    options = {"jit_compile": jit_compile}
    if BACKEND == "jax" and not jit_compile:
        options = {}
    model = linear_model(OPTIMIZERS[kind](), **options)
    expected = norms_by_hand(model, 0.02, epochs=2)
    history = fit(model, GradientNormLogger(), epochs=2)
    np.testing.assert_allclose(
        history["gradient_norm"], expected.mean(axis=1), rtol=1e-4
    )
    np.testing.assert_allclose(
        history["gradient_norm_max"], expected.max(axis=1), rtol=1e-4
    )
    (layer,) = [n for n in history if n.startswith("gradient_norm/")]
    assert layer.split("/")[-1] == model.layers[0].name
    np.testing.assert_allclose(
        history[layer], history["gradient_norm"], rtol=1e-6
    )


def test_the_norms_are_those_before_clipping_and_with_the_penalties():
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(
                1, kernel_regularizer=keras.regularizers.L2(3.0)
            ),
        ]
    )
    # So low that the weights stay what they are, clipped or not.
    model.compile(SGD(1e-12, clipnorm=1e-3), "mse", **EAGER)
    expected = norms_by_hand(model, 0.0, epochs=1, penalty=3.0)
    history = fit(model, GradientNormLogger(), epochs=1)
    assert history["gradient_norm"][0] == pytest.approx(expected.mean(), 1e-4)


@pytest.mark.any_backend
def test_each_layer_has_its_own_norm():
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(3, name="first"),
            keras.layers.Dense(1, name="second"),
        ]
    )
    model.compile("sgd", "mse", **EAGER)
    history = model.fit(
        X, Y, epochs=2, verbose=0, callbacks=[GradientNormLogger()]
    ).history
    parts = {
        name.split("/")[-1]: np.array(values)
        for name, values in history.items()
        if name.startswith("gradient_norm/")
    }
    assert set(parts) == {"first", "second"}
    # One step an epoch, so that the means are the norms.
    np.testing.assert_allclose(
        parts["first"] ** 2 + parts["second"] ** 2,
        np.square(history["gradient_norm"]),
        rtol=1e-5,
    )
    short = model.fit(
        X, Y, verbose=0, callbacks=[GradientNormLogger(per_layer=False)]
    ).history
    assert set(short) == {"loss", "gradient_norm", "gradient_norm_max"}


@pytest.mark.any_backend
def test_the_training_and_its_other_figures_stay_as_they_are():
    def train(*callbacks):
        keras.utils.set_random_seed(0)
        model = linear_model(SGD(0.02), metrics=["mae"])
        history = fit(model, *callbacks, epochs=3)
        return history, model

    expected, plain = train()
    seen = []
    batches = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(set(logs))
    )
    history, model = train(batches, GradientNormLogger())
    for name, values in expected.items():
        np.testing.assert_allclose(history[name], values, rtol=1e-6)
    assert seen == [{"loss", "mae"}] * 6
    for one, other in zip(
        model.get_weights(), plain.get_weights(), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-6)
    # Nothing is left behind.
    for owner in (model, model.optimizer):
        assert not {"train_step", "make_train_function", "apply"} & set(
            vars(owner)
        )
        assert "stateless_apply" not in vars(owner)
    assert set(fit(model, epochs=1)) == {"loss", "mae"}


def test_works_beside_callbacks_that_make_the_train_function_anew():
    rate = OneCycle(0.02, 8)

    def train(*callbacks):
        model = linear_model(ours.Adam(rate))
        model.set_weights([np.ones((2, 1)), np.zeros(1)])
        plateau = ReduceLROnPlateau("loss", 0.5, patience=1, min_delta=100)
        history = fit(model, plateau, *callbacks, epochs=4)
        return history, model

    expected, _ = train(MomentumCycle())
    for order in (1, -1):
        callbacks = [MomentumCycle(), GradientNormLogger()][::order]
        history, model = train(*callbacks)
        np.testing.assert_allclose(history["loss"], expected["loss"], rtol=1e-5)
        assert len(history["gradient_norm"]) == 4
        assert "apply" not in vars(model.optimizer)


@pytest.mark.any_backend
def test_steps_that_are_no_number_do_not_count():
    model = linear_model(
        keras.optimizers.LossScaleOptimizer(SGD(0.02), initial_scale=8.0),
        **EAGER,
    )
    x = X.copy()
    x[0] = np.inf
    history = model.fit(
        x, Y, batch_size=2, shuffle=False, epochs=1, verbose=0,
        callbacks=[GradientNormLogger()],
    ).history  # fmt: skip
    # Of the two batches, the second is the only one that is good.
    assert np.isfinite(history["gradient_norm"][0])
    assert history["gradient_norm"] == history["gradient_norm_max"]
    history = model.fit(
        np.full_like(X, np.inf), Y, verbose=0, callbacks=[GradientNormLogger()]
    ).history
    assert np.isnan(history["gradient_norm"][0])


def test_rows_of_an_embedding_that_appear_twice_are_summed_up():
    model = keras.Sequential(
        [keras.Input((3,), dtype="int32"), keras.layers.Embedding(5, 2)]
    )
    model.compile(SGD(1e-12), lambda y_true, y_pred: ops.sum(y_pred, (1, 2)))
    model.optimizer.build(model.trainable_variables)
    history = model.fit(
        np.array([[1, 1, 4]]), np.zeros(1), verbose=0,
        callbacks=[GradientNormLogger()],
    ).history  # fmt: skip
    # Row 1 twice, row 4 once, two columns each.
    assert history["gradient_norm"] == [pytest.approx(10**0.5)]


@pytest.mark.any_backend
def test_what_an_error_left_behind_ends_with_the_next_training():
    def interrupt(epoch, logs):
        raise KeyboardInterrupt

    model = linear_model(SGD(OneCycle(0.02, 8), momentum=0.9), **EAGER)
    interrupting = keras.callbacks.LambdaCallback(on_epoch_end=interrupt)
    callbacks = [GradientNormLogger(), MomentumCycle()]
    with pytest.raises(KeyboardInterrupt):
        fit(model, *callbacks, interrupting, epochs=1)
    history = fit(model, GradientNormLogger(), MomentumCycle(), epochs=1)
    assert len(history["gradient_norm"]) == 1
    assert "apply" not in vars(model.optimizer)
    assert "train_step" not in vars(model)


def recompiling():
    """Trains on with another optimizer from the second epoch on."""

    class Recompiles(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                self.first = self.model.optimizer
                self.model.compile(SGD(0.005), "mse", **EAGER)
                # As after any `compile` inside of `fit`.
                self.model.optimizer.build(self.model.trainable_variables)
                self.model.make_train_function()

    return Recompiles()


def test_goes_on_with_the_optimizer_of_a_model_that_is_compiled_anew():
    for order in (1, -1):
        keras.utils.set_random_seed(0)
        model = linear_model(SGD(0.02), **EAGER)
        expected = norms_by_hand(model, (0.02, 0.005), epochs=2)
        recompiles = recompiling()
        history = fit(
            model, *[GradientNormLogger(), recompiles][::order], epochs=2
        )
        np.testing.assert_allclose(
            history["gradient_norm"], expected.mean(axis=1), rtol=1e-4
        )
        for owner in (model, model.optimizer, recompiles.first):
            assert not {"train_step", "apply", "stateless_apply"} & set(
                vars(owner)
            )


@pytest.mark.any_backend
def test_a_train_step_that_hides_its_gradients_is_refused():
    class Hiding(keras.Sequential):
        def train_step(self, *arguments):
            if BACKEND == "jax":
                return {"loss": 0.0}, arguments[0]
            return {"loss": 0.0}

    model = Hiding([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", **EAGER)
    with pytest.raises(RuntimeError, match="saw no gradients: the train step"):
        fit(model, GradientNormLogger(), epochs=1)


@pytest.mark.any_backend
def test_tensorboard_gets_the_norms_of_each_epoch(tmp_path):
    model = linear_model(by_kernel_and_bias(), **EAGER)
    history = fit(model, GradientNormLogger(log_dir=tmp_path), epochs=2)
    written = scalars(tmp_path)
    assert written.keys() == {n for n in history if "norm" in n}
    epochs, norms = zip(*written["gradient_norm"], strict=True)
    assert epochs == (0, 1)
    np.testing.assert_allclose(norms, history["gradient_norm"], rtol=1e-6)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [({"per_layer": 1}, "per_layer"), ({"log_dir": 1}, "log_dir")],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of GradientNormLogger"):
        GradientNormLogger(**arguments)

import keras
import numpy as np
import pytest
import sklearn.linear_model
import torch

from keras_regopt.optimizers import LBFGS, fit_full_batch


def data(count=40, features=4):
    random = np.random.default_rng(0)
    x = random.normal(size=(count, features)).astype("float32")
    y = x @ np.arange(1.0, features + 1) + 0.3 * random.normal(size=count)
    return x, y.astype("float32")


def linear(loss="mse", features=4, **arguments):
    layer = keras.layers.Dense(1, **arguments)
    model = keras.Sequential([keras.Input((features,)), layer])
    if loss is not None:
        model.compile(loss=loss)
    return model


def network(*layers):
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(5, activation="tanh"),
            *layers,
            keras.layers.Dense(1),
        ]
    )
    model.compile(loss="mse")
    return model


@pytest.fixture
def double_precision():
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


def weights(model):
    return [keras.ops.convert_to_numpy(w) for w in model.weights]


def test_finds_the_weighted_ridge_regression_of_scikit_learn():
    x, y = data()
    sample_weight = np.random.default_rng(1).uniform(0.2, 3, size=len(x))
    model = linear(kernel_regularizer=keras.regularizers.L2(0.1))
    history = fit_full_batch(model, x, y, sample_weight=sample_weight)
    # Keras takes the mean over the samples, scikit-learn their sum.
    ridge = sklearn.linear_model.Ridge(0.1 * len(x))
    ridge.fit(x.astype("float64"), y, sample_weight)
    kernel, bias = weights(model)
    np.testing.assert_allclose(kernel[:, 0], ridge.coef_, rtol=1e-4)
    np.testing.assert_allclose(bias[0], ridge.intercept_, rtol=1e-4, atol=1e-4)
    assert history.stopped_by == "gradient_tolerance"
    assert history.history["gradient_norm"][-1] <= 1e-5


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("method", "tolerance"), [("lbfgs", 3e-4), ("gradient_descent", 3e-3)]
)
def test_finds_the_logistic_regression_of_scikit_learn(method, tolerance):
    x, y = data()
    labels = (y > 0).astype("int32")
    model = linear(
        keras.losses.BinaryCrossentropy(from_logits=True),
        kernel_regularizer=keras.regularizers.L2(0.05),
    )
    fit_full_batch(model, x, labels, method=method)
    logistic = sklearn.linear_model.LogisticRegression(
        C=1 / (2 * 0.05 * len(x)), tol=1e-10
    ).fit(x.astype("float64"), labels)
    kernel, bias = weights(model)
    np.testing.assert_allclose(kernel[:, 0], logistic.coef_[0], atol=tolerance)
    np.testing.assert_allclose(bias, logistic.intercept_, atol=tolerance)


def torch_losses(model, x, y, count):
    """The losses of L-BFGS as torch has it, from the weights of a model."""
    twin = torch.nn.Sequential(
        torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1)
    )
    for parameter, value in zip(twin.parameters(), weights(model), strict=True):
        parameter.data = torch.tensor(value.T.copy())
    optimizer = torch.optim.LBFGS(
        twin.parameters(),
        line_search_fn="strong_wolfe",
        history_size=10,
        max_iter=1,
        max_eval=27,
    )

    def closure():
        optimizer.zero_grad()
        error = twin(torch.tensor(x))[:, 0] - torch.tensor(y)
        loss = torch.mean(error**2)
        loss.backward()
        return loss

    # The first is the loss before the first iteration.
    return [optimizer.step(closure).item() for _ in range(count + 1)][1:]


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="Keras takes means and products of float64 in float32 there",
)
def test_follows_torch_on_a_network_in_double_precision(double_precision):
    x, y = (values.astype("float64") for values in data())
    model = network()
    losses = torch_losses(model, x, y, 20)
    history = fit_full_batch(model, x, y, max_iterations=20)
    np.testing.assert_allclose(history.history["loss"], losses, rtol=1e-5)


@pytest.mark.any_backend
def test_follows_torch_on_a_network_until_rounding_changes_a_line_search():
    # A line search ends at a comparison of two numbers. In single precision
    # one falls otherwise than torch's sooner or later, and from there on both
    # go ways of their own; the double precision above tells that it is that.
    x, y = data()
    model = network()
    losses = torch_losses(model, x, y, 20)
    history = fit_full_batch(model, x, y, max_iterations=20)
    np.testing.assert_allclose(
        history.history["loss"][:10], losses[:10], rtol=1e-4
    )
    np.testing.assert_allclose(history.history["loss"], losses, rtol=2e-2)


def test_follows_torch_for_twenty_iterations_in_single_precision():
    # On a convex loss, where rounding does not send both different ways. The
    # reference is in double precision.
    x, y = data(200)
    labels = (y > 0).astype("float32")
    model = linear(
        keras.losses.BinaryCrossentropy(from_logits=True),
        kernel_regularizer=keras.regularizers.L2(1e-3),
    )
    kernel, bias = (
        torch.tensor(value, dtype=torch.float64, requires_grad=True)
        for value in weights(model)
    )
    optimizer = torch.optim.LBFGS(
        [kernel, bias],
        line_search_fn="strong_wolfe",
        history_size=10,
        max_iter=1,
        max_eval=27,
        tolerance_grad=0,
        tolerance_change=0,
    )

    def closure():
        optimizer.zero_grad()
        logits = torch.tensor(x, dtype=torch.float64) @ kernel + bias
        loss = torch.nn.functional.binary_cross_entropy_with_logits(
            logits[:, 0], torch.tensor(labels, dtype=torch.float64)
        ) + 1e-3 * torch.sum(kernel**2)
        loss.backward()
        return loss

    losses = [optimizer.step(closure).item() for _ in range(21)][1:]
    history = fit_full_batch(
        model, x, labels, max_iterations=20, gradient_tolerance=0
    ).history["loss"]
    # In single precision the loss stands still a little earlier.
    assert len(history) > 10
    history += history[-1:] * (20 - len(history))
    np.testing.assert_allclose(history, losses, rtol=1e-5)


def test_parts_of_the_data_give_the_same_fit_as_all_at_once():
    x, y = data()
    sample_weight = np.random.default_rng(1).uniform(0.2, 3, size=len(x))
    start = network()
    models = [keras.models.clone_model(start) for _ in range(2)]
    histories = []
    for model, batch_size in zip(models, (None, 7), strict=True):
        model.compile(loss="mse")
        model.set_weights(start.get_weights())
        histories.append(
            fit_full_batch(
                model,
                x,
                y,
                sample_weight=sample_weight,
                batch_size=batch_size,
                max_iterations=8,
            )
        )
    whole, parts = (h.history["loss"] for h in histories)
    np.testing.assert_allclose(whole, parts, rtol=1e-4)
    total = models[1].evaluate(
        x, y, sample_weight=sample_weight, batch_size=len(x), verbose=0
    )
    np.testing.assert_allclose(parts[-1], total, rtol=1e-5)


@pytest.mark.any_backend
def test_the_history_tells_how_the_fit_went():
    model = network()
    x, y = data()
    history = fit_full_batch(model, x, y, max_iterations=5)
    assert history.stopped_by == "max_iterations"
    assert history.epoch == [0, 1, 2, 3, 4]
    assert set(history.history) == {
        "loss",
        "gradient_norm",
        "step_length",
        "evaluations",
    }
    assert np.all(np.diff(history.history["loss"]) < 0)
    assert np.all(np.diff(history.history["evaluations"]) >= 1)
    assert history.history["evaluations"][0] >= 2
    evaluated = model.evaluate(x, y, batch_size=len(x), verbose=0)
    np.testing.assert_allclose(
        history.history["loss"][-1], evaluated, rtol=1e-5
    )


@pytest.mark.any_backend
def test_leaves_alone_what_is_not_fitted():
    model = network(
        keras.layers.BatchNormalization(),
        keras.layers.Dropout(0.5),
        keras.layers.GaussianNoise(1.0),
    )
    model.layers[0].trainable = False
    model.compile("adam", "mse")
    x, y = data()
    # As one batch, since each size of batches is compiled again.
    model.fit(x, y, batch_size=len(x), verbose=0)
    frozen = [
        keras.ops.convert_to_numpy(w).copy()
        for w in model.non_trainable_weights
    ]
    state = [np.array(v.numpy()) for v in model.optimizer.variables]
    fit_full_batch(model, x, y, max_iterations=5)
    for before, after in zip(frozen, model.non_trainable_weights, strict=True):
        np.testing.assert_array_equal(before, keras.ops.convert_to_numpy(after))
    for before, after in zip(state, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(before, after.numpy())
    # And `fit` goes on from there.
    model.fit(x, y, batch_size=len(x), verbose=0)


@pytest.mark.any_backend
def test_fits_several_inputs_and_outputs_and_integers():
    random = np.random.default_rng(0)
    words = keras.Input((3,), dtype="int32", name="words")
    numbers = keras.Input((2,), name="numbers")
    features = keras.layers.Concatenate()(
        [
            keras.layers.Flatten()(keras.layers.Embedding(6, 2)(words)),
            numbers,
        ]
    )
    outputs = {
        "price": keras.layers.Dense(1, name="price")(features),
        "kind": keras.layers.Dense(3, name="kind")(features),
    }
    model = keras.Model({"words": words, "numbers": numbers}, outputs)
    model.compile(
        loss={
            "price": "mse",
            "kind": keras.losses.SparseCategoricalCrossentropy(
                from_logits=True
            ),
        },
        loss_weights={"price": 0.5, "kind": 2.0},
    )
    x = {
        "words": random.integers(0, 6, size=(16, 3)),
        "numbers": random.normal(size=(16, 2)),
    }
    y = {
        "price": random.normal(size=(16, 1)),
        "kind": random.integers(0, 3, size=16),
    }
    history = fit_full_batch(model, x, y, batch_size=8, max_iterations=20)
    evaluated = model.evaluate(x, y, batch_size=16, verbose=0, return_dict=True)
    losses = history.history["loss"]
    np.testing.assert_allclose(losses[-1], evaluated["loss"], rtol=1e-5)
    assert losses[-1] < losses[0] / 2


def test_compiles_and_builds_a_new_model_with_its_loss():
    model = keras.Sequential([keras.layers.Dense(1)])
    x, y = data()
    history = fit_full_batch(model, x, y, loss="mse")
    assert history.history["loss"][-1] < 0.2
    assert model.evaluate(x, y, verbose=0) < 0.2


@pytest.mark.any_backend
def test_uses_a_loss_that_the_model_writes_itself():
    class Absolute(keras.Model):
        def __init__(self):
            super().__init__()
            self.layer = keras.layers.Dense(1)

        def call(self, x):
            return self.layer(x)

        def compute_loss(self, x, y, y_pred, sample_weight, training=True):
            assert not training
            return keras.ops.mean((y_pred[:, 0] - 7) ** 2)

    model = Absolute()
    model.compile()
    x, y = data()
    history = fit_full_batch(model, x, y)
    assert history.history["loss"][-1] < 1e-6


@pytest.mark.any_backend
def test_callbacks_see_iterations_as_epochs_and_may_stop_the_fit():
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            loss = self.model.evaluate(x, y, batch_size=len(x), verbose=0)
            seen.append((logs["loss"], loss, logs["val_loss"]))
            self.model.stop_training = epoch == 2

        def on_train_end(self, logs=None):
            seen.append("end")

    model = network()
    x, y = data()
    history = fit_full_batch(
        model, x, y, callbacks=[Watch()], validation_data=(x[:10], y[:10])
    )
    assert history.stopped_by == "callback"
    assert len(history.epoch) == 3
    assert "val_loss" in history.history
    assert seen.pop() == "end"
    for logged, evaluated, _ in seen:
        np.testing.assert_allclose(logged, evaluated, rtol=1e-5)


@pytest.mark.any_backend
def test_early_stopping_restores_the_best_weights():
    model = network()
    x, y = data(12)
    stopping = keras.callbacks.EarlyStopping(
        patience=3, restore_best_weights=True
    )
    validation = data(200)
    history = fit_full_batch(
        model, x, y, callbacks=[stopping], validation_data=validation
    )
    evaluated = model.evaluate(*validation, batch_size=200, verbose=0)
    best = min(history.history["val_loss"])
    np.testing.assert_allclose(evaluated, best, rtol=1e-4)


@pytest.mark.any_backend
def test_an_interruption_leaves_the_weights_of_the_lowest_loss():
    losses = []

    class Interruption(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            losses.append(logs["loss"])

        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 3:
                raise KeyboardInterrupt

    model = network()
    x, y = data()
    with pytest.raises(KeyboardInterrupt):
        fit_full_batch(model, x, y, callbacks=[Interruption()])
    evaluated = model.evaluate(x, y, batch_size=len(x), verbose=0)
    np.testing.assert_allclose(evaluated, losses[-1], rtol=1e-5)


@pytest.mark.any_backend
def test_refuses_a_loss_that_is_not_finite_and_keeps_the_weights():
    model = network()
    x, y = data()
    x[3, 2] = np.nan
    before = weights(model)
    with pytest.raises(ValueError, match="cannot start: the loss"):
        fit_full_batch(model, x, y)
    for a, b in zip(before, weights(model), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.any_backend
def test_finds_its_way_around_losses_that_are_not_finite():
    def barrier(y_true, y_pred):
        # Not a number where the prediction is negative.
        return y_pred - 0.5 * keras.ops.log(y_pred)

    model = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(1, use_bias=False)]
    )
    model.compile(loss=barrier)
    model.set_weights([np.array([[3.0]])])
    x = np.ones((4, 1))
    history = fit_full_batch(
        model, x, x, method=LBFGS(learning_rate=50.0), max_iterations=50
    )
    np.testing.assert_allclose(weights(model)[0], 0.5, rtol=1e-3)
    assert np.all(np.isfinite(history.history["loss"]))


@pytest.mark.any_backend
def test_says_so_where_only_losses_that_are_not_finite_are_left():
    def cliff(y_true, y_pred):
        # Falls to the left up to zero, where it ends.
        return y_pred + 0 * keras.ops.log(y_pred)

    model = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(1, use_bias=False)]
    )
    model.compile(loss=cliff)
    model.set_weights([np.array([[1e-30]])])
    x = np.ones((4, 1))
    with pytest.warns(UserWarning, match="not finite"):
        history = fit_full_batch(model, x, x)
    assert history.stopped_by == "line_search"
    assert weights(model)[0] > 0


@pytest.mark.any_backend
def test_prints_a_line_for_each_iteration(capsys):
    x, y = data()
    fit_full_batch(network(), x, y, max_iterations=2, verbose=1)
    lines = capsys.readouterr().out.strip().splitlines()
    assert len(lines) == 2
    assert "Iteration 2/2" in lines[1]
    assert "loss: " in lines[1]


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("method", {"method": "newton"}),
        ("batch_size", {"batch_size": 0}),
        ("max_iterations", {"max_iterations": 0}),
        ("gradient_tolerance", {"gradient_tolerance": -1}),
        ("loss_tolerance", {"loss_tolerance": None}),
        ("loss", {"loss": "mse"}),
        ("x", {"sample_weight": np.ones(3)}),
    ],
)
def test_refuses_bad_arguments(name, arguments):
    x, y = data()
    with pytest.raises(ValueError, match=f"`{name}` of fit_full_batch must be"):
        fit_full_batch(network(), x, y, **arguments)


@pytest.mark.any_backend
def test_refuses_models_that_it_cannot_fit():
    x, y = data()
    constrained = linear(kernel_constraint="non_neg")
    frozen = linear()
    frozen.trainable = False
    for model, reason in [
        (linear(loss=None), "compiled"),
        (constrained, "free of constraints"),
        (frozen, "trainable variables"),
        ("a model", "a Keras model"),
    ]:
        with pytest.raises(ValueError, match=f"`model` .* {reason}"):
            fit_full_batch(model, x, y)
    summed = linear(keras.losses.MeanSquaredError(reduction="sum"))
    with pytest.raises(ValueError, match="reduction 'sum'"):
        fit_full_batch(summed, x, y, batch_size=10)
    fit_full_batch(summed, x, y, max_iterations=2)

import keras
import numpy as np
import pytest
from events import scalars

from keras_regopt.callbacks import RegularizationLogger
from keras_regopt.regularizers import ElasticNet

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
Y = X[:, :1] - X[:, 1:2]


def model_with_penalties(frozen=False):
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(
                4,
                kernel_regularizer=keras.regularizers.L2(0.1),
                bias_regularizer=keras.regularizers.L1(0.3),
                activity_regularizer=keras.regularizers.L2(0.01),
                trainable=not frozen,
                name="first",
            ),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(
                1, kernel_regularizer=ElasticNet(0.2, 0.75), name="second"
            ),
        ]
    )
    model.compile("sgd", "mse")
    return model


def fit(model, *callbacks, epochs=2):
    return model.fit(
        X, Y, batch_size=4, epochs=epochs, verbose=0, callbacks=list(callbacks)
    ).history


def test_the_figures_are_those_of_the_formulas_at_the_end_of_the_epoch():
    model = model_with_penalties()
    history = fit(model, RegularizationLogger())
    kernel, bias, second, _ = model.get_weights()
    expected = {
        "first/kernel": 0.1 * np.sum(kernel**2),
        "first/bias": 0.3 * np.sum(np.abs(bias)),
        "second/kernel": 0.15 * np.sum(np.abs(second))
        + 0.025 * np.sum(second**2),
    }
    loss = history["loss"][-1]
    paths = {"/".join(v.path.split("/")[-2:]): v.path for v in model.weights}
    for ending, value in expected.items():
        path = paths.pop(ending)
        assert history[f"penalty/{path}"][-1] == pytest.approx(value, rel=1e-5)
        assert history[f"penalty_share/{path}"][-1] == pytest.approx(
            value / loss, rel=1e-5
        )
    assert not any(f"penalty/{path}" in history for path in paths.values())
    total = sum(expected.values())
    assert history["penalty"][-1] == pytest.approx(total, rel=1e-5)
    assert history["penalty_share"][-1] == pytest.approx(total / loss, rel=1e-5)
    assert len(history["penalty"]) == 2


@pytest.mark.any_backend
def test_activity_penalties_are_measured_on_the_given_inputs_in_inference():
    model = model_with_penalties()
    history = fit(model, RegularizationLogger(x=X[:5]))
    kernel, bias, *_ = model.get_weights()
    activity = 0.01 * np.sum((X[:5] @ kernel + bias) ** 2)
    if tuple(map(int, keras.__version__.split(".")[:2])) >= (3, 14):
        # Keras divides by the size of the batch.
        activity /= 5
    names = [n for n in history if n.startswith("penalty/") and "act" in n]
    assert [n.split("/")[-2:] for n in names] == [["first", "activity"]]
    assert history[names[0]][-1] == pytest.approx(activity, rel=1e-4)
    parts = [h[-1] for n, h in history.items() if n.startswith("penalty/")]
    assert history["penalty"][-1] == pytest.approx(sum(parts), rel=1e-6)


@pytest.mark.any_backend
def test_it_changes_nothing_in_the_training():
    keras.utils.set_random_seed(0)
    plain = model_with_penalties()
    expected = fit(plain)["loss"]
    keras.utils.set_random_seed(0)
    model = model_with_penalties()
    assert fit(model, RegularizationLogger(x=X[:5]))["loss"] == expected
    for ours, theirs in zip(
        model.get_weights(), plain.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.any_backend
def test_frozen_weights_do_not_count_as_in_the_loss():
    history = fit(model_with_penalties(frozen=True), RegularizationLogger())
    counted = [n for n in history if n.startswith("penalty/")]
    assert [n.split("/")[-2:] for n in counted] == [["second", "kernel"]]


@pytest.mark.any_backend
def test_a_model_without_penalties_has_none():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    history = fit(model, RegularizationLogger(x=X[:2]))
    assert history["penalty"] == history["penalty_share"] == [0.0, 0.0]


@pytest.mark.any_backend
def test_tensorboard_gets_the_figures_of_each_epoch(tmp_path):
    model = model_with_penalties()
    history = fit(
        model, RegularizationLogger(per_weight=False, log_dir=tmp_path)
    )
    written = scalars(tmp_path)
    assert written.keys() == {"penalty", "penalty_share"}
    epochs, shares = zip(*written["penalty_share"], strict=True)
    assert epochs == (0, 1)
    np.testing.assert_allclose(shares, history["penalty_share"], rtol=1e-6)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"x": "images"}, "x"),
        ({"x": []}, "x"),
        ({"per_weight": 1}, "per_weight"),
        ({"log_dir": 1}, "log_dir"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of RegularizationLogger"):
        RegularizationLogger(**arguments)

"""Figures in a history have one name, however many models were made before."""

import keras
import pytest
from interrupted import X, Y, require_equal, train
from keras.optimizers import SGD
from keras_versions import multi_optimizer

from keras_regopt.callbacks import (
    GradientNormLogger,
    LearningRateLogger,
    ReduceLROnPlateau,
    RegularizationLogger,
)

pytestmark = pytest.mark.any_backend


def loggers():
    return [
        RegularizationLogger(x=X),
        GradientNormLogger(),
        LearningRateLogger(),
        ReduceLROnPlateau("loss"),
    ]


def dense(units, **options):
    return keras.layers.Dense(
        units, kernel_regularizer="l2", activity_regularizer="l2", **options
    )


def model(**options):
    inner = keras.Sequential([dense(3), dense(2)])
    made = keras.Sequential([keras.Input((3,)), inner, dense(1, **options)])
    made.compile(multi_optimizer(SGD(0.02), {".*kernel": SGD()}), "mse")
    return made


def names_of(made):
    history = made.fit(X, Y, verbose=0, callbacks=loggers()).history
    return sorted(history)


def test_all_models_of_the_same_code_have_the_same_names():
    first = names_of(model())
    assert "penalty/sequential_1/sequential/dense_1/kernel" in first
    assert "penalty_share/sequential_1/dense_2/activity" in first
    assert "gradient_norm/sequential_1/dense_2" in first
    assert "learning_rate_sgd_1" in first
    for _ in range(2):
        assert names_of(model()) == first


def test_a_name_that_was_given_stays_though_it_looks_like_one_of_keras():
    last = model(name="dense_7")
    assert "gradient_norm/sequential_1/dense_7" in names_of(last)


def test_a_training_that_goes_on_in_the_same_process_has_whole_lists(tmp_path):
    options = {"make_model": model, "guarded": loggers, "epochs": 3}
    keras.backend.clear_session()
    expected = train(None, **options)
    run = train(tmp_path, [8], **options)
    assert {len(values) for values in run[0].values()} == {3}
    require_equal(run, expected)

"""What all penalties with a state share."""

import copy
import gc

import keras
import numpy as np
import pytest

from keras_regopt.regularizers import L2SP, SRIP, SpectralNorm
from keras_regopt.testing._backend import to_numpy
from keras_regopt.testing._samples import compile_arguments, modes

X = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")


def compiled_model(regularizer, mode=None, loss="mse"):
    layer = keras.layers.Dense(3, kernel_regularizer=regularizer)
    model = keras.Sequential([keras.Input((4,)), layer])
    model.compile("sgd", loss, **compile_arguments(mode))
    return model


def array(variable):
    return np.array(keras.ops.convert_to_numpy(variable))


@pytest.mark.any_case
@pytest.mark.parametrize("mode", modes())
@pytest.mark.parametrize("cls", [SpectralNorm, SRIP])
def test_the_state_moves_in_training_alone(cls, mode):
    regularizer = cls(0.1)
    model = compiled_model(regularizer, mode)
    model.evaluate(X, X[:, :3], verbose=0)
    before = array(regularizer.state)
    model.evaluate(X, X[:, :3], verbose=0)
    np.testing.assert_array_equal(array(regularizer.state), before)
    model.fit(X, X[:, :3], epochs=3, verbose=0)
    assert np.abs(array(regularizer.state) - before).max() > 1e-4


def test_the_state_is_among_the_variables_of_the_model():
    regularizer = L2SP(0.1)
    model = compiled_model(regularizer)
    weights = len(model.weights)
    model.fit(X, X[:, :3], verbose=0)
    assert len(model.weights) == weights + 1
    assert model.non_trainable_variables[0] is regularizer.state


def test_weights_alone_bring_the_state_along(tmp_path):
    model = compiled_model(L2SP(0.1))
    model.fit(X, X[:, :3], verbose=0)
    model.layers[0].kernel.assign(np.ones((4, 3)))
    model.save_weights(tmp_path / "model.weights.h5")
    other = compiled_model(L2SP(0.1))
    other.load_weights(tmp_path / "model.weights.h5")
    assert float(to_numpy(other.losses[0])) == pytest.approx(
        float(to_numpy(model.losses[0]))
    )
    assert float(to_numpy(other.losses[0])) > 0


def test_weights_of_a_model_without_a_state_can_be_loaded(tmp_path):
    plain = compiled_model(None)
    plain.save_weights(tmp_path / "model.weights.h5")
    model = compiled_model(L2SP(0.1))
    model.load_weights(tmp_path / "model.weights.h5")
    assert float(to_numpy(model.losses[0])) == 0


@pytest.mark.any_backend
def test_a_copy_has_a_state_of_its_own():
    regularizer = L2SP(0.1)
    model = compiled_model(regularizer)
    model.fit(X, X[:, :3], verbose=0)
    copied = copy.deepcopy(regularizer)
    np.testing.assert_array_equal(array(copied.state), array(regularizer.state))
    assert copied.state is not regularizer.state


@pytest.mark.any_backend
def test_a_clone_of_a_model_begins_anew():
    model = compiled_model(L2SP(0.1))
    model.fit(X, X[:, :3], verbose=0)
    clone = keras.models.clone_model(model)
    assert float(to_numpy(clone.losses[0])) == 0


def test_one_object_is_for_one_weight():
    regularizer = SpectralNorm(0.1)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(4, kernel_regularizer=regularizer),
            keras.layers.Dense(4, kernel_regularizer=regularizer),
        ]
    )
    with pytest.raises(ValueError, match="Make a new object for each"):
        model.losses  # noqa: B018


@pytest.mark.any_backend
def test_forgets_a_weight_that_is_gone():
    regularizer = L2SP(0.1)
    layer = keras.layers.Dense(3, kernel_regularizer=regularizer)
    layer.build((None, 4))
    assert float(to_numpy(layer.losses[0])) == 0
    del layer
    gc.collect()
    layer = keras.layers.Dense(2, kernel_regularizer=regularizer)
    layer.build((None, 4))
    assert float(to_numpy(layer.losses[0])) == 0
    assert len(layer.weights) == 3


@pytest.mark.skipif(
    keras.backend.backend() != "jax", reason="only JAX has no variables inside"
)
def test_says_what_to_do_where_a_compiled_step_comes_first():
    model = compiled_model(L2SP(0.1))

    def losses():
        return model.stateless_call(
            model.trainable_variables,
            model.non_trainable_variables,
            X,
            return_losses=True,
        )

    with pytest.raises(RuntimeError, match="step can make none"):
        losses()
    model.losses  # noqa: B018
    assert float(to_numpy(losses()[2][0])) == 0


@pytest.mark.skipif(
    keras.backend.backend() == "torch", reason="Keras has no strategies there"
)
def test_moves_with_data_on_two_devices():
    from keras_regopt.testing._backend import data_parallel

    def train():
        model = compiled_model(SpectralNorm(0.1))
        model.fit(X, X[:, :3], batch_size=8, epochs=3, shuffle=False, verbose=0)
        return [array(weight) for weight in model.weights]

    keras.utils.set_random_seed(0)
    expected = train()
    keras.utils.set_random_seed(0)
    for one, other in zip(data_parallel(train), expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)

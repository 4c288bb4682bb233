import keras
import numpy as np
import pytest
import torch
from pytorch_optimizer import SAM as TorchSAM

from keras_regopt.optimizers import RAdam
from keras_regopt.optimizers.wrappers.sharpness_aware_model import (
    SharpnessAwareModel,
)
from keras_regopt.testing._backend import backend, data_parallel
from keras_regopt.testing._contract import NotApplicable
from keras_regopt.testing._samples import compile_arguments, modes

# What costs the least where the way of running is of no account.
QUICK = "jit" if backend() == "jax" else "eager"
COMPILED = [mode for mode in modes() if mode != "eager"] or ["eager"]

random = np.random.default_rng(0)
X = random.normal(size=(32, 4)).astype("float32")
Y = np.tanh(X @ random.normal(size=(4, 2))).astype("float32")
KERNELS = [
    random.normal(size=(4, 5)).astype("float32"),
    random.normal(size=(5, 2)).astype("float32"),
]


def layers(*between):
    first = keras.layers.Dense(5, activation="tanh", name="first")
    return [
        keras.Input((4,)),
        first,
        *between,
        keras.layers.Dense(2, name="last"),
    ]


def sharpness_aware(*between, optimizer=None, mode=QUICK, **options):
    inner = keras.Sequential(layers(*between))
    for name, kernel in zip(("first", "last"), KERNELS, strict=True):
        inner.get_layer(name).kernel.assign(kernel)
    model = SharpnessAwareModel(inner, **options)
    model.compile(
        optimizer or keras.optimizers.SGD(0.1, momentum=0.9),
        "mse",
        **compile_arguments(mode),
    )
    return model


def fit(model, epochs=5):
    history = model.fit(
        X, Y, batch_size=8, epochs=epochs, shuffle=False, verbose=0
    )
    return history.history["loss"]


def values(model):
    return [keras.ops.convert_to_numpy(w) for w in model.trainable_weights]


def torch_fit(rho, adaptive, epochs=5):
    """The weights and the losses of the first pass, by pytorch_optimizer.

    In double precision, so that the rounding of one side alone is seen.
    """
    model = torch.nn.Sequential(
        torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2)
    ).double()
    with torch.no_grad():
        for layer, kernel in zip((model[0], model[2]), KERNELS, strict=True):
            layer.weight.copy_(torch.tensor(kernel.T))
            layer.bias.zero_()
    optimizer = TorchSAM(
        model.parameters(),
        torch.optim.SGD,
        rho=rho,
        adaptive=adaptive,
        lr=0.1,
        momentum=0.9,
    )
    losses = []
    for step in range(epochs * 4):
        at = slice(step % 4 * 8, step % 4 * 8 + 8)
        x, y = torch.tensor(X[at]).double(), torch.tensor(Y[at]).double()

        def closure(x=x, y=y):
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(model(x), y)
            loss.backward()
            return loss

        losses.append(closure().item())
        optimizer.step(closure)
    weights = [p.detach().numpy().T for p in model.parameters()]
    return weights, np.reshape(losses, (epochs, 4)).mean(axis=1)


@pytest.mark.any_case
@pytest.mark.parametrize("mode", COMPILED)
@pytest.mark.parametrize(("rho", "adaptive"), [(0.05, False), (0.5, True)])
def test_follows_pytorch_optimizer_for_twenty_steps(rho, adaptive, mode):
    model = sharpness_aware(mode=mode, rho=rho, adaptive=adaptive)
    losses = fit(model)
    weights, expected_losses = torch_fit(rho, adaptive)
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-5)
    for ours, theirs in zip(values(model), weights, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_without_a_distance_it_trains_as_the_model_within():
    plain = sharpness_aware(rho=0.0)
    within = sharpness_aware(rho=0.0).model
    within.compile(
        keras.optimizers.SGD(0.1, momentum=0.9),
        "mse",
        **compile_arguments(QUICK),
    )
    np.testing.assert_allclose(fit(plain), fit(within), rtol=1e-6)


@pytest.mark.parametrize("mode", COMPILED[-1:])
def test_batch_normalization_sees_each_batch_once(mode):
    # With a rate of zero the weights stay, so the batches are the same.
    still = keras.optimizers.SGD(0.0)
    norm = keras.layers.BatchNormalization(momentum=0.5)
    model = sharpness_aware(norm, optimizer=still, mode=mode, rho=0.5)
    fit(model, epochs=1)
    plain = sharpness_aware(keras.layers.BatchNormalization(momentum=0.5)).model
    plain.compile(keras.optimizers.SGD(0.0), "mse")
    fit(plain, epochs=1)
    for ours, expected in zip(model.weights, plain.weights, strict=True):
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(ours),
            keras.ops.convert_to_numpy(expected),
            rtol=1e-5,
            atol=1e-6,
        )


@pytest.mark.parametrize("mode", COMPILED[-1:])
def test_dropout_draws_the_same_in_both_passes(mode):
    # The loss is linear in the one weight, and its slope is the mask.
    dropout = keras.layers.Dropout(0.5, seed=3)
    scale = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    inner = keras.Sequential([keras.Input((16,)), dropout, scale])
    model = SharpnessAwareModel(inner, rho=1.0)
    model.compile(
        keras.optimizers.SGD(1.0),
        lambda y, y_pred: keras.ops.sum(y_pred),
        **compile_arguments(mode),
    )
    seeds = [keras.ops.convert_to_numpy(dropout.seed_generator.state)]
    x = np.ones((1, 16), "float32")
    history = model.fit(x, x[:, :1], verbose=0)
    seeds.append(keras.ops.convert_to_numpy(dropout.seed_generator.state))
    # The first pass shows in the loss, the second one in the step.
    kernel = keras.ops.convert_to_numpy(scale.kernel)
    mask = 1 - kernel
    assert history.history["loss"][0] == pytest.approx(mask.sum())
    assert seeds[1][1] - seeds[0][1] == 1


def test_metrics_count_each_example_once():
    model = sharpness_aware(rho=0.5, optimizer=keras.optimizers.SGD(0.0))
    model.compile(model.optimizer, "mse", metrics=["mae"])
    history = model.fit(X, Y, batch_size=8, verbose=0).history
    loss, mae = model.evaluate(X, Y, verbose=0)
    assert history["loss"][0] == pytest.approx(loss, rel=1e-5)
    assert history["mae"][0] == pytest.approx(mae, rel=1e-5)


def test_losses_of_layers_and_several_outputs_are_those_of_the_first_pass():
    def model_of(cls):
        keras.utils.set_random_seed(0)
        inputs = {n: keras.Input((4,), name=n) for n in "ab"}
        both = keras.layers.Concatenate()([inputs["a"], inputs["b"]])
        hidden = keras.layers.Dense(
            3, activity_regularizer="l2", kernel_regularizer="l2"
        )(both)
        outputs = {
            name: keras.layers.Dense(2, name=name)(hidden) for name in "cd"
        }
        model = cls(keras.Model(inputs, outputs))
        model.compile(keras.optimizers.SGD(0.0), {"c": "mse", "d": "mae"})
        x, y = {"a": X, "b": X}, {"c": Y, "d": Y}
        return model.fit(x, y, batch_size=8, verbose=0).history

    plain = model_of(lambda model: model)
    aware = model_of(lambda model: SharpnessAwareModel(model, rho=0.5))
    assert plain.keys() == aware.keys()
    for name, losses in plain.items():
        np.testing.assert_allclose(aware[name], losses, rtol=1e-5)


def test_frozen_weights_stay():
    model = sharpness_aware(rho=0.5)
    model.model.get_layer("first").trainable = False
    model.compile(keras.optimizers.SGD(0.1), "mse")
    fit(model, epochs=1)
    first, last = (model.model.get_layer(n) for n in ("first", "last"))
    np.testing.assert_array_equal(first.kernel.numpy(), KERNELS[0])
    assert not np.allclose(last.kernel.numpy(), KERNELS[1])


@pytest.mark.parametrize("mode", COMPILED[-1:])
def test_gradients_that_overflow_change_nothing_but_the_scale(mode):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = sharpness_aware(mode=mode, rho=0.05)
    finally:
        keras.config.set_dtype_policy("float32")
    scaling = model.optimizer
    assert isinstance(scaling, keras.optimizers.LossScaleOptimizer)
    before = values(model)
    scaling.build(model.trainable_variables)
    scaling.dynamic_scale.assign(2.0**40)
    model.fit(X[:8], Y[:8], batch_size=8, verbose=0)
    for weight, expected in zip(values(model), before, strict=True):
        np.testing.assert_array_equal(weight, expected)
    assert float(scaling.dynamic_scale) == 2.0**39
    assert int(scaling.iterations) == 0
    scaling.dynamic_scale.assign(2.0**10)
    losses = fit(model)
    assert losses[-1] < losses[0]
    single, _ = torch_fit(0.05, False)
    for weight, expected in zip(values(model), single, strict=True):
        np.testing.assert_allclose(weight, expected, atol=0.02)


@pytest.mark.any_backend
def test_a_reloaded_model_trains_on_as_one_that_was_never_saved(tmp_path):
    model = sharpness_aware(
        keras.layers.Dropout(0.1, seed=0),
        optimizer=RAdam(0.01),
        rho=0.1,
        adaptive=True,
    )
    fit(model, epochs=1)
    model.save(tmp_path / "model.keras")
    reloaded = keras.saving.load_model(tmp_path / "model.keras")
    assert (reloaded.rho, reloaded.adaptive) == (0.1, True)
    for own, other in zip(model.variables, reloaded.variables, strict=True):
        if "seed" in own.path:
            # Keras does not save them.
            other.assign(keras.ops.copy(own))
    np.testing.assert_allclose(fit(reloaded, 2), fit(model, 2), rtol=1e-5)


def test_two_devices_make_the_steps_of_one():
    def train(mode=None):
        # Not dropout, which draws otherwise on each device.
        return values_after(sharpness_aware(rho=0.1, mode=mode))

    def values_after(model):
        fit(model, epochs=2)
        return model

    try:
        parallel = values(data_parallel(train))
    except NotApplicable as reason:
        pytest.skip(reason=str(reason))
    for ours, expected in zip(parallel, values(train(QUICK)), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)


def test_two_devices_keep_statistics_seeds_and_frozen_weights():
    def train():
        model = sharpness_aware(
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.1),
            mode=None,
            rho=0.1,
        )
        model.model.get_layer("first").trainable = False
        model.compile(keras.optimizers.SGD(0.1), "mse")
        fit(model, epochs=1)
        return model

    try:
        model = data_parallel(train)
    except NotApplicable as reason:
        pytest.skip(reason=str(reason))
    assert all(
        np.all(np.isfinite(keras.ops.convert_to_numpy(w)))
        for w in model.weights
    )
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(model.model.get_layer("first").kernel),
        KERNELS[0],
    )


def test_takes_a_model_of_a_class_that_is_built_while_it_trains():
    @keras.saving.register_keras_serializable("test_sharpness_aware_model")
    class Own(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = keras.layers.Dense(2)

        def call(self, inputs):
            return self.dense(inputs)

    model = SharpnessAwareModel(Own(), rho=0.1)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    losses = fit(model)
    assert losses[-1] < losses[0]
    assert model.predict(X, verbose=0).shape == (32, 2)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"model": keras.layers.Dense}, "model"),
        ({"model": 3}, "model"),
        ({"rho": -0.1}, "rho"),
        ({"adaptive": 1}, "adaptive"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    arguments = {"model": keras.Sequential(layers()), **arguments}
    with pytest.raises(
        ValueError, match=f"`{name}` of SharpnessAwareModel must be"
    ):
        SharpnessAwareModel(**arguments)

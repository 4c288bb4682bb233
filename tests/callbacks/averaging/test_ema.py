import keras
import numpy as np
import optax
import pytest
import torch
from averaged_fit import assert_close, fit, small_model, trajectory
from keras.optimizers import SGD

from keras_regopt.callbacks import EMA, WeightAveraging
from keras_regopt.optimizers import ExponentialMovingAverage

EPOCHS = 11  # Of two steps each.


@pytest.fixture(scope="module")
def seen():
    return trajectory(EPOCHS)


def averaged(average):
    model = small_model()
    fit(model, WeightAveraging(average), epochs=EPOCHS)
    return model.get_weights()


def test_equals_optax_over_many_steps(seen):
    with_jax = optax.ema(0.8, debias=True)
    state = with_jax.init(seen[0])
    for weights in seen[1:]:
        average, state = with_jax.update(weights, state)
    assert_close(averaged(EMA(0.8)), [np.asarray(a) for a in average])


def test_equals_torch_where_it_begins_with_the_first_weights(seen):
    module = torch.nn.Linear(2, 1)
    average = torch.optim.swa_utils.AveragedModel(
        module, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.8)
    )
    for kernel, bias in seen:
        with torch.no_grad():
            module.weight.copy_(torch.tensor(kernel.T))
            module.bias.copy_(torch.tensor(bias))
        average.update_parameters(module)
    expected = [
        average.module.weight.detach().cpu().numpy().T,
        average.module.bias.detach().cpu().numpy(),
    ]
    assert_close(averaged(EMA(0.8, bias_correction=False)), expected)


@pytest.mark.any_case
@pytest.mark.parametrize("bias_correction", [True, False])
@pytest.mark.parametrize("warm_up", [True, False])
def test_equals_the_wrapper_of_an_optimizer(bias_correction, warm_up):
    optimizer = ExponentialMovingAverage(
        SGD(0.05), 0.6, bias_correction, warm_up, overwrite=False
    )
    model = small_model(optimizer)
    callback = WeightAveraging(EMA(0.6, bias_correction, warm_up))
    fit(model, callback, epochs=6)
    assert_close(model.get_weights(), optimizer.average_values())


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("average", "samples"),
    [
        (EMA(0.5, every=3), [3, 6, 9, 12, 15, 18, 21]),
        (EMA(0.5, start=17), [18, 19, 20, 21, 22]),
        (EMA(0.5, False, start=17), [17, 18, 19, 20, 21, 22]),
        (EMA(0.5, False, start=18), [18, 19, 20, 21, 22]),
        (EMA(0.5, every=4, unit="epoch", start=2), [12, 20]),
        (EMA(0.5, False, unit="epoch", start=8), [16, 18, 20, 22]),
    ],
)
def test_takes_its_samples_when_they_are_due(average, samples, seen):
    expected = [np.zeros_like(w, "float64") for w in seen[0]]
    if not average.bias_correction:
        expected, samples = seen[samples[0]], samples[1:]
    for sample in samples:
        pairs = zip(expected, seen[sample], strict=True)
        expected = [0.5 * old + 0.5 * new for old, new in pairs]
    if average.bias_correction:
        expected = [w / (1 - 0.5 ** len(samples)) for w in expected]
    assert_close(averaged(average), expected)


@pytest.mark.any_backend
def test_warm_up_keeps_less_of_the_first_samples():
    momenta = [1 / 10, 2 / 11, 3 / 12, 4 / 13]
    expected = [0.0] * 4
    for sample, momentum in enumerate(momenta):
        expected = [momentum * share for share in expected]
        expected[sample] = 1 - momentum
    expected = np.array(expected) / sum(expected)
    ours = EMA(0.9, warm_up=True).weights_of_samples(4)
    np.testing.assert_allclose(ours, expected, rtol=1e-12)
    assert EMA(0.2, warm_up=True).weights_of_samples(9)[-1] == pytest.approx(
        0.8, rel=1e-4
    )


@pytest.mark.any_backend
def test_averages_weights_of_half_precision_in_single():
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(1, dtype="float16")]
    )
    model.compile(SGD(0.0), "mse")
    model.set_weights([np.ones((2, 1)), np.ones(1)])
    callback = WeightAveraging(EMA(0.999, bias_correction=False))

    class Drift(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            model.set_weights([np.full((2, 1), 1.25), np.ones(1)])

    # Half a step of half precision, which has 1 / 1024 at one.
    fit(model, callback, Drift(), epochs=1)
    assert callback.state()["kept"]["values"][0].dtype == np.float32
    np.testing.assert_allclose(
        callback.state()["kept"]["values"][0], 1.25 - 0.25 * 0.999**2, rtol=1e-6
    )
    assert str(model.get_weights()[0].dtype) == "float16"

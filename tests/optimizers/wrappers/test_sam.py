import keras
import numpy as np
import optax
import pytest
import torch
from against_keras import last_everywhere
from pytorch_optimizer import SAM as TorchSAM
from trajectories import (
    SHAPES,
    assert_close,
    falling,
    gradients,
    optax_run,
    run,
    values_of,
    variables_at_start,
)

from keras_regopt.optimizers.algorithms.schedule_free_sgd import ScheduleFreeSGD
from keras_regopt.optimizers.wrappers.sam import SAM
from keras_regopt.testing._backend import backend
from keras_regopt.testing._samples import data, dense_model, modes

# What costs the least where the way of running is of no account, and what is
# least forgiving.
QUICK = "jit" if backend() == "jax" else "eager"
STRICT = modes()[-1]


def optax_sam(inner, rho=0.05, sync_period=2):
    climb = optax.chain(optax.contrib.normalize(), optax.sgd(rho))
    return optax.contrib.sam(inner, climb, sync_period=sync_period)


# In the middle of a period and at its end.
@pytest.mark.parametrize("steps", last_everywhere(23, 24))
@pytest.mark.parametrize("sync_period", last_everywhere(2, 3))
def test_follows_optax_for_more_than_twenty_steps(sync_period, steps):
    inner = keras.optimizers.SGD(0.1, momentum=0.9, weight_decay=0.1)
    ours = run(SAM(inner, rho=0.3, sync_period=sync_period), steps)
    reference = optax.chain(
        optax.trace(0.9),
        optax.add_decayed_weights(0.1),
        optax.scale_by_learning_rate(0.1),
    )
    theirs = optax_run(optax_sam(reference, 0.3, sync_period), steps)
    assert_close(ours, theirs)


@pytest.mark.any_backend
def test_follows_optax_under_a_schedule_that_counts_the_steps_alone():
    ours, theirs = falling()
    assert_close(
        run(SAM(keras.optimizers.SGD(ours)), 24),
        optax_run(optax_sam(optax.sgd(theirs)), 24),
    )


@pytest.mark.parametrize(("rho", "adaptive"), [(0.05, False), (0.5, True)])
def test_is_the_textbooks_method_if_both_batches_are_the_same(rho, adaptive):
    # The loss is a sum of half the squares of the distances to some targets.
    variables = variables_at_start()
    ours = SAM(keras.optimizers.SGD(0.1, momentum=0.9), rho, adaptive)
    parameters = [torch.nn.Parameter(torch.tensor(v)) for v in gradients(1000)]
    theirs = TorchSAM(
        parameters,
        torch.optim.SGD,
        rho=rho,
        adaptive=adaptive,
        lr=0.1,
        momentum=0.9,
    )
    for step in range(20):
        targets = gradients(step)

        def closure(targets=targets):
            theirs.zero_grad()
            loss = sum(
                ((p - torch.tensor(t)) ** 2).sum() / 2
                for p, t in zip(parameters, targets, strict=True)
            )
            loss.backward()
            return loss

        closure()
        theirs.step(closure)
        for _ in range(2):
            slopes = [
                keras.ops.convert_to_tensor(v - t)
                for v, t in zip(values_of(variables), targets, strict=True)
            ]
            ours.apply(slopes, variables)
    expected = [p.detach().numpy() for p in parameters]
    assert_close(values_of(variables), expected, rtol=1e-5, atol=2e-6)


def test_climbs_by_the_formula_of_the_adaptive_form():
    variables = variables_at_start()
    run(SAM(keras.optimizers.SGD(0.1), 0.7, adaptive=True), 1, variables)
    weights, slopes = gradients(1000), gradients(0)
    pairs = list(zip(weights, slopes, strict=True))
    norm = np.sqrt(sum(np.sum((np.abs(w) * g) ** 2) for w, g in pairs))
    expected = [w + 0.7 * w**2 * g / norm for w, g in pairs]
    assert_close(values_of(variables), expected)


@pytest.mark.any_backend
def test_stays_near_single_precision_with_bfloat16_variables():
    def make():
        return SAM(keras.optimizers.SGD(0.01), rho=0.5)

    half = run(make(), 20, variables_at_start("bfloat16"))
    # Eight bits of mantissa, of numbers of the order of 1.
    assert_close(half, run(make(), 20), rtol=0, atol=0.05)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_gradient_of_zero_or_nearly_so_does_no_harm(dtype):
    for size in (0.0, 1e-7):
        variables = variables_at_start(dtype)
        flat = [keras.ops.full(s, size, dtype=dtype) for s in SHAPES]
        SAM(keras.optimizers.SGD(0.1), rho=0.5).apply(flat, variables)
        for value, start in zip(
            values_of(variables), gradients(1000), strict=True
        ):
            assert np.all(np.isfinite(value))
            assert np.max(np.abs(value - start)) < 0.51


def fitted(optimizer, epochs, mode=QUICK, **options):
    """A model after epochs of three batches, which end within a period."""
    model = dense_model(optimizer, mode=mode)
    x, y = data()
    history = model.fit(
        x[:6], y[:6], batch_size=2, epochs=epochs, shuffle=False, verbose=0,
        **options,
    )  # fmt: skip
    return model, history.history


@pytest.mark.parametrize("mode", sorted({QUICK, STRICT}))
def test_validation_and_what_comes_after_training_see_no_climb(mode):
    x, y = data()
    still = SAM(keras.optimizers.SGD(0.0), rho=5.0)
    model, history = fitted(still, 3, mode, validation_data=(x, y))
    start = dense_model().evaluate(x, y, verbose=0)
    assert history["val_loss"] == pytest.approx([start] * 3, rel=1e-5)
    assert model.evaluate(x, y, verbose=0) == pytest.approx(start, rel=1e-5)
    # The second batch of each epoch comes in the middle of a climb or not.
    assert history["loss"][0] != pytest.approx(history["loss"][1], rel=0.01)


@pytest.mark.parametrize("mode", sorted({QUICK, STRICT}))
def test_a_period_goes_on_from_epoch_to_epoch(mode):
    # A rate that falls when the steps, not the calls, have been made.
    def make():
        return SAM(keras.optimizers.Adam(0.05), rho=0.5, sync_period=4)

    model, _ = fitted(make(), 4, mode)
    x, y = data()
    tiled = dense_model(make(), mode=mode)
    tiled.fit(
        np.tile(x[:6], (4, 1)), np.tile(y[:6], (4, 1)),
        batch_size=2, shuffle=False, verbose=0,
    )  # fmt: skip
    assert int(model.optimizer.iterations) == 3
    assert_close(values_of(model.weights), values_of(tiled.weights))


def test_a_model_saved_within_a_period_trains_on_as_ever(tmp_path):
    model, _ = fitted(SAM(keras.optimizers.Adam(0.05), rho=0.5), 1)
    model.save(tmp_path / "model.keras")
    reloaded = keras.saving.load_model(tmp_path / "model.keras")
    x, y = data()
    for m in (model, reloaded):
        m.fit(x, y, batch_size=2, epochs=2, shuffle=False, verbose=0)
    assert_close(values_of(model.weights), values_of(reloaded.weights))


def test_a_loop_of_ones_own_ends_without_a_climb():
    optimizer = SAM(keras.optimizers.SGD(0.1), rho=5.0)
    variables = variables_at_start()
    run(optimizer, 3, variables)
    optimizer.finalize_variable_values(variables)
    expected = run(SAM(keras.optimizers.SGD(0.1), rho=5.0), 2)
    assert_close(values_of(variables), expected)


def test_weights_that_are_set_within_a_period_are_where_it_ends():
    optimizer = SAM(keras.optimizers.SGD(0.1), rho=5.0)
    variables = variables_at_start()
    run(optimizer, 3, variables)
    optimizer.switch_to_evaluation()
    for variable in variables:
        variable.assign(keras.ops.ones_like(keras.ops.copy(variable)))
    optimizer.switch_to_training()
    run(optimizer, 1, variables, first=3)
    expected = [1 - 0.1 * g for g in gradients(3)]
    assert_close(values_of(variables), expected)


def test_around_a_schedule_free_optimizer_both_switch():
    # With no climb, each second batch makes a plain step.
    x, y = data()
    model, _ = fitted(SAM(ScheduleFreeSGD(0.1), rho=0.0), 3)
    plain = dense_model(ScheduleFreeSGD(0.1), mode=QUICK)
    at = np.arange(18).reshape(9, 2)[1::2].ravel() % 6
    plain.fit(x[at], y[at], batch_size=2, shuffle=False, verbose=0)
    assert_close(values_of(model.weights), values_of(plain.weights))


def test_gradients_that_are_not_finite_change_nothing():
    optimizer = SAM(keras.optimizers.Adam(0.1), rho=0.5)
    scaled = keras.optimizers.LossScaleOptimizer(optimizer)
    model = dense_model(scaled, dtype="mixed_float16", mode=QUICK)
    x, y = data()
    model.fit(x, y, batch_size=8, verbose=0)
    assert int(optimizer.ascent_steps) == 1
    before = values_of([*optimizer.variables, *model.weights])
    model.fit(x * np.inf, y, batch_size=8, verbose=0)
    after = values_of([*optimizer.variables, *model.weights])
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)
    model.fit(x, y, batch_size=8, verbose=0)
    assert int(optimizer.iterations) == 1


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"inner": 3}, "inner"),
        ({"inner": "sgd", "rho": -0.1}, "rho"),
        ({"inner": "sgd", "adaptive": 1}, "adaptive"),
        ({"inner": "sgd", "sync_period": 1}, "sync_period"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of SAM must be"):
        SAM(**arguments)

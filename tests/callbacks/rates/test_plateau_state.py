import json

import keras
import numpy as np
import pytest
import samples
from keras.optimizers import SGD
from keras.optimizers import LossScaleOptimizer as LossScale
from linear_fit import (
    Weights,
    by_kernel_and_bias,
    cut_each_epoch,
    descend,
    fit,
    keras_decay,
    linear_model,
)

from keras_regopt._registry import registered
from keras_regopt.callbacks import ReduceLROnPlateau
from keras_regopt.optimizers import HypergradientDescent, Lookahead
from keras_regopt.optimizers.wrappers._wrapper import OptimizerWrapper
from keras_regopt.schedules import OneCycle, Scale


def one_cycle():
    return SGD(OneCycle(0.02, total_steps=12), momentum=0.5)


def used_in_epoch(epoch):
    """Cut by half after every epoch but the first; two steps an epoch."""
    last_step = 2 * epoch + 1
    rate = float(OneCycle(0.02, total_steps=12)(last_step))
    return 0.5 ** max(epoch - 1, 0) * rate


@pytest.mark.any_backend
@pytest.mark.parametrize("way", ["model", "weights"])
def test_a_plateau_on_one_cycle_goes_on_from_a_file(way, tmp_path):
    model, plateau = linear_model(one_cycle()), cut_each_epoch()
    rates = fit(model, plateau, epochs=3)["learning_rate"]
    state = json.loads(json.dumps(plateau.state()))
    if way == "model":
        model.save(tmp_path / "it.keras")
        model = keras.saving.load_model(tmp_path / "it.keras")
    else:
        model.save_weights(tmp_path / "it.weights.h5")
        model = linear_model(one_cycle())
        model.optimizer.build(model.trainable_variables)
        model.load_weights(tmp_path / "it.weights.h5")
    plateau = cut_each_epoch()
    plateau.restore(state)
    rates += fit(model, plateau, epochs=5, first_epoch=3)["learning_rate"]
    np.testing.assert_allclose(
        rates, [used_in_epoch(epoch) for epoch in range(5)], rtol=1e-5
    )
    assert plateau.state()["schedule_factors"] == [0.5**4]


FACTORS = {
    "plain": (lambda: SGD(0.02), [None]),
    "schedule": (lambda: SGD(keras_decay()), [0.25]),
    # A factor of the user's own is part of what is cut.
    "scaled": (lambda: SGD(Scale(keras_decay(), 0.5)), [0.125]),
    "wrapper": (lambda: LossScale(Lookahead(SGD(keras_decay()))), [0.25]),
    "multi": (by_kernel_and_bias, [0.25, None]),
}


@pytest.mark.any_backend
@pytest.mark.parametrize(("make", "factors"), FACTORS.values(), ids=FACTORS)
def test_a_state_holds_the_cuts_of_schedules_and_puts_them_back_once(
    make, factors
):
    first = linear_model(make())
    plateau, other = cut_each_epoch(), cut_each_epoch()
    # Of two callbacks that cut, each knows of all cuts.
    for callback in (plateau, other):
        callback.set_model(first)
        callback.on_train_begin()
    for epoch in range(2):
        plateau.on_epoch_end(epoch, {"loss": 1.0})
        other.on_epoch_end(epoch, {"loss": 1.0})
    by_holder = sorted(factors, key=str)
    for model in (first, linear_model(make())):
        again = [cut_each_epoch(), cut_each_epoch()]
        for callback, before in zip(again, (plateau, other), strict=True):
            callback.restore(before.state())
            callback.set_model(model)
            # Not before the training begins.
            callback.on_train_begin()
            callback.on_epoch_begin(2)
        for callback in again:
            found = callback.state()["schedule_factors"]
            assert sorted(found, key=str) == by_holder


@pytest.mark.any_backend
def test_a_state_restored_while_training_runs_cuts_from_the_next_epoch_on():
    plateau = cut_each_epoch()
    fit(linear_model(SGD(keras_decay())), plateau, epochs=2)
    state = plateau.state()

    class RestoreAtTheStart(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            late.restore(state)

    late = ReduceLROnPlateau("loss", patience=99)
    history = fit(
        linear_model(SGD(keras_decay())), late, RestoreAtTheStart(), epochs=2
    )
    np.testing.assert_allclose(
        history["learning_rate"],
        [0.5 * float(keras_decay()(step)) for step in (1, 3)],
        rtol=1e-6,
    )


@pytest.mark.any_backend
def test_cuts_that_are_put_back_hold_for_a_model_that_has_trained_before():
    model, weights = linear_model(SGD(keras_decay())), Weights()
    fit(model, epochs=1)
    plateau = cut_each_epoch()
    plateau.set_model(model)
    plateau.restore({**plateau.state(), "schedule_factors": [0.25]})
    fit(model, plateau, weights, epochs=2, first_epoch=1)

    def rate(batch):
        return 0.25 * float(keras_decay()(2 + batch))

    kernel, bias = descend(*weights.seen[0], rate, rate, lambda g: g)
    np.testing.assert_allclose(weights.seen[1][0], kernel, rtol=1e-5)
    np.testing.assert_allclose(weights.seen[1][1], bias, rtol=1e-4)


@pytest.mark.any_backend
def test_a_state_of_an_optimizer_with_other_rates_is_refused():
    plateau = cut_each_epoch()
    fit(linear_model(by_kernel_and_bias()), plateau, epochs=1)
    other = cut_each_epoch()
    other.restore(plateau.state())
    with pytest.raises(ValueError, match=r"of 2 learning rates.*sgd with 1"):
        fit(linear_model(SGD(0.1)), other, epochs=1)


@pytest.mark.any_backend
def test_the_best_weights_come_back_at_each_cut_alone():
    plateau = ReduceLROnPlateau(
        "score", 0.5, patience=2, mode="max", restore_best_weights=True
    )
    scores = iter([1.0, 2.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0])

    class Scores(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["score"] = next(scores)

    before, after = Weights(), Weights()
    model = linear_model(SGD(0.02))
    history = fit(model, Scores(), before, plateau, after, epochs=9)
    # The cuts are after the fourth and the eighth epoch.
    np.testing.assert_allclose(
        history["learning_rate"], [0.02] * 4 + [0.01] * 4 + [0.005]
    )
    for epoch in range(1, 10):
        best = {4: 2, 8: 6}.get(epoch, epoch)
        for came, wanted in zip(
            after.seen[epoch], before.seen[best], strict=True
        ):
            np.testing.assert_array_equal(came, wanted)

        # And training goes on from them.
        def rate(_, used=history["learning_rate"][epoch - 1]):
            return used

        kernel, bias = descend(
            *after.seen[epoch - 1], rate, rate, lambda gradient: gradient
        )
        np.testing.assert_allclose(before.seen[epoch][0], kernel, rtol=1e-4)
        np.testing.assert_allclose(before.seen[epoch][1], bias, rtol=1e-4)
    assert plateau.state()["best_weights"] is not None
    plateau.on_train_begin()
    assert plateau.state()["best_weights"] is None


@pytest.mark.any_backend
def test_a_callback_for_each_member_cuts_its_own_rate():
    model = linear_model(by_kernel_and_bias())
    plateaus = [
        ReduceLROnPlateau(monitor, 0.5, patience=1, optimizers=[name])
        for monitor, name in (("a_loss", "kernels"), ("b_loss", "rest"))
    ]
    for plateau in plateaus:
        plateau.set_model(model)
        plateau.on_train_begin()
    for epoch, (a, b) in enumerate([(2, 2), (2, 1), (1, 1)]):
        for plateau in plateaus:
            plateau.on_epoch_end(epoch, {"a_loss": a, "b_loss": b})
        found = {
            member.name: round(float(member.learning_rate), 6)
            for member in model.optimizer.optimizers
        }
        assert found == {
            "kernels": 0.01 if epoch else 0.02,
            "rest": 0.01 if epoch == 2 else 0.02,
        }


@pytest.mark.any_backend
@pytest.mark.parametrize("make", [lambda: SGD(0.1), by_kernel_and_bias])
def test_a_member_that_is_not_there_is_refused_when_training_begins(make):
    plateau = ReduceLROnPlateau("loss", optimizers=["head"])
    with pytest.raises(ValueError, match=r"`optimizers`.*among the names.*\["):
        fit(linear_model(make()), plateau, epochs=1)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "monitors", [["a_loss", "b_loss"], ["b_loss", "a_loss"]]
)
@pytest.mark.parametrize(("combine", "cuts"), [("any", 2), ("all", 1)])
def test_any_or_all_of_several_monitors_have_to_wait(combine, cuts, monitors):
    plateau = ReduceLROnPlateau(monitors, 0.5, patience=2, combine=combine)
    plateau.set_model(linear_model(SGD(0.4)))
    plateau.on_train_begin()
    for epoch, pair in enumerate([(1, 9), (1, 8), (1, 7), (1, 7), (1, 7)]):
        plateau.on_epoch_end(
            epoch, dict(zip(("a_loss", "b_loss"), pair, strict=True))
        )
    rate = float(plateau.model.optimizer.learning_rate)
    np.testing.assert_allclose(rate, 0.4 * 0.5**cuts)


@pytest.mark.any_backend
def test_parts_with_smoothing_and_relative_delta_cut_as_one_training():
    def make():
        return ReduceLROnPlateau(
            "loss",
            0.5,
            patience=2,
            min_delta=0.1,
            smoothing=0.5,
            min_delta_mode="relative",
            restore_best_weights=True,
        )

    losses = [4.0, 3.0, 2.9, 3.1, 2.0, 2.0, 2.0, 2.0]
    whole, model = make(), linear_model(SGD(Scale(0.4, 1.0)))
    parts_model = linear_model(SGD(Scale(0.4, 1.0)))
    whole.set_model(model)
    whole.on_train_begin()
    state, rates = make().state(), []
    for epoch, loss in enumerate(losses):
        whole.on_epoch_end(epoch, {"loss": loss})
        part = make()
        part.restore(state)
        part.set_model(parts_model)
        part.on_train_begin()
        part.on_epoch_end(epoch, {"loss": loss})
        part.on_train_end()
        state = part.state()
        rates.append(float(parts_model.optimizer.learning_rate))
        assert rates[-1] == float(model.optimizer.learning_rate)
    assert state["metrics"] == whole.state()["metrics"]
    assert len(set(rates)) > 1


@pytest.mark.parametrize("cls", registered(OptimizerWrapper))
def test_finds_the_rate_inside_every_wrapper(cls):
    def rate(step):
        return 0.02 if learns else float(OneCycle(0.02, total_steps=12)(step))

    # This one moves the rate itself, which can follow no schedule then.
    learns = issubclass(cls, HypergradientDescent)
    inner = SGD(0.02 if learns else OneCycle(0.02, total_steps=12))
    arguments = {**samples.arguments_of(cls.__name__), "inner": inner}
    if learns:
        arguments["hypergradient_learning_rate"] = 1e-12
    plateau, model = cut_each_epoch(), linear_model(cls(**arguments))
    plateau.set_model(model)
    plateau.on_train_begin()
    for epoch in range(3):
        for _ in range(2):
            variables = model.trainable_variables
            model.optimizer.apply(
                [keras.ops.ones(v.shape) for v in variables], variables
            )
        logs = {"loss": 1.0}
        plateau.on_epoch_end(epoch, logs)
        # Some wrappers make one step of two calls.
        last = int(keras.ops.convert_to_numpy(inner.iterations)) - 1
        assert last in (epoch, 2 * epoch + 1)
        np.testing.assert_allclose(
            logs["learning_rate"],
            0.5 ** max(epoch - 1, 0) * rate(last),
            rtol=1e-5,
        )
        np.testing.assert_allclose(
            float(model.optimizer.learning_rate),
            0.5**epoch * rate(last + 1),
            rtol=1e-5,
        )


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("optimizers", "head"),
        ("optimizers", []),
        ("optimizers", [1]),
        ("restore_best_weights", 1),
        ("combine", None),
        ("smoothing", -0.1),
        ("min_delta_mode", True),
    ],
)
def test_a_bad_argument_is_refused(argument, value):
    with pytest.raises(
        ValueError, match=f"`{argument}` of ReduceLROnPlateau must be"
    ):
        ReduceLROnPlateau(**{argument: value})

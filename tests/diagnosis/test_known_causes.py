"""Trainings whose cause is known, since they were made with it.

Each case is trained. Its verdict must be the right one, or say that it cannot
tell; `CANNOT_TELL` names the cases of which the latter is expected. The first
step must not be a wrong one: what helps against another cause.
"""

import functools
import re

import keras
import numpy as np
import pytest
from keras import layers

from keras_regopt.diagnosis import FitMonitor, diagnose, split

pytestmark = pytest.mark.any_backend

SIGMOID = "binary_crossentropy"


def linear(x):
    return (x @ np.random.default_rng(7).normal(size=x.shape[1]) > 0).astype(
        int
    )


def xor(x):
    return (x[:, 0] * x[:, 1] > 0).astype(int)


def wavy(x):
    rng = np.random.default_rng(8)
    w, v = rng.normal(size=(x.shape[1], 30)), rng.normal(size=30)
    return (np.tanh(2 * x @ w / np.sqrt(x.shape[1])) @ v > 0).astype(int)


@functools.cache
def data(rule, rows, width, seed, flip=0.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, width)).astype("float32")
    y = rule(x)
    return x, np.where(rng.random(rows) < flip, 1 - y, y)


def sine(rows, seed, noise=0.1, unit=1.0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, (rows, 1)).astype("float32")
    y = np.sin(3 * x[:, 0]) + noise * rng.normal(size=rows)
    return x, (unit * y).astype("float32")[:, None]


def net(units=(), drop=0.0, l2=0.0, last="sigmoid", out=1):
    keras.utils.set_random_seed(0)
    penalty = keras.regularizers.L2(l2) if l2 else None
    parts = []
    for count in units:
        parts.append(layers.Dense(count, "relu", kernel_regularizer=penalty))
        parts += [layers.Dropout(drop, seed=1)] if drop else []
    parts.append(layers.Dense(out, last, kernel_regularizer=penalty))
    return keras.Sequential(parts)


def fit(model, train, dev, epochs=12, rate=0.01, batch=64, **options):
    optimizer = options.pop("optimizer", None) or keras.optimizers.Adam(rate)
    loss = options.pop("loss", SIGMOID)
    metrics = options.pop("metrics", ["accuracy"])
    keras.utils.set_random_seed(0)
    model.compile(optimizer, loss, metrics=metrics)
    history = model.fit(
        *train,
        epochs=epochs,
        batch_size=batch,
        validation_data=dev,
        validation_batch_size=1000,
        verbose=0,
        **options,
    )
    return history, model


def both(found, train, dev, **options):
    """The diagnosis of the model itself, on its data."""
    history, model = found
    return diagnose(history, model=model, train=train, dev=dev, **options)


# Data and trainings that several cases share.


@functools.cache
def linear_on_xor():
    return fit(net(), data(xor, 2000, 2, 1), data(xor, 1000, 2, 2), 6)


@functools.cache
def wide_on_100_rows():
    model = net((128, 128))
    return fit(model, data(wavy, 100, 50, 1), data(wavy, 1000, 50, 2), 25,
               batch=25)  # fmt: skip


@functools.cache
def logistic():
    train, dev = data(linear, 3000, 20, 1), data(linear, 2000, 20, 2)
    return fit(net(), train, dev, 25, rate=0.03), train, dev


@functools.cache
def rare(rows, seed, positives=0.01):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 10)).astype("float32")
    y = (rng.random(rows) < positives).astype(int)
    return x + y[:, None] * np.float32(0.5) * (np.arange(10) < 3), y


@functools.cache
def rare_missed():
    metrics = ["accuracy", keras.metrics.AUC(name="auc")]
    train, dev = rare(3000, 1), rare(2000, 2)
    return fit(net((4,)), train, dev, 5, rate=1e-3, metrics=metrics)


@functools.cache
def elsewhere():
    """Dev data from another source, and what is held out from the first."""
    train, dev = data(linear, 3000, 20, 1), data(linear, 2000, 20, 2)
    x = dev[0].copy()
    x[:, :10] = 0.1 * x[:, :10] + 2
    dev = x, dev[1]
    found = fit(net((32,)), train, dev, 15)
    return found, train, dev, data(linear, 1000, 20, 5)


@functools.cache
def sine_line():
    train, dev = sine(1000, 1), sine(1000, 2)
    return fit(net(last=None), train, dev, 15, loss="mse", metrics=["mae"])


@functools.cache
def sine_fitted(unit=1.0):
    train, dev = sine(3000, 1, unit=unit), sine(1000, 2, unit=unit)
    # Targets of another unit ask for a rate of that unit.
    rate = 0.01 if unit == 1 else 0.03
    found = fit(net((64, 64), last=None), train, dev, 25, rate,
                loss="mse", metrics=["mae"])  # fmt: skip
    return found, train, dev


@functools.cache
def sine_nine_points():
    train, dev = sine(9, 1), sine(1000, 2)
    return fit(net((128, 128), last=None), train, dev, 200, batch=9,
               loss="mse", metrics=["mae"])  # fmt: skip


@functools.cache
def dropped(rows, rate, units=(64, 64)):
    train, dev = data(linear, rows, 20, 1), data(linear, 2000, 20, 2)
    epochs, batch = (25, 64) if rows > 1000 else (60, 20)
    return (
        fit(net(units, drop=rate), train, dev, epochs, batch=batch),
        train,
        dev,
    )


@functools.cache
def stopped():
    """From epoch 14 on the rate is far too high; then the best is restored."""
    train, dev = data(linear, 3000, 20, 1), data(linear, 2000, 20, 2)
    schedule = keras.callbacks.LearningRateScheduler(
        lambda epoch: 0.03 if epoch < 14 else 30.0
    )
    stopper = keras.callbacks.EarlyStopping(
        "val_loss", patience=4, restore_best_weights=True
    )
    callbacks = [schedule, stopper]
    found = fit(net((8,)), train, dev, 60, callbacks=callbacks)
    return found, train, dev, callbacks


@functools.cache
def smoothed():
    loss = keras.losses.BinaryCrossentropy(label_smoothing=0.1)
    train, dev = data(linear, 3000, 20, 1), data(linear, 2000, 20, 2)
    return fit(net((32,)), train, dev, 15, 0.05, loss=loss, metrics=[])


@functools.cache
def penalized():
    train, dev = data(xor, 3000, 2, 1), data(xor, 1000, 2, 2)
    return fit(net((32,), l2=1e-4), train, dev, 25, 0.03, metrics=[])


@functools.cache
def two_outputs():
    """One output is easy, the targets of the other are drawn at random."""
    rng = np.random.default_rng(3)
    x = {n: data(wavy, 600, 20, s)[0] for n, s in (("train", 1), ("dev", 2))}
    y = {
        name: {
            "easy": (x[name][:, 0] > 0).astype("float32")[:, None],
            "hard": rng.integers(0, 2, (600, 1)).astype("float32"),
        }
        for name in x
    }
    keras.utils.set_random_seed(0)
    inputs = keras.Input((20,))
    inner = layers.Dense(128, "relu")(layers.Dense(128, "relu")(inputs))
    outputs = {
        "easy": layers.Dense(1, "sigmoid", name="easy")(inputs),
        "hard": layers.Dense(1, "sigmoid", name="hard")(inner),
    }
    model = keras.Model(inputs, outputs)
    losses = dict.fromkeys(outputs, SIGMOID)
    train, dev = (x["train"], y["train"]), (x["dev"], y["dev"])
    found = fit(model, train, dev, 30, loss=losses, batch=32,
                metrics={name: ["accuracy"] for name in outputs})  # fmt: skip
    return found, train, dev


def three_classes(rows, seed):
    x, _ = data(linear, rows, 5, seed)
    return x, x[:, :3].argmax(axis=1)


CASES = {}


def case(verdict, *, wrong):
    """Registers a case: its verdict, and words that no first step may have."""

    def register(function):
        name = function.__name__
        CASES[name] = (verdict, wrong, function)
        return function

    return register


AGAINST_VARIANCE = "Get more training|Penalize|Drop units|Decay|Seek a flat"
AGAINST_BIAS = "Take a larger|Regularize less|Train longer|Optimize"
ANY = f"{AGAINST_VARIANCE}|{AGAINST_BIAS}"
NOT_SIZE = "Take a larger network|" + AGAINST_VARIANCE


# Bias.


@case("high bias", wrong=NOT_SIZE)
def a_linear_model_on_xor():
    return diagnose(linear_on_xor()[0])


@case("high bias", wrong=NOT_SIZE)
def a_linear_model_on_xor_measured():
    return both(linear_on_xor(), data(xor, 2000, 2, 1), data(xor, 1000, 2, 2))


@case("high bias", wrong=NOT_SIZE)
def stopped_while_learning():
    train, dev = data(xor, 2000, 2, 1), data(xor, 1000, 2, 2)
    return diagnose(fit(net((64,)), train, dev, 8, rate=3e-4)[0])


@case("high bias", wrong=NOT_SIZE)
def a_rate_a_thousand_times_too_low():
    train, dev = data(linear, 3000, 20, 1), data(linear, 2000, 20, 2)
    return diagnose(fit(net((32,)), train, dev, 8, rate=1e-6)[0])


@case("high bias", wrong=NOT_SIZE)
def a_rate_far_too_high():
    train, dev = data(xor, 2000, 2, 1), data(xor, 1000, 2, 2)
    sgd = keras.optimizers.SGD(30.0)
    return diagnose(fit(net((64,)), train, dev, 10, optimizer=sgd)[0])


@case("high bias", wrong=NOT_SIZE)
def penalties_far_too_strong():
    train, dev = data(xor, 2000, 2, 1), data(xor, 1000, 2, 2)
    return diagnose(fit(net((64,), l2=0.3), train, dev, 12)[0])


@case("high bias", wrong=NOT_SIZE)
def dropout_far_too_strong():
    train, dev = data(xor, 2000, 2, 1), data(xor, 1000, 2, 2)
    found = fit(net((64,), drop=0.95), train, dev, 8, rate=1e-3)
    return both(found, train, dev)


@case("high bias", wrong=NOT_SIZE)
def inputs_out_of_scale():
    train, dev = data(xor, 2000, 2, 1), data(xor, 1000, 2, 2)
    far = np.float32(1e4)
    found = fit(net((64,)), (train[0] * far, train[1]),
                (dev[0] * far, dev[1]), 10,
                optimizer=keras.optimizers.SGD(0.01))  # fmt: skip
    return diagnose(found[0])


@case("high bias", wrong=AGAINST_VARIANCE)
def two_units_for_a_wavy_border():
    train, dev = data(wavy, 3000, 20, 1), data(wavy, 2000, 20, 2)
    return both(fit(net((2,)), train, dev, 12), train, dev)


@case("high bias", wrong=AGAINST_VARIANCE)
def a_line_through_a_sine():
    return diagnose(sine_line()[0], y=sine(1000, 1)[1], reference=0.08)


@case("high bias", wrong=AGAINST_VARIANCE)
def a_line_through_a_sine_measured():
    return both(sine_line(), sine(1000, 1), sine(1000, 2))


# Variance.


@case("high variance", wrong=AGAINST_BIAS)
def a_wide_net_on_100_rows():
    return diagnose(wide_on_100_rows()[0])


@case("high variance", wrong=AGAINST_BIAS)
def a_wide_net_on_100_rows_measured():
    return both(
        wide_on_100_rows(), data(wavy, 100, 50, 1), data(wavy, 1000, 50, 2)
    )


@case("high variance", wrong=AGAINST_BIAS)
def the_same_on_100_dev_rows():
    dev = tuple(part[:100] for part in data(wavy, 1000, 50, 2))
    return both(wide_on_100_rows(), data(wavy, 100, 50, 1), dev)


@case("high variance", wrong=AGAINST_BIAS)
def random_labels_learnt_by_heart():
    rng = np.random.default_rng(0)
    train = data(wavy, 100, 50, 1)[0], rng.integers(0, 2, 100)
    dev = data(wavy, 1000, 50, 2)[0], rng.integers(0, 2, 1000)
    return diagnose(fit(net((128, 128)), train, dev, 25, batch=25)[0])


@case("high variance", wrong=AGAINST_BIAS)
def noisy_labels_learnt_by_heart():
    train, dev = data(linear, 300, 20, 1, 0.2), data(linear, 2000, 20, 2, 0.2)
    found = fit(net((128, 128)), train, dev, 40, batch=30)
    return diagnose(found[0], reference=0.2)


@case("high variance", wrong=AGAINST_BIAS)
def nine_points_of_a_sine():
    return diagnose(sine_nine_points()[0], baseline=0.65, reference=0.08)


@case("high variance", wrong=AGAINST_BIAS)
def nine_points_of_a_sine_measured():
    return both(sine_nine_points(), sine(9, 1), sine(1000, 2))


@case("high variance", wrong=AGAINST_BIAS)
def dropout_on_120_rows_learnt_all_the_same():
    found, train, dev = dropped(120, 0.5)
    return both(found, train, dev)


@case("high variance", wrong=AGAINST_BIAS)
def dropout_on_120_rows_by_the_history():
    return diagnose(dropped(120, 0.5)[0][0])


@case("high variance", wrong=AGAINST_BIAS)
def dropout_on_120_rows_by_the_monitor():
    train, dev = data(linear, 120, 20, 1), data(linear, 2000, 20, 2)
    monitor = FitMonitor(train_data=train, verbose=0)
    fit(net((64, 64), drop=0.5), train, dev, 60, batch=20, callbacks=[monitor])
    return monitor.diagnosis


@case("high variance", wrong=AGAINST_BIAS)
def groups_that_no_two_parts_share():
    # Ten rows of a patient are alike, and so are their labels.
    rng = np.random.default_rng(4)
    centers = rng.normal(size=(60, 20)) * 2
    patient = np.repeat(np.arange(60), 10)
    x = (centers[patient] + rng.normal(size=(600, 20))).astype("float32")
    y = rng.integers(0, 2, 60)[patient]
    parts = split(x, y, groups=patient)
    found = fit(net((64,)), parts.train, parts.dev, 30)
    groups = patient[parts.dev.indices]
    return both(found, tuple(parts.train), tuple(parts.dev), groups=groups)


# Both.


@case("high bias and high variance", wrong=AGAINST_VARIANCE)
def a_penalized_line_on_120_rows_of_a_wavy_border():
    train, dev = data(wavy, 120, 60, 1), data(wavy, 2000, 60, 2)
    return diagnose(fit(net(l2=0.1), train, dev, 40, batch=16)[0])


@case("high bias and high variance", wrong=AGAINST_VARIANCE)
def half_learnt_by_heart():
    train, dev = data(linear, 150, 20, 1, 0.3), data(linear, 2000, 20, 2, 0.3)
    return both(fit(net((64,)), train, dev, 15, 2e-3, 16), train, dev)


# Neither.


@case("fits", wrong=ANY)
def a_logistic_model_on_a_linear_border():
    return diagnose(logistic()[0][0])


@case("fits", wrong=ANY)
def a_logistic_model_measured_without_a_history():
    found, train, dev = logistic()
    return diagnose(model=found[1], train=train, dev=dev)


@case("fits", wrong=ANY)
def three_classes_of_integers():
    train, dev = three_classes(3000, 1), three_classes(2000, 2)
    found = fit(net(last="softmax", out=3), train, dev, 15, 0.03,
                loss="sparse_categorical_crossentropy")  # fmt: skip
    return both(found, train, dev)


@case("fits", wrong=ANY)
def a_fifth_of_the_labels_is_wrong_and_said_to_be():
    train, dev = data(linear, 6000, 20, 1, 0.2), data(linear, 4000, 20, 2, 0.2)
    return diagnose(fit(net(), train, dev, 16, 2e-3)[0], reference=0.2)


@case("fits", wrong=ANY)
def dropout_that_hides_how_well_it_fits():
    return diagnose(dropped(3000, 0.6)[0][0])


@case("fits", wrong=ANY)
def the_same_measured():
    found, train, dev = dropped(3000, 0.6)
    return both(found, train, dev)


@case("fits", wrong=ANY)
def a_sine_with_a_reference():
    found, train, _ = sine_fitted()
    return diagnose(found[0], y=train[1], reference=0.08)


@case("fits", wrong=ANY)
def a_sine_without():
    found, train, _ = sine_fitted()
    return diagnose(found[0], y=train[1])


@case("fits", wrong=ANY)
def a_sine_by_its_history_alone():
    return diagnose(sine_fitted()[0][0])


@case("fits", wrong=ANY)
def targets_in_thousands():
    found, train, _ = sine_fitted(1000.0)
    return diagnose(found[0], y=train[1])


@case("fits", wrong=ANY)
def a_loss_with_smoothed_labels():
    return diagnose(smoothed()[0])


@case("fits", wrong=ANY)
def a_loss_with_penalties():
    return diagnose(penalized()[0])


@case("fits", wrong=ANY)
def best_weights_restored():
    found, _, _, callbacks = stopped()
    return diagnose(found[0], callbacks=callbacks)


@case("fits", wrong=ANY)
def best_weights_restored_measured():
    found, train, dev, _ = stopped()
    return both(found, train, dev)


@case("fits", wrong=ANY)
def many_rows_so_that_the_first_epoch_is_good_already():
    train, dev = sine(12000, 1, 0.02), sine(2000, 2, 0.02)
    found = fit(net((32,), last=None), train, dev, 6, 0.02, 32,
                loss="mse", metrics=["mae"])  # fmt: skip
    return diagnose(found[0])


# Rare classes.


@case("high bias", wrong=NOT_SIZE)
def one_percent_of_positives_missed():
    return diagnose(rare_missed()[0], y=rare(3000, 1)[1])


@case("high bias", wrong=NOT_SIZE)
def one_percent_of_positives_missed_measured():
    return both(rare_missed(), rare(3000, 1), rare(2000, 2))


@case("high bias", wrong=NOT_SIZE)
def one_percent_of_positives_missed_by_accuracy_alone():
    history = rare_missed()[0].history
    names = ("accuracy", "val_accuracy")
    return diagnose({n: history[n] for n in names}, y=rare(3000, 1)[1])


@case("high variance", wrong=AGAINST_BIAS)
def rare_positives_learnt_by_heart():
    train, dev = rare(400, 1, 0.05), rare(2000, 2, 0.05)
    return both(fit(net((128,)), train, dev, 40, batch=20), train, dev)


# Mismatch, and overfitting to the dev set.


@case("data mismatch", wrong=ANY)
def dev_data_from_elsewhere():
    found, train, dev, held_out = elsewhere()
    return both(found, train, dev, train_dev=held_out)


@case("data mismatch", wrong=ANY)
def dev_data_from_elsewhere_by_a_number():
    found, _, _, held_out = elsewhere()
    right = found[1].evaluate(*held_out, verbose=0, return_dict=True)
    return diagnose(found[0], train_dev=1 - right["accuracy"])


@case("overfitting to the dev set", wrong=ANY)
def the_best_of_many_models_by_40_dev_rows():
    # Whatever they answer, the best of 1,000 is right by chance.
    x, y = data(linear, 40, 20, 2)
    directions = np.random.default_rng(5).normal(size=(4000, 20))
    answers = (x @ directions.T > 0).astype(int)
    best = directions[(answers == y[:, None]).mean(axis=0).argmax()]
    model = net()
    model.build((None, 20))
    model.layers[-1].set_weights([best[:, None], np.zeros(1)])
    model.compile("sgd", SIGMOID, metrics=["accuracy"])
    test = data(linear, 3000, 20, 6)
    return diagnose(
        model=model, train=test, dev=(x, y), test=test,
        bias_tolerance=0.5,
    )  # fmt: skip


# Several outputs.


@case("high variance", wrong=AGAINST_BIAS)
def the_second_output_learnt_by_heart():
    result = diagnose(two_outputs()[0][0])
    assert result.output == "hard"
    assert [d.output for d in result.outputs] == ["hard", "easy"]
    assert "high" not in result.outputs[1].verdict
    return result


@case("high variance", wrong=AGAINST_BIAS)
def the_second_output_learnt_by_heart_measured():
    result = both(*two_outputs())
    assert result.output == "hard"
    return result


# What cannot be told from what there is.


@case("undecided", wrong=ANY)
def one_epoch():
    train, dev = data(linear, 3000, 20, 1), data(linear, 2000, 20, 2)
    return diagnose(fit(net(), train, dev, 1)[0])


@case("undecided", wrong=ANY)
def a_training_that_diverges():
    train, dev = sine(300, 1, unit=1e3), sine(300, 2, unit=1e3)
    sgd = keras.optimizers.SGD(100.0)
    found = fit(net((16,), last=None), train, dev, 6, optimizer=sgd,
                loss="mse", metrics=[])  # fmt: skip
    return diagnose(found[0])


@case("undecided", wrong=ANY)
def no_dev_data():
    return diagnose(fit(net(), data(linear, 3000, 20, 1), None, 4)[0])


@case("undecided", wrong=ANY)
def twenty_dev_rows():
    found, train, dev = logistic()
    return both(found, train, tuple(part[:20] for part in dev))


# Of these the right verdict needs what was not given.
CANNOT_TELL = {
    "many_rows_so_that_the_first_epoch_is_good_already": "no scale",
}


@pytest.mark.parametrize("name", CASES)
def test_a_known_cause_is_found(name):
    verdict, wrong, train = CASES[name]
    result = train()
    found = f"{result.verdict} {result.cause}\n{result}"
    if result.verdict == "undecided" != verdict:
        assert CANNOT_TELL.get(name) == result.cause, found
    else:
        assert result.verdict == verdict, found
    assert result.steps, found
    first = result.steps[0].action
    assert not re.search(wrong, first), found


def test_at_most_four_cases_may_be_left_open():
    assert len(CASES) >= 40
    assert len(CANNOT_TELL) <= 4

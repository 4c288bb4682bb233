import keras
import numpy as np
import pytest
from averaged_fit import (
    AtEpochEnds,
    Steps,
    assert_all_same,
    assert_close,
    assert_same,
    fit,
    mean,
    quick,
    small_model,
    trajectory,
)
from keras.callbacks import EarlyStopping, LambdaCallback, ModelCheckpoint
from keras.optimizers import SGD
from linear_fit import X, Y

from keras_regopt.callbacks import EMA, LAWA, SWA, WeightAveraging
from keras_regopt.optimizers import (
    ExponentialMovingAverage,
    Lookahead,
    ScheduleFreeSGD,
)
from keras_regopt.testing._backend import data_parallel

AVERAGES = {"ema": lambda: EMA(0.5), "swa": SWA, "lawa": lambda: LAWA(2)}
each_average = pytest.mark.parametrize(
    "average", AVERAGES.values(), ids=AVERAGES
)
with_and_without_validation = pytest.mark.parametrize("validate", [True, False])


def swa_after(seen, epochs):
    """The plain mean over the ends of the first epochs."""
    return mean(seen[2 : 2 * epochs + 1 : 2])


@pytest.mark.any_case
@each_average
@with_and_without_validation
def test_the_training_is_that_without_it_to_the_last_bit(average, validate):
    # Compiled, JAX deletes what a step was given.
    options = {"run_eagerly": not validate}
    model, steps = small_model(**options), Steps()
    callback = WeightAveraging(average(), overwrite=False)
    fit(model, callback, steps, validate=validate)
    seen = trajectory(**options)
    assert len(steps.seen) == len(seen) == 9
    assert_all_same(steps.seen, seen)
    assert_same(model.get_weights(), seen[-1])
    callback.use_averages()
    shares = callback.average.weights_of_samples(callback.samples)
    every = len(seen[1:]) // callback.samples
    expected = [
        sum(
            s * weights[i]
            for s, weights in zip(shares, seen[every::every], strict=True)
        )
        for i in range(2)
    ]
    assert_close(model.get_weights(), expected)


@pytest.mark.any_backend
@each_average
def test_validates_and_checkpoints_the_averages(average, tmp_path):
    model, before, after = small_model(), AtEpochEnds(), AtEpochEnds()
    callback = WeightAveraging(average())
    checkpoint = ModelCheckpoint(
        tmp_path / "{epoch}.weights.h5", save_weights_only=True
    )
    history = fit(model, before, callback, after, checkpoint, validate=True)
    assert_all_same(before.seen, after.seen)
    other = small_model()
    for epoch, weights in enumerate(after.seen):
        other.set_weights(weights)
        loss = other.evaluate(X, Y, verbose=0)
        assert history["val_loss"][epoch] == pytest.approx(loss, rel=1e-5)
        other.load_weights(tmp_path / f"{epoch + 1}.weights.h5")
        assert_same(other.get_weights(), weights)


@pytest.mark.any_backend
def test_without_validation_those_after_it_see_the_averages():
    before, after = AtEpochEnds(), AtEpochEnds()
    fit(small_model(), before, WeightAveraging("swa"), after)
    seen = trajectory()
    for epoch in range(1, 5):
        assert_same(before.seen[epoch - 1], seen[2 * epoch])
        assert_close(after.seen[epoch - 1], swa_after(seen, epoch))


@pytest.mark.any_backend
@with_and_without_validation
def test_an_early_end_leaves_the_averages(validate):
    model, seen = small_model(), trajectory()

    def stop(epoch, logs):
        model.stop_training = epoch == 1

    stopper = LambdaCallback(on_epoch_end=stop)
    fit(model, WeightAveraging("swa"), stopper, validate=validate)
    assert_close(model.get_weights(), swa_after(seen, 2))


@pytest.mark.any_backend
@pytest.mark.parametrize("first", [True, False])
def test_the_best_weights_of_early_stopping_are_averages(first):
    model, seen = small_model(), trajectory()
    # The loss falls all the time, so that the first epoch is the "best".
    stopper = EarlyStopping(
        "val_loss", mode="max", patience=2, restore_best_weights=True
    )
    callbacks = [WeightAveraging(SWA()), stopper]
    fit(model, *callbacks[:: 1 if first else -1], validate=True)
    assert_close(model.get_weights(), swa_after(seen, 1))


@pytest.mark.any_backend
def test_predict_and_evaluate_without_it_change_nothing():
    model = small_model()
    found = []

    def use(epoch, logs):
        before = model.get_weights()
        model.predict(X, verbose=0)
        model.evaluate(X, Y, verbose=0)
        found.append((before, model.get_weights()))

    fit(model, WeightAveraging("swa"), LambdaCallback(on_epoch_end=use))
    for before, after in found:
        assert_same(before, after)
    assert_close(model.get_weights(), swa_after(trajectory(), 4))
    weights = model.get_weights()
    model.predict(X, verbose=0)
    assert_same(model.get_weights(), weights)


@pytest.mark.parametrize("use", ["predict", "evaluate"])
def test_predict_and_evaluate_with_it_borrow_the_averages(use):
    model, seen = small_model(), trajectory()
    callback = WeightAveraging("swa", overwrite=False)
    fit(model, callback)
    assert_same(model.get_weights(), seen[-1])

    def outcome(**options):
        if use == "predict":
            return model.predict(X, verbose=0, **options)
        return model.evaluate(X, Y, verbose=0, **options)

    borrowed = outcome(callbacks=[callback])
    assert_same(model.get_weights(), seen[-1])
    model.set_weights(swa_after(seen, 4))
    np.testing.assert_allclose(borrowed, outcome(), rtol=1e-5)


@pytest.mark.any_backend
def test_before_the_first_sample_the_average_is_the_weights():
    model, after = small_model(), AtEpochEnds()
    fit(model, WeightAveraging(SWA(start=9)), after)
    seen = trajectory()
    assert_same(after.seen[1], seen[4])
    assert_same(model.get_weights(), seen[-1])


def interrupted(callback, during):
    """A model whose `fit` ended by Ctrl-C."""
    model = small_model()

    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(
            model,
            callback,
            LambdaCallback(**{during: interrupt}),
            validate=True,
        )
    return model


@pytest.mark.any_backend
def test_interrupted_in_a_batch_the_model_has_the_weights():
    callback, seen = WeightAveraging(EMA(0.5)), trajectory()
    model = interrupted(callback, "on_train_batch_end")
    assert_same(model.get_weights(), seen[1])
    callback.use_averages()
    assert_same(model.get_weights(), seen[1])


@pytest.mark.any_backend
@pytest.mark.parametrize("hook", ["on_test_batch_end", "on_epoch_end"])
def test_interrupted_in_validation_training_goes_on_with_the_weights(hook):
    callback, seen = WeightAveraging(EMA(0.5)), trajectory()
    model = interrupted(callback, hook)
    averages = model.get_weights()
    assert not np.array_equal(averages[0], seen[2][0])
    callback.use_weights()
    assert_same(model.get_weights(), seen[2])
    callback.use_averages()
    assert_same(model.get_weights(), averages)
    # The cell of a notebook, run again.
    steps = Steps()
    fit(model, steps, callback, epochs=1)
    assert_same(steps.seen[-1], seen[4])


@pytest.mark.any_backend
def test_after_an_interruption_other_weights_are_left_alone():
    callback = WeightAveraging(EMA(0.5))
    model = interrupted(callback, "on_epoch_end")
    loaded = [np.array([[3.0], [4.0]], "float32"), np.ones(1, "float32")]
    model.set_weights(loaded)
    steps = Steps()
    fit(model, callback, steps, epochs=1)
    assert_same(steps.seen[0], loaded)


@pytest.mark.any_backend
def test_a_second_fit_begins_anew_with_what_the_model_has():
    model, callback = small_model(), WeightAveraging("swa")
    fit(model, callback)
    start, steps = model.get_weights(), Steps()
    fit(model, callback, steps)
    assert_same(steps.seen[0], start)
    assert callback.samples == 4
    assert_close(model.get_weights(), swa_after(steps.seen, 4))


def frozen_model():
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(3, activation="tanh", name="first"),
            keras.layers.Dense(1, name="last"),
        ]
    )
    model.get_layer("first").trainable = False
    model.compile(SGD(0.05), "mse", **quick())
    return model


@pytest.mark.any_backend
def test_frozen_weights_stay_what_they_are():
    model, steps = frozen_model(), Steps()
    start = model.get_weights()
    fit(model, WeightAveraging(EMA(0.5)), steps, validate=True)
    assert_same(model.get_weights()[:2], start[:2])
    assert not np.array_equal(model.get_weights()[2], start[2])
    assert not np.array_equal(model.get_weights()[2], steps.seen[-1][2])


@pytest.mark.any_case
@pytest.mark.parametrize(
    "make",
    [
        lambda: Lookahead(SGD(0.05), sync_period=3),
        lambda: keras.optimizers.LossScaleOptimizer(Lookahead(SGD(0.05))),
        lambda: ScheduleFreeSGD(0.05),
        lambda: ExponentialMovingAverage(SGD(0.05), overwrite=False),
    ],
)
def test_works_with_any_optimizer(make):
    seen = trajectory(optimizer=make())
    model, steps = small_model(make()), Steps()
    fit(model, WeightAveraging("swa"), steps, validate=True)
    assert_all_same(steps.seen, seen)
    assert_close(model.get_weights(), swa_after(seen, 4))


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("optimizer", "remedy"),
    [
        (lambda: SGD(use_ema=True), "use_ema=False"),
        (lambda: ExponentialMovingAverage(SGD(0.1)), "overwrite=False"),
        (
            lambda: keras.optimizers.LossScaleOptimizer(SGD(use_ema=True)),
            "use_ema=False",
        ),
    ],
)
def test_refuses_an_optimizer_that_overwrites_the_weights(optimizer, remedy):
    with pytest.raises(ValueError, match=f"Make it with {remedy}"):
        fit(small_model(optimizer()), WeightAveraging())


@pytest.mark.skipif(
    keras.backend.backend() == "torch",
    reason="On torch, Keras makes one step at a time.",
)
def test_with_several_steps_at_once_it_samples_in_between_them():
    def model():
        return small_model(steps_per_execution=2, run_eagerly=False)

    with pytest.raises(
        ValueError, match="`every` of EMA must be an integer >= 2"
    ):
        fit(model(), WeightAveraging("ema"))
    # Five batches of one row each, then of two steps at once.
    averaged, seen = model(), trajectory(epochs=3)
    fit(averaged, WeightAveraging(SWA(every=2, unit="step")), epochs=3)
    assert_close(averaged.get_weights(), swa_after(seen, 3))


@pytest.mark.any_backend
def test_counts_no_more_steps_at_once_than_there_are():
    callback = WeightAveraging(SWA(every=3, unit="step"))
    callback.set_model(small_model(steps_per_execution=3))
    callback.set_params({"steps": 5})
    callback.on_train_begin()
    callback.on_epoch_begin(0)
    for first in (0, 3):
        callback.on_train_batch_begin(first)
        callback.on_train_batch_end(first + 2)
    assert (callback.steps, callback.samples) == (5, 1)


@pytest.mark.any_backend
def test_a_callback_outside_of_a_list_is_in_time_or_refused():
    def alone(average):
        model = small_model()
        callback = WeightAveraging(average)
        model.fit(
            X,
            Y,
            batch_size=2,
            shuffle=False,
            epochs=3,
            verbose=0,
            callbacks=callback,
        )
        return model.get_weights()

    assert_close(alone(SWA()), swa_after(trajectory(3), 3))
    if keras.src.backend.IS_THREAD_SAFE:
        with pytest.raises(ValueError, match="`callbacks` of fit must be a"):
            alone(SWA(unit="step"))
    else:
        assert_close(alone(SWA(unit="step")), mean(trajectory(3)[1:]))


@pytest.mark.skipif(
    keras.backend.backend() == "torch",
    reason="Keras has no data parallelism in one torch process.",
)
def test_averages_the_same_weights_under_data_parallelism():
    def train():
        model = small_model(run_eagerly=False)
        fit(model, WeightAveraging(EMA(0.5)), validate=True)
        return model

    alone = train().get_weights()
    assert_close(data_parallel(train).get_weights(), alone)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("average", "mean"),
        ("average", 0.9),
        ("batch_norm", "reestimated"),
        ("data", 3),
        ("data", (x for x in X)),
        ("data", X),
        ("data", (X, Y)),
        ("overwrite", 1),
    ],
)
def test_a_bad_argument_is_refused(argument, value):
    with pytest.raises(
        ValueError, match=f"`{argument}` of WeightAveraging must be"
    ):
        WeightAveraging(**{argument: value})


@pytest.mark.any_backend
def test_a_reestimate_without_data_is_refused():
    with pytest.raises(ValueError, match="`data` of WeightAveraging must be"):
        WeightAveraging(batch_norm="reestimate")


def test_a_model_that_its_first_step_builds_is_averaged_too():
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(SGD(0.05), "mse", **quick())
    steps, averaging = Steps(), WeightAveraging(SWA(unit="step"))
    fit(model, averaging, steps)
    assert_close(model.get_weights(), mean(steps.seen[1:]))


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="Only on TensorFlow, Keras builds a model in its first step.",
)
def test_an_average_from_the_start_asks_for_a_built_model():
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(SGD(0.05), "mse", run_eagerly=True)
    with pytest.raises(ValueError, match="built before the first step"):
        fit(model, WeightAveraging(EMA(bias_correction=False)))

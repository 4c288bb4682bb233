import keras
import numpy as np
import pytest
from averaged_fit import (
    Steps,
    assert_all_same,
    assert_same,
    fit,
    small_model,
    trajectory,
)
from linear_fit import X

from keras_regopt.callbacks import SnapshotEnsemble
from keras_regopt.schedules import CosineDecay, Repeat


@pytest.mark.any_case
@pytest.mark.parametrize(
    ("arguments", "steps"),
    [
        ({"cycle": 2}, [4, 8]),
        ({"cycle": 2, "keep": 1}, [8]),
        ({"cycle": [1, 4]}, [2, 8]),
        ({"cycle": 3, "unit": "step"}, [3, 6]),
        ({"cycle": [1, 5], "unit": "step"}, [1, 5]),
    ],
)
def test_collects_the_weights_at_the_end_of_each_cycle(arguments, steps):
    callback = SnapshotEnsemble(**arguments)
    fit(small_model(), callback)
    seen = trajectory()
    assert_all_same(callback.snapshots, [seen[step] for step in steps])


@pytest.mark.any_backend
def test_the_cycles_are_those_of_a_repeated_schedule():
    rates, rate = [], Repeat(CosineDecay(0.1, 4), period=4)

    class Rates(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            rates.append(float(rate(2 * epoch + 2)))

    callback = SnapshotEnsemble(cycle=2)
    fit(small_model(keras.optimizers.SGD(rate)), callback, Rates())
    # With the step after each snapshot, the rate is at the top again.
    np.testing.assert_allclose(rates[1::2], 0.1)
    assert len(callback.snapshots) == 2


@pytest.mark.any_backend
def test_taking_snapshots_leaves_the_training_as_it_is():
    steps = Steps()
    fit(small_model(), SnapshotEnsemble(cycle=1, unit="step"), steps)
    assert_all_same(steps.seen, trajectory())


def mean_prediction(weights):
    return np.mean([X @ kernel + bias for kernel, bias in weights], axis=0)


@pytest.mark.any_backend
@pytest.mark.parametrize("to_files", [True, False])
def test_the_ensemble_is_a_model_that_averages_predictions(to_files, tmp_path):
    path = tmp_path / "all" / "{cycle:02d}.weights.h5" if to_files else None
    callback = SnapshotEnsemble(cycle=1, filepath=path)
    model = small_model()
    fit(model, callback)
    seen = trajectory()
    everything = callback.ensemble()
    expected = mean_prediction(seen[2::2])
    predicted = everything.predict(X, verbose=0)
    np.testing.assert_allclose(predicted, expected, rtol=1e-5)
    latest = callback.ensemble(last=2).predict(X, verbose=0)
    np.testing.assert_allclose(latest, mean_prediction(seen[6::2]), rtol=1e-5)
    np.testing.assert_allclose(
        callback.predict(X, last=2, verbose=0), latest, rtol=1e-5
    )
    assert_same(model.get_weights(), seen[-1])

    everything.save(tmp_path / "ensemble.keras")
    reloaded = keras.saving.load_model(tmp_path / "ensemble.keras")
    np.testing.assert_array_equal(reloaded.predict(X, verbose=0), predicted)
    if to_files:
        names = sorted(p.name for p in (tmp_path / "all").iterdir())
        assert names == [f"0{i}.weights.h5" for i in range(1, 5)]


@pytest.mark.any_backend
def test_an_ensemble_keeps_the_structure_of_inputs_and_outputs():
    inputs = {
        "a": keras.Input((2,), name="a"),
        "b": keras.Input((2,), name="b"),
    }
    hidden = keras.layers.Dense(3, dtype="mixed_bfloat16")(inputs["a"])
    outputs = {
        "one": keras.layers.Dense(1)(hidden),
        "two": keras.layers.Add(dtype="bfloat16")([inputs["a"], inputs["b"]]),
    }
    model = keras.Model(inputs, outputs)
    callback = SnapshotEnsemble(cycle=1)
    callback.set_model(model)
    callback.on_train_begin()
    for epoch in range(2):
        model.set_weights([w + epoch for w in model.get_weights()])
        callback.on_epoch_end(epoch)
    x = {"a": X, "b": 2 * X}
    ours = callback.ensemble().predict(x, verbose=0)
    by_turns = callback.predict(x, verbose=0)
    for name in ("one", "two"):
        assert ours[name].dtype == np.float32
        np.testing.assert_allclose(ours[name], by_turns[name], rtol=0.01)
    np.testing.assert_allclose(ours["two"], 3 * X, rtol=0.01)


@pytest.mark.any_backend
def test_a_subclassed_model_predicts_by_turns():
    class Line(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, x):
            return self.dense(x)

    model, callback = Line(), SnapshotEnsemble(cycle=2)
    model.compile("sgd", "mse", run_eagerly=True)
    fit(model, callback)
    expected = mean_prediction(callback.snapshots)
    predicted = callback.predict(X, verbose=0)
    np.testing.assert_allclose(predicted, expected, rtol=1e-5)
    with pytest.raises(ValueError, match="Use `predict` of SnapshotEnsemble"):
        callback.ensemble()


@pytest.mark.any_backend
def test_goes_on_collecting_from_a_restored_state(tmp_path):
    path = tmp_path / "{cycle}.weights.h5"
    model, first = small_model(), SnapshotEnsemble(cycle=3, unit="step")
    fit(model, first, epochs=2)
    second = SnapshotEnsemble(cycle=3, unit="step")
    second.restore(first.state())
    fit(model, second, epochs=4, first_epoch=2)
    seen = trajectory()
    assert_all_same(second.snapshots, [seen[3], seen[6]])

    files = SnapshotEnsemble(cycle=2, filepath=path)
    fit(small_model(), files)
    fresh = SnapshotEnsemble(cycle=2, filepath=path)
    fresh.restore(files.state())
    fresh.set_model(small_model())
    np.testing.assert_allclose(
        fresh.predict(X, verbose=0),
        mean_prediction([seen[4], seen[8]]),
        rtol=1e-5,
    )
    (tmp_path / "1.weights.h5").unlink()
    with pytest.raises(ValueError, match=r"1.weights.h5' .* is gone"):
        fresh.predict(X, verbose=0)


@pytest.mark.any_backend
def test_a_file_that_is_written_replaces_the_old_one_when_it_is_whole(tmp_path):
    path = tmp_path / "{cycle}.weights.h5"
    old = tmp_path / "1.weights.h5"
    old.write_text("of an earlier training")

    class Breaking(keras.layers.Dense):
        def save_own_variables(self, store):
            raise OSError("No space left on device")

    model = keras.Sequential([keras.Input((2,)), Breaking(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    with pytest.raises(OSError, match="No space left"):
        fit(model, SnapshotEnsemble(cycle=1, filepath=path))
    assert old.read_text() == "of an earlier training"
    assert list(tmp_path.iterdir()) == [old]


@pytest.mark.any_backend
def test_more_snapshots_than_there_are_are_refused():
    callback = SnapshotEnsemble(cycle=2)
    with pytest.raises(ValueError, match="after the end of the first cycle"):
        callback.ensemble()
    fit(small_model(), callback)
    with pytest.raises(ValueError, match=r"`last` of .* must be at most 2"):
        callback.predict(X, last=3)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("cycle", 0),
        ("cycle", []),
        ("cycle", [4, 2]),
        ("unit", "batch"),
        ("keep", 0),
        ("filepath", "weights.h5"),
        ("filepath", "{cycle}.h5"),
    ],
)
def test_a_bad_argument_is_refused(argument, value):
    arguments = {"cycle": 2, argument: value}
    with pytest.raises(
        ValueError, match=f"`{argument}` of SnapshotEnsemble must be"
    ):
        SnapshotEnsemble(**arguments)


def test_predictions_from_files_leave_the_optimizer_as_it_is(tmp_path):
    model = small_model(keras.optimizers.Adam(0.1))
    snapshots = SnapshotEnsemble(1, filepath=tmp_path / "{cycle}.weights.h5")
    fit(model, snapshots, epochs=3)
    before = [v.numpy().copy() for v in model.optimizer.variables]
    snapshots.predict(X, verbose=0)
    after = [v.numpy() for v in model.optimizer.variables]
    assert_same(after, before)
    assert int(after[0]) == 6

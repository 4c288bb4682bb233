"""Successive halving whose promoted trials go on where they paused."""

import asha_search
import keras
import keras_tuner
import numpy as np
import pytest
from deaths import Killed, dies_at
from fake_search import Returns, searched
from keras_tuner.errors import FatalRuntimeError, FatalValueError

from keras_regopt.callbacks import EarlyStopping, FaultTolerant
from keras_regopt.tuning import AshaOracle, RandomOracle, _resumable_tuner
from keras_regopt.tuning._encoding import Encoding

pytestmark = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")


def values_of(tuner):
    oracle = tuner.oracle
    return [
        oracle.trials[name].hyperparameters.values
        for name in oracle.start_order
    ]


def test_a_promoted_trial_ends_as_one_that_never_paused(tmp_path):
    tuner = asha_search.search(tmp_path)
    [top] = [
        t
        for t in tuner.oracle.trials.values()
        if t.hyperparameters.values["tuner/round"] == 2
    ]
    origin = tuner.oracle.origin(top)
    assert origin.trial_id != top.trial_id
    # The same training, in one piece.
    seed = tuner.fold_seed(origin.trial_id, 0)
    model = tuner.build_seeded(origin.hyperparameters, seed)
    (x, y), keywords = tuner._training.data.fold(0)
    history = model.fit(
        x,
        y,
        batch_size=8,
        epochs=asha_search.EPOCHS,
        callbacks=asha_search.callbacks(),
        verbose=0,
        **keywords,
    ).history
    best = int(np.argmin(history["val_loss"]))
    [record] = tuner.finished(top)
    assert record["best_epoch"] == best + 1
    # Bit for bit, on a CPU.
    for name, found in record["metrics"].items():
        assert found == float(history[name][best]), name


@pytest.mark.any_backend
def test_the_best_of_each_rung_are_promoted_and_count_once(tmp_path):
    tuner = asha_search.search(tmp_path)
    values = values_of(tuner)
    rounds = [v["tuner/round"] for v in values]
    # Of two, the better one goes on.
    assert rounds == [0, 0, 1, 0, 0, 1, 2]
    assert [v["tuner/epochs"] for v in values] == [2**r for r in rounds]
    trials = list(tuner.oracle.trials.values())
    first = min(trials[:2], key=lambda t: t.score).trial_id
    assert values[2]["tuner/trial_id"] == first
    results = tuner.cross_validation_results()
    rates = [r["hyperparameters"]["rate"] for r in results]
    assert len(results) == len(set(rates)) == 4
    # The backups of those that may go on, and no others.
    left = [p.parents[3].name for p in tmp_path.rglob("paused/*.zip")]
    assert not list(tmp_path.rglob("fold_0/*.zip"))
    gone = {v.get("tuner/trial_id") for v in values}
    names = [t.trial_id for t in trials if t.trial_id not in gone][:-1]
    assert sorted(set(left)) == sorted(f"trial_{n}" for n in names)


@pytest.mark.any_backend
def test_a_kill_at_any_write_of_rungs_changes_no_result(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        writes = dies_at(patch, None)
        whole = asha_search.search(tmp_path / "whole", save_freq=2)
    expected = whole.cross_validation_results()
    step = writes() // 5
    for write in range(step, writes() + 1, step):
        folder = tmp_path / str(write)
        with monkeypatch.context() as patch:
            dies_at(patch, write)
            with pytest.raises(Killed):
                asha_search.search(folder, save_freq=2)
        tuner = asha_search.search(folder, save_freq=2)
        assert tuner.cross_validation_results() == expected, write
        assert values_of(tuner) == values_of(whole), write


@pytest.mark.any_backend
def test_a_kill_between_a_pause_and_its_record_does_not_skip_the_pause(
    tmp_path, monkeypatch
):
    whole = asha_search.search(tmp_path / "whole", asha_search.oracle(3))
    write, calls = _resumable_tuner.write_records, []

    def write_or_die(*args):
        calls.append(1)
        # Of a new trial, then of a promoted one.
        if len(calls) in (1, 4):
            raise Killed
        write(*args)

    monkeypatch.setattr(_resumable_tuner, "write_records", write_or_die)
    for _ in range(2):
        with pytest.raises(Killed):
            asha_search.search(tmp_path / "killed", asha_search.oracle(3))
    tuner = asha_search.search(tmp_path / "killed", asha_search.oracle(3))
    results = tuner.cross_validation_results()
    assert results == whole.cross_validation_results()


@pytest.mark.any_backend
def test_more_trials_go_on_with_the_paused_ones(tmp_path):
    asha_search.search(tmp_path / "a", asha_search.oracle(5))
    more = asha_search.search(tmp_path / "a", asha_search.oracle(7))
    whole = asha_search.search(tmp_path / "b", asha_search.oracle(7))
    assert values_of(more) == values_of(whole)


@pytest.mark.any_backend
def test_a_fold_that_was_stopped_early_is_not_trained_on(tmp_path):
    def stops():
        # Ends every training after its first epoch.
        return [EarlyStopping("val_loss", divergence_threshold=0.0)]

    tuner = asha_search.search(tmp_path, asha_search.oracle(3), stops)
    records = [tuner.finished(t)[0] for t in tuner.oracle.trials.values()]
    assert values_of(tuner)[2]["tuner/round"] == 1
    assert records[2] in records[:2]
    assert not any("paused" in record for record in records)


@pytest.mark.any_backend
def test_the_model_is_fitted_to_the_highest_full_rung():
    oracle = asha_search.oracle(num_initial_points=2, eta=2)
    rounds = [(0, 1.0), (0, 2.0), (1, 0.5), (0, 0.1), (0, 0.2), (1, 0.05)]
    parents = {2: "0", 5: "3"}
    for i, (rung, score) in enumerate(rounds):
        values = {"rate": 0.01 * (i + 1), "tuner/round": rung}
        if i in parents:
            values["tuner/trial_id"] = parents[i]
        hp = keras_tuner.HyperParameters()
        hp.values = values
        trial = keras_tuner.engine.trial.Trial(hp, str(i), "COMPLETED")
        trial.score = score
        oracle.trials[str(i)] = trial
        oracle.start_order.append(str(i))
        oracle.end_order.append(str(i))
    losses = [(v["rate"], loss) for v, loss in oracle.losses()]
    inf = float("inf")
    assert losses == [(0.02, inf), (0.03, 0.5), (0.05, inf), (0.06, 0.05)]
    assert oracle.proposed() == 4


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("epochs", "rungs"),
    [
        ((81, 3, 3), [3, 9, 27, 81]),
        ((10, 1, 2), [1, 2, 3, 5, 10]),
        ((5, 5, 3), [5]),
        ((1, 1, 2), [1]),
    ],
)
def test_the_rungs_are_powers_of_eta_apart(epochs, rungs):
    names = ("max_epochs", "min_epochs", "eta")
    oracle = AshaOracle("val_loss", **dict(zip(names, epochs, strict=True)))
    assert oracle.rungs == rungs


@pytest.mark.any_backend
def test_values_at_random_are_those_of_the_seed():
    space = keras_tuner.HyperParameters()
    space.Float("rate", 0.0, 1.0)
    oracle = asha_search.oracle(sampler="random", hyperparameters=space)
    encoding = Encoding(space.space)
    random = RandomOracle("val_loss", hyperparameters=space)
    found = [oracle.propose(n, encoding, set()) for n in range(3)]
    assert found == [random.propose(n, encoding, set()) for n in range(3)]


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_epochs": 0}, r"`max_epochs` .* >= 1"),
        ({"max_epochs": 5, "min_epochs": 6}, r"`min_epochs` .* <= 5"),
        ({"eta": 1}, r"`eta` .* >= 2"),
        ({"sampler": "tpe"}, "`sampler`"),
        ({"max_trials": 0}, "`max_trials`"),
    ],
)
def test_bad_arguments_of_asha_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        AshaOracle("val_loss", **arguments)


@pytest.mark.any_backend
def test_asha_is_refused_where_it_would_not_be_asha(tmp_path):
    tuner = keras_tuner.Tuner(
        asha_search.oracle(), asha_search.build, directory=tmp_path / "a"
    )
    with pytest.raises(FatalRuntimeError, match="needs CrossValidationTuner"):
        tuner.search(asha_search.X, asha_search.Y)
    tuner = asha_search.tuner_of(tmp_path / "b", asha_search.oracle())
    with pytest.raises(ValueError, match=r"`epochs` .* left out, or 4"):
        tuner.search(asha_search.X, asha_search.Y, epochs=3)
    with pytest.raises(ValueError, match=r"`callbacks` .* FaultTolerant"):
        tuner.search(
            asha_search.X,
            asha_search.Y,
            callbacks=[FaultTolerant([], tmp_path)],
        )
    with pytest.raises(FatalRuntimeError, match=r"calls Model\.fit"):
        searched(tmp_path / "c", Returns(0.5), asha_search.oracle())


@pytest.mark.any_backend
def test_callbacks_that_a_backup_would_not_hold_are_refused(tmp_path):
    class Own(keras.callbacks.Callback):
        pass

    tuner = asha_search.tuner_of(
        tmp_path / "a", RandomOracle("val_loss", 1), save_freq="epoch"
    )
    with pytest.raises(ValueError, match="`callbacks` of CrossValidation"):
        tuner.search(asha_search.X, asha_search.Y, callbacks=[Own()])
    with pytest.raises(ValueError, match="`save_freq`"):
        asha_search.tuner_of(
            tmp_path / "b", RandomOracle("val_loss", 1), save_freq=0
        )


@pytest.mark.any_backend
def test_a_fold_killed_in_mid_fit_goes_on_there(tmp_path, monkeypatch):
    def made():
        return RandomOracle(keras_tuner.Objective("val_loss", "min"), 1)

    epochs = []

    def dies_in(deadly):
        def note(epoch, logs):
            epochs.append(epoch)
            if epoch == deadly:
                raise Killed

        noting = keras.callbacks.LambdaCallback(on_epoch_begin=note)
        return lambda: [*asha_search.callbacks(), noting]

    whole = asha_search.search(tmp_path / "whole", made(), dies_in(None))
    folder = tmp_path / "killed"
    with pytest.raises(Killed):
        asha_search.search(folder, made(), dies_in(2), save_freq="epoch")
    assert list(folder.glob("**/backup.zip"))
    epochs.clear()
    tuner = asha_search.search(folder, made(), dies_in(None), save_freq="epoch")
    assert epochs == [2, 3]
    results = tuner.cross_validation_results()
    assert results == whole.cross_validation_results()
    assert not list(folder.glob("**/backup.zip"))


@pytest.mark.any_backend
def test_a_fit_in_two_parts_cannot_go_on(tmp_path):
    class Twice(keras_tuner.HyperModel):
        def build(self, hp):
            return asha_search.build(hp)

        def fit(self, hp, model, *args, **kwargs):
            model.fit(*args, **kwargs)
            return model.fit(*args, **kwargs)

    tuner = asha_search.tuner_of(
        tmp_path,
        RandomOracle("val_loss", 1),
        hypermodel=Twice(),
        save_freq="epoch",
    )
    with pytest.raises(FatalValueError, match="calls fit once"):
        tuner.search(asha_search.X, asha_search.Y, verbose=0)

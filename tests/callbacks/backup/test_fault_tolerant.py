import keras
import numpy as np
import pytest
from interrupted import (
    BATCHES,
    InterruptAfter,
    Interruption,
    arrays,
    model,
    require_equal,
    train,
)

from keras_regopt.callbacks import (
    EarlyStopping,
    FaultTolerant,
    ReduceLROnPlateau,
)
from keras_regopt.optimizers import SAM, ScheduleFreeSGD

BREAKS = [1, 8, 2, 4]


class Epochs(keras.callbacks.Callback):
    """With a state, by the protocol, and with no base of ours."""

    def on_train_begin(self, logs=None):
        self.seen = []

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(epoch)

    def state(self):
        return {"seen": list(self.seen)}

    def restore(self, state):
        self.seen = list(state["seen"])


@pytest.mark.parametrize("save_freq", ["epoch", 3])
def test_an_interrupted_training_ends_as_one_that_was_not(tmp_path, save_freq):
    expected = train(None, save_freq=save_freq)
    assert len(expected[0]["loss"]) == 4
    run = train(tmp_path / "parts", BREAKS, save_freq=save_freq)
    require_equal(run, expected)


OPTIMIZERS = {
    "loss scale": lambda: keras.optimizers.LossScaleOptimizer(
        keras.optimizers.Adam(0.05)
    ),
    "accumulation": lambda: keras.optimizers.Adam(
        0.05, gradient_accumulation_steps=3, use_ema=True
    ),
    "switches weights": lambda: ScheduleFreeSGD(0.05),
    "ascends": lambda: SAM(keras.optimizers.SGD(0.05)),
}


@pytest.mark.any_backend
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_goes_on_as_it_was(tmp_path, name):
    def make():
        return model(OPTIMIZERS[name]())

    options = {"make_model": make, "epochs": 2}
    expected = train(None, **options)
    require_equal(train(tmp_path / "parts", [8], **options), expected)


@pytest.mark.any_backend
@pytest.mark.parametrize("scheduled", [False, True])
def test_a_rate_that_was_cut_stays_cut(tmp_path, scheduled):
    def make():
        rate = 0.05
        if scheduled:
            rate = keras.optimizers.schedules.ExponentialDecay(rate, 5, 0.9)
        return model(keras.optimizers.SGD(rate))

    def guarded():
        return [
            ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=9),
            EarlyStopping("loss", patience=3, min_delta=9),
        ]

    options = {"make_model": make, "guarded": guarded, "epochs": 9}
    expected = train(None, **options)
    assert len(expected[0]["loss"]) == 4
    assert expected[0]["learning_rate"][-1] < 0.02
    run = train(tmp_path / "parts", [13], **options)
    require_equal(run, expected)


def test_a_compiled_train_function_goes_on_as_it_was(tmp_path):
    steps = 1 if keras.backend.backend() == "torch" else 2

    def make():
        return model(
            run_eagerly=False,
            jit_compile=keras.backend.backend() == "jax",
            steps_per_execution=steps,
        )

    options = {"make_model": make, "epochs": 2}
    expected = train(None, **options)
    require_equal(train(tmp_path / "parts", [5], **options), expected)


@pytest.mark.any_backend
def test_guarded_callbacks_see_every_epoch_once(tmp_path):
    callbacks = []

    def guarded():
        callbacks.append(Epochs())
        return callbacks[-1:]

    train(tmp_path, BREAKS, guarded=guarded)
    assert len(callbacks) == 5
    assert callbacks[-1].seen == [0, 1, 2, 3]


@pytest.mark.any_backend
def test_batches_keep_their_numbers(tmp_path):
    numbers = []
    note = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: numbers.append(batch)
    )
    train(tmp_path, [BATCHES + 3], guarded=lambda: [note], epochs=2)
    # The backup was made before batch 3 of the second epoch, counted from 0.
    assert numbers == [0, 1, 2, 3, 4, 0, 1, 2] + [1, 2, 3, 4]


@pytest.mark.any_backend
def test_a_later_fit_begins_where_it_is_told_to(tmp_path):
    trained = model()
    with pytest.raises(Interruption):
        trained.fit(
            **arrays(),
            epochs=4,
            verbose=0,
            callbacks=[FaultTolerant([], tmp_path), InterruptAfter(12)],
        )
    trained.fit(
        **arrays(), epochs=4, verbose=0, callbacks=[FaultTolerant([], tmp_path)]
    )
    assert trained.history.epoch == [0, 1, 2, 3]
    history = trained.fit(**arrays(), epochs=3, verbose=0)
    assert history.epoch == [0, 1, 2]


@pytest.mark.any_backend
def test_the_backup_is_removed_at_the_end_and_another_training_begins_anew(
    tmp_path,
):
    backup = tmp_path / "backup"
    first = train(backup)
    assert not backup.exists()
    require_equal(train(backup), first)


@pytest.mark.any_backend
def test_files_of_others_in_the_directory_are_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    train(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.any_backend
def test_from_a_backup_that_was_kept_comes_the_same_end_again(tmp_path):
    first = train(tmp_path, delete_checkpoint=False)
    require_equal(train(tmp_path, delete_checkpoint=False), first)


@pytest.mark.any_backend
def test_the_backup_outlives_the_work_of_callbacks_at_the_end(tmp_path):
    class DiesAtTheEnd(Epochs):
        def on_train_end(self, logs=None):
            raise Interruption

    callbacks = [DiesAtTheEnd()]
    with pytest.raises(Interruption):
        model().fit(
            **arrays(),
            verbose=0,
            callbacks=[FaultTolerant(callbacks, tmp_path), *callbacks],
        )
    assert (tmp_path / "backup.zip").exists()


@pytest.mark.any_backend
def test_a_backup_is_made_when_the_time_has_come(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    def advance(batch, logs):
        now[0] += 20

    tolerant = FaultTolerant([], tmp_path, save_freq="1min")
    made = []
    write = tolerant._directory.write

    def watched(content):
        made.append((content["epoch"], content["batch"]))
        write(content)

    tolerant._directory.write = watched
    clock = keras.callbacks.LambdaCallback(on_train_batch_end=advance)
    model().fit(**arrays(), epochs=2, verbose=0, callbacks=[tolerant, clock])
    assert made == [(0, 0), (0, 3), (1, 1), (1, 4)]


@pytest.mark.any_backend
def test_guarded_callbacks_must_come_after_it(tmp_path):
    stopper = EarlyStopping("loss")
    for callbacks in ([stopper], []):
        tolerant = FaultTolerant([stopper], tmp_path)
        with pytest.raises(ValueError, match="guards EarlyStopping, which"):
            model().fit(**arrays(), verbose=0, callbacks=[*callbacks, tolerant])


@pytest.mark.any_backend
def test_a_callback_whose_state_is_out_of_reach_is_refused():
    class Counts(keras.callbacks.EarlyStopping):
        pass

    with pytest.raises(ValueError, match="Give it these two methods"):
        FaultTolerant([Counts()], "backup")


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "arguments",
    [
        {"callbacks": EarlyStopping()},
        {"callbacks": ["a name"]},
        {"callbacks": [FaultTolerant([], "backup")]},
        {"backup_dir": ""},
        {"backup_dir": 1},
        {"save_freq": 0},
        {"save_freq": True},
        {"save_freq": 1.5},
        {"save_freq": "0s"},
        {"save_freq": "10 days"},
        {"delete_checkpoint": "no"},
    ],
)
def test_bad_arguments_are_refused_when_it_is_made(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"`{name}` of FaultTolerant"):
        FaultTolerant(**{"callbacks": [], "backup_dir": "backup", **arguments})


@pytest.mark.any_backend
def test_a_loop_without_fit_is_refused(tmp_path):
    tolerant = FaultTolerant([], tmp_path)
    tolerant.set_model(model())
    tolerant.on_train_begin()
    with pytest.raises(RuntimeError, match="works in the `fit`"):
        tolerant.on_epoch_begin(0)


class Doubled(keras.Model):
    """Without layers that are built before its first batch."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)

    def call(self, inputs):
        return self.dense(2 * inputs)


def test_a_model_that_fit_builds_goes_on_as_it_was(tmp_path):
    def make():
        made = Doubled()
        made.compile("adam", "mse", run_eagerly=True, jit_compile=False)
        return made

    options = {"make_model": make, "epochs": 2}
    expected = train(None, **options)
    run = train(tmp_path / "parts", [1, 7], **options)
    require_equal(run, expected)
    assert np.all(np.isfinite(expected[0]["loss"]))

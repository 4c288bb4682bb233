import copy
import json
import os

import keras
import numpy as np
import pytest

from keras_regopt.diagnosis import FitMonitor, diagnose

pytestmark = pytest.mark.any_backend

LOGS = [
    {"loss": 1.0, "val_loss": 1.0},
    {"loss": 0.4, "val_loss": 0.5},
    {"loss": 0.2, "val_loss": 0.25},
    {"loss": 0.05, "val_loss": 0.1},
    {"loss": 0.01, "val_loss": 0.4},
    {"loss": 0.01, "val_loss": 0.5},
]


def run(monitor, logs=LOGS, start=0):
    monitor.on_train_begin()
    for epoch, values in enumerate(logs[start:], start):
        monitor.on_epoch_end(epoch, dict(values))
    monitor.on_train_end()
    return monitor


def small_model():
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def test_it_agrees_with_a_diagnosis_of_the_history():
    x, y = np.ones((8, 2)), np.ones(8)
    monitor = FitMonitor(verbose=0)
    history = small_model().fit(
        x, y, epochs=5, validation_data=(x, y), verbose=0, callbacks=[monitor]
    )
    assert monitor.diagnosis.as_dict() == diagnose(history).as_dict()


def test_it_prints_one_line_when_the_verdict_changes(capsys):
    run(FitMonitor(reference=0.0))
    lines = capsys.readouterr().out.split("\n")
    lines = [line for line in lines if line]
    assert [line.split(" (")[0] for line in lines] == [
        "Epoch 3: FitMonitor: high bias",
        "Epoch 4: FitMonitor: fits",
        "Epoch 5: FitMonitor: high variance",
    ]
    assert lines[-1].endswith("(loss: training 0.01, dev 0.4)")
    run(FitMonitor(verbose=0))
    assert capsys.readouterr().out == ""


def test_it_diagnoses_every_few_epochs_and_at_the_end(capsys):
    run(FitMonitor(every=4))
    lines = [line for line in capsys.readouterr().out.split("\n") if line]
    assert [line.split(":")[0] for line in lines] == ["Epoch 4", "Epoch 6"]


def test_without_dev_data_it_says_so_and_does_not_fail(capsys):
    monitor = FitMonitor()
    x = np.ones((8, 2))
    small_model().fit(x, x[:, 0], epochs=2, verbose=0, callbacks=[monitor])
    assert monitor.diagnosis.cause == "no dev"
    assert capsys.readouterr().out.count("undecided") == 1


def test_a_diverged_training_is_told(capsys):
    nan = float("nan")
    run(FitMonitor(), LOGS[:3] + [{"loss": nan, "val_loss": nan}])
    assert "Epoch 4: FitMonitor: undecided" in capsys.readouterr().out


def test_dev_errors_of_every_second_epoch_stay_at_their_epochs():
    x = np.ones((8, 2))
    monitor = FitMonitor(verbose=0)
    small_model().fit(
        x,
        x[:, 0],
        epochs=7,
        validation_data=(x, x[:, 0]),
        validation_freq=[1, 4, 6],
        verbose=0,
        callbacks=[monitor],
    )
    dev = monitor.diagnosis.as_dict()["curves"]["dev"]
    assert [d is not None for d in dev] == [n in (1, 4, 6) for n in range(1, 8)]


def test_each_training_starts_afresh():
    monitor = run(FitMonitor(reference=0.0, verbose=0))
    run(monitor, LOGS[:3])
    assert monitor.epochs == [0, 1, 2]
    assert monitor.diagnosis.verdict == "high bias"


def test_a_restored_state_goes_on_as_if_never_interrupted(capsys):
    whole = run(FitMonitor())
    all_lines = capsys.readouterr().out
    first = run(FitMonitor(), LOGS[:4])
    state = first.state()
    json.dumps(state)
    second = FitMonitor()
    second.restore(state)
    assert second.diagnosis.verdict == "fits"
    run(second, LOGS, start=4)
    assert second.diagnosis.as_dict() == whole.diagnosis.as_dict()
    assert second.state() == whole.state()
    assert capsys.readouterr().out == all_lines


def test_an_epoch_that_is_run_again_replaces_the_old_one():
    first = run(FitMonitor(verbose=0), LOGS[:4])
    second = FitMonitor(verbose=0)
    second.restore(first.state())
    run(second, LOGS, start=2)
    assert second.epochs == list(range(6))
    assert second.curves["loss"] == [logs["loss"] for logs in LOGS]


def test_a_state_is_independent_of_the_monitor():
    monitor = run(FitMonitor(verbose=0), LOGS[:3])
    state = monitor.state()
    monitor.on_epoch_end(3, LOGS[3])
    assert len(state["curves"]["loss"]) == 3


def test_it_writes_a_report_and_tensorboard_files(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import (
        EventAccumulator,
    )

    report, logs = tmp_path / "out" / "report.html", tmp_path / "logs"
    monitor = run(FitMonitor(verbose=0, report=report, log_dir=logs))
    page = report.read_text(encoding="utf-8")
    assert f"Verdict: {monitor.diagnosis.verdict}" in page
    events = EventAccumulator(os.fspath(logs))
    events.Reload()
    variances = [
        (e.step, e.value) for e in events.Scalars("diagnosis/variance")
    ]
    assert [step for step, _ in variances] == [1, 2, 3, 4, 5, 6]
    np.testing.assert_allclose(variances[-1][1], 0.49, rtol=1e-6)
    assert len(events.Tensors("diagnosis/verdict")) == 1


def test_a_copy_is_independent_even_while_it_writes(tmp_path):
    monitor = FitMonitor(verbose=0, log_dir=tmp_path)
    monitor.on_train_begin()
    monitor.on_epoch_end(0, LOGS[0])
    copied = copy.deepcopy(monitor)
    copied.on_epoch_end(1, LOGS[1])
    assert monitor.epochs == [0]
    assert copied.epochs == [0, 1]


def test_it_comes_back_from_its_configuration(tmp_path):
    monitor = FitMonitor(
        monitor="mae",
        reference=0.1,
        baseline=2,
        mode="min",
        bias_tolerance=0.1,
        variance_tolerance=np.float32(0.5),
        every=2,
        verbose=0,
        report=tmp_path / "r.html",
    )
    config = json.loads(json.dumps(monitor.get_config()))
    again = FitMonitor.from_config(config)
    assert again.get_config() == config
    assert config["report"] == os.fspath(tmp_path / "r.html")


def test_values_that_are_no_numbers_are_left_out():
    monitor = FitMonitor(verbose=0)
    monitor.on_train_begin()
    monitor.on_epoch_end(0, {"note": "text", "loss": np.float32(0.5)})
    assert monitor.curves == {"loss": [0.5]}
    assert type(monitor.curves["loss"][0]) is float


def test_nothing_is_diagnosed_before_the_first_epoch():
    monitor = FitMonitor()
    assert monitor.diagnosis is None
    monitor.on_train_begin()
    monitor.on_epoch_end(0, None)
    monitor.on_train_end()
    assert monitor.diagnosis is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("monitor", None),
        ("mode", "up"),
        ("reference", "low"),
        ("baseline", float("inf")),
        ("bias_tolerance", -1),
        ("variance_tolerance", True),
        ("rise_tolerance", -0.1),
        ("every", 0),
        ("verbose", 2),
        ("log_dir", 3),
        ("report", ""),
    ],
)
def test_bad_arguments_are_refused(name, value):
    with pytest.raises(ValueError, match=f"`{name}` of FitMonitor must be"):
        FitMonitor(**{name: value})

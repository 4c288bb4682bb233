"""Drift of the data of a model in service."""

import keras
import numpy as np
import pytest
from scipy import stats

from keras_regopt.diagnosis import Monitor
from keras_regopt.diagnosis.service.drift import (
    Categories,
    Numbers,
    corrected,
)

pytestmark = pytest.mark.any_backend


def normal(rows, columns=3, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, columns))


def test_numbers_are_compared_as_scipy_does():
    before, now = normal(2000, 1)[:, 0], normal(500, 1, seed=1)[:, 0] + 0.1
    found = Numbers(before, bins=10).compare(now)
    known = stats.ks_2samp(before, now, method="asymp")
    assert found.statistic == pytest.approx(known.statistic)
    # SciPy's asymptotic formula has a correction for small samples.
    assert found.p_value == pytest.approx(known.pvalue, rel=0.1)
    edges = np.quantile(before, np.arange(1, 10) / 10)
    p, q = (
        np.bincount(np.searchsorted(edges, v), minlength=10) / len(v)
        for v in (before, now)
    )
    index = np.sum((q - p) * np.log(q / p))
    # Half a row is added to each bin, and there are bins for the outliers.
    assert found.psi == pytest.approx(index, abs=0.01)


def test_categories_are_compared_as_scipy_does():
    before = np.repeat(["a", "b", "c"], [500, 300, 200])
    now = np.repeat(["a", "b", "c"], [100, 50, 50])
    found = Categories(before).compare(now)
    table = [[500, 300, 200], [100, 50, 50]]
    assert found.p_value == pytest.approx(stats.chi2_contingency(table)[1])
    assert found.statistic == pytest.approx(0.05)
    new = np.repeat(["a", "z"], [100, 100])
    assert Categories(before).compare(new).p_value < 1e-20


def test_holms_correction_is_that_of_the_paper():
    p = np.array([0.01, 0.04, 0.03, 0.005])
    assert corrected(p) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@pytest.mark.parametrize("rows", [500, 2000])
def test_few_false_alarms_and_half_a_deviation_found_in_three_windows(rows):
    alarms = 0
    for seed in range(5):
        monitor = Monitor(normal(rows, 5, seed))
        reports = monitor.observe(normal(500 * 20, 5, 1000 + seed))
        alarms += sum(report.alarm for report in reports)
        shifted = normal(1500, 5, 2000 + seed) + [0.5, 0, 0, 0, 0]
        reports = monitor.observe(shifted)
        assert any("x[0]" in report.drifted for report in reports)
        assert monitor.should_update()
        assert "x[0]" in monitor.reason
    # One in a hundred windows is allowed, a tenth of it promised.
    assert alarms <= 1


def mixed(rows, seed, shares=(0.6, 0.39, 0.01), missing=0.02, scale=1.0):
    random = np.random.default_rng(seed)
    age = random.normal(40, 10 * scale, rows)
    age[random.uniform(size=rows) < missing] = np.nan
    return {
        "age": age,
        "color": random.choice(["red", "blue", "green"], rows, p=shares),
        "kind": random.integers(0, 4, rows),
        "score": np.round(random.exponential(size=rows), 0),
        "constant": np.full(rows, 7.0),
    }


def test_mixed_columns_raise_no_false_alarm_and_each_change_is_found():
    monitor = Monitor(mixed(3000, 0), categorical=["kind"])
    for report in monitor.observe(mixed(500 * 40, 1)):
        assert not report.alarm, report
    changes = {
        "color": mixed(500, 2, shares=(0.3, 0.69, 0.01)),
        "age": mixed(500, 3, missing=0.2),
        "kind": {**mixed(500, 4), "kind": np.arange(500) % 5},
        "score": {**mixed(500, 5), "score": np.arange(500) % 4},
        "constant": {**mixed(500, 6), "constant": np.full(500, 7.5)},
    }
    for name, window in changes.items():
        (report,) = monitor.observe(window)
        assert report.drifted == (name,)
    (report,) = monitor.observe(mixed(500, 7, scale=2.5))
    assert report.drifted == ("age",)


def test_missing_categories_and_numbers_as_objects_are_understood():
    cells = [["a", 1], [None, 2.5], ["b", None], ["a", 4]] * 100
    table = np.array(cells, dtype=object)
    monitor = Monitor(table, window=100)
    (report,) = monitor.observe(table[:100])
    assert not report.alarm
    assert report.columns["x[0]"].missing == 0.25
    table[:, 0] = "a"
    assert monitor.observe(table[:100])[0].drifted == ("x[0]",)


def images(rows, seed, brightness=0.0):
    random = np.random.default_rng(seed)
    return random.normal(size=(rows, 6, 6, 1)) + brightness


def probabilities(x):
    mean = x.mean(axis=(1, 2, 3))
    odds = np.stack([mean, 0 * mean, -mean], axis=1) * 12
    odds = np.exp(odds)
    return odds / odds.sum(axis=1, keepdims=True)


def test_images_are_watched_by_what_the_model_returns():
    monitor = Monitor(images(2000, 0), model=probabilities)
    assert not any(r.alarm for r in monitor.observe(images(2000, 1)))
    (report,) = monitor.observe(images(500, 2, brightness=0.15))
    assert "class of prediction" in report.drifted
    assert "prediction[0]" in report.drifted
    embedding = Monitor(images(500, 0), model=lambda x: x.reshape(len(x), -1))
    assert "prediction[35]" in embedding._reference.values()
    with pytest.raises(ValueError, match="give `model`"):
        Monitor(images(100, 0))


def test_a_keras_model_predicts_for_it():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    monitor = Monitor(normal(200), model=model, window=50)
    (report,) = monitor.observe(normal(50, seed=1))
    assert set(report.columns) == {"x[0]", "x[1]", "x[2]", "prediction"}


def test_windows_are_filled_by_pieces_and_survive_a_restart(tmp_path):
    path = tmp_path / "new" / "monitor.npz"
    whole = Monitor(mixed(800, 0), categorical=["kind"], patience=2)
    pieces = Monitor(mixed(800, 0), categorical=["kind"], patience=2)
    stream = mixed(1600, 1, scale=2.0)
    expected = whole.observe(stream)
    found = []
    for start in range(0, 1600, 200):
        part = {name: v[start : start + 200] for name, v in stream.items()}
        found += pieces.observe(part)
        pieces.save(path)
        pieces = Monitor.load(path)
    assert [r.number for r in found] == [1, 2, 3]
    assert [r.columns for r in found] == [r.columns for r in expected]
    assert pieces.should_update()
    assert [p.name for p in path.parent.iterdir()] == ["monitor.npz"]


def test_patience_asks_for_alarms_in_a_row():
    monitor = Monitor(normal(1000), patience=2)
    for seed, shift in enumerate([1.0, 0.0, 1.0]):
        monitor.observe(normal(500, seed=seed) + shift)
        assert not monitor.should_update()
    monitor.observe(normal(500, seed=9) + 1.0)
    assert monitor.should_update()


def test_a_damaged_file_and_a_missing_model_are_refused(tmp_path):
    path = tmp_path / "state.npz"
    path.write_bytes(b"nothing")
    with pytest.raises(RuntimeError, match="does not hold the state"):
        Monitor.load(path)
    Monitor(images(100, 0), model=probabilities).save(path)
    with pytest.raises(ValueError, match="`model` of Monitor"):
        Monitor.load(path)
    assert repr(Monitor.load(path, probabilities)).endswith("no update>")


@pytest.mark.parametrize("detector", ["adwin", "page_hinkley"])
def test_detectors_of_river_find_more_errors_and_are_saved(detector, tmp_path):
    pytest.importorskip("river")
    path = tmp_path / "state.npz"
    random = np.random.default_rng(0)
    monitor = Monitor(
        normal(1000),
        errors=random.uniform(size=1000) < 0.1,
        detectors=[detector],
        least_psi=9,
    )
    for seed in range(10):
        errors = random.uniform(size=500) < 0.1
        monitor.observe(normal(500, seed=seed), errors=errors)
    assert not monitor.should_update()
    # Of the error, half a deviation more.
    worse = random.uniform(size=1000) < 0.25
    monitor.observe(normal(250), errors=worse[:250])
    monitor.save(path)
    monitor = Monitor.load(path)
    monitor.observe(normal(750), errors=worse[250:])
    assert monitor.should_update()
    assert detector in monitor.reason


def test_without_river_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "river", None)
    with pytest.raises(ImportError, match=r"keras_regopt\[drift\]"):
        Monitor(normal(50), errors=np.zeros(50), detectors=["adwin"])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"window": 10}, "`window` of Monitor"),
        ({"alpha": 0}, "`alpha` of Monitor"),
        ({"least_psi": -1}, "`least_psi` of Monitor"),
        ({"bins": 1}, "`bins` of Monitor"),
        ({"categorical": ["z"]}, "`categorical` of Monitor"),
        ({"categorical": "x"}, "`categorical` of Monitor"),
        ({"detectors": ["ddm"]}, "`detectors` of Monitor"),
        ({"detectors": ["adwin"]}, "without errors or predictions"),
        ({"errors": np.zeros(3)}, "`x` of Monitor"),
        ({"predictions": 1, "model": abs}, "`predictions` of Monitor"),
    ],
)
def test_a_wrong_argument_is_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        Monitor(normal(40), **wrong)


def test_other_columns_than_those_of_the_reference_are_refused():
    monitor = Monitor({"a": np.zeros(40), "b": np.zeros(40)})
    with pytest.raises(ValueError, match=r"Missing: \['b'\]"):
        monitor.observe({"a": np.zeros(4)})
    with pytest.raises(ValueError, match="numbers in the column 'a'"):
        monitor.observe({"a": np.full(4, "x"), "b": np.zeros(4)})
    with pytest.raises(ValueError, match="one number of rows"):
        monitor.observe({"a": np.zeros(4), "b": np.zeros(3)})


def test_a_report_is_a_table_for_notebooks():
    monitor = Monitor(normal(500), window=50)
    (report,) = monitor.observe(normal(50, seed=1) + 2)
    assert report._repr_html_().count("<tr>") == 4
    assert "drift of x[" in repr(report)

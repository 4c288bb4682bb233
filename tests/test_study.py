"""The page of `make bench-study` says what its lines say, and no more."""

import json
import pathlib

import numpy as np
import pytest

pytestmark = pytest.mark.any_backend

BENCHMARKS = pathlib.Path(__file__).parents[1] / "benchmarks"
BASELINE = "Keras Adam"
TASK = {
    "steps": {500: 300, 5000: 1000},
    "batch": 32,
    "dev": 2000,
    "test": 5000,
    "on_the_way": 500,
}
NAMES = {
    BASELINE: "optimizer",
    "MixUp": "augmentation",
    "L2": "regularization",
    "Ftrl": "optimizer",
    "CutMix": "augmentation",
}


@pytest.fixture(autouse=True)
def _path(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def line(name, kind, accuracies, size=500, **more):
    count = len(accuracies)
    return {
        "size": size,
        "kind": kind,
        "name": name,
        "strength": 1.0,
        "strengths": [0.1, 1.0, 10.0],
        "seeds": list(range(count)),
        "accuracies": accuracies,
        "losses": [0.5] * count,
        "ways": [[0.5, 0.8, 0.9]] * count,
        "seconds": [2.0] * count,
        "cpu": 60.0,
        **more,
    }


@pytest.fixture
def lines():
    base = np.array([0.90, 0.91, 0.89, 0.90, 0.92])
    noise = np.array([0.01, -0.01, 0.01, -0.01, 0.0])
    return [
        line(BASELINE, "optimizer", list(base)),
        line("MixUp", "augmentation", list(base + 0.02 + noise / 10)),
        line("L2", "regularization", list(base + noise)),
        line(
            "Ftrl",
            "optimizer",
            [0.1] * 5,
            losses=[None] * 5,
            strength=10.0,
            ways=[[0.1, 0.1, 0.1]] * 5,
        ),
        line("L2", "regularization", list(base), size=5000),
    ]


def test_ranks_what_was_measured_and_names_what_was_not(lines):
    from _study_page import page

    text = page(lines, NAMES, TASK)
    assert "Better than Keras Adam, the interval above zero: MixUp." in text
    assert "Worse, the interval below zero: Ftrl." in text
    assert "Not measured on this size yet: CutMix." in text
    assert "**augmentation**: MixUp (+2.0 points); 1 of 1 clearly" in text
    assert "**optimizer**: no accuracy rose clearly, of 1 measured" in text
    table = text[text.index("## 500 images\n") :]
    places = [table.index(f"| {name} |") for name in ("MixUp", "L2", "Ftrl")]
    assert places == sorted(places)
    (failed,) = [row for row in text.splitlines() if row.startswith("| Ftrl")]
    assert "not reached" in failed
    assert "10*" in failed


def test_says_nothing_of_a_size_without_the_baseline(lines):
    from _study_page import page

    assert "## 5,000 images" not in page(lines, NAMES, TASK)
    assert "none" in page([], NAMES, TASK)


def test_tells_what_is_missing_by_kind_where_it_is_much(lines):
    from _study_page import unmeasured

    names = {f"new {number}": "schedule" for number in range(50)}
    found = dict.fromkeys(NAMES)
    assert unmeasured({**NAMES, **names}, found) == "50 of 55 (schedule 50)"


def test_names_what_lowers_the_loss_alone(lines):
    from _study_page import page

    lines[2]["losses"] = [0.3, 0.31, 0.29, 0.3, 0.3]
    text = page(lines, NAMES, TASK)
    assert "Lower in the loss alone: L2 (-0.20)." in " ".join(text.split())


def test_an_interval_of_few_values_is_wider_than_the_plain_bootstrap():
    from _study_rows import interval, verdict

    random = np.random.default_rng(0)
    covered = 0
    for _ in range(100):
        low, high = interval(random.normal(size=5))
        covered += low <= 0 <= high
    # The plain percentiles cover about 82 of 100.
    assert covered >= 89
    assert verdict(np.array([1.0, 1.1, 0.9])) == 1
    assert verdict(np.array([-1.0, -1.1, -0.9])) == -1
    assert verdict(np.array([1.0, -1.1, 0.2])) == 0


def test_a_seed_that_two_processes_measured_counts_once(lines, tmp_path):
    from _study_rows import append, read, results

    path = tmp_path / "study.jsonl"
    assert read(path) == []
    for one in (lines[0], {**lines[0], "accuracies": [0.0] * 5}):
        append(path, one)
    found = results(read(path), 500)[BASELINE]
    assert found.accuracy == pytest.approx(90.4)
    assert found.cpu == 120
    more = {**lines[0], "seeds": [5, 6, 7, 8, 9]}
    append(path, json.loads(json.dumps(more)))
    assert results(read(path), 500)[BASELINE].seeds == list(range(10))


def test_more_seeds_are_for_what_is_close(lines):
    from _study_rows import close_ones, results

    found = results(lines, 500)
    assert close_ones(found, best=1) == ["MixUp", BASELINE, "L2"]
    assert "Ftrl" not in close_ones(found, best=3)


def test_tells_where_the_end_of_the_baseline_is_reached(lines):
    from _study_rows import Result, share_of_steps

    fast = line("Adam", "optimizer", [0.9] * 5, ways=[[0.8, 0.95, 0.94]] * 5)
    baseline = Result([lines[0]])
    assert share_of_steps(Result([fast]), baseline) == pytest.approx(2 / 3)
    assert share_of_steps(baseline, baseline) == 1
    assert share_of_steps(Result([lines[3]]), baseline) is None


def test_a_trial_wins_by_loss_where_accuracies_are_close():
    import types

    from _study_rows import best

    def trial(accuracy, loss):
        return [types.SimpleNamespace(accuracy=accuracy, loss=loss)] * 2

    trials = [trial(0.90, 0.3), trial(0.94, 0.5), trial(0.942, 0.8)]
    assert best(trials) == 1
    assert best([*trials, trial(0.95, float("nan"))]) == 3

"""Each check finds its planted fault, passes healthy models, and leaves no
trace."""

import json

import check_cases
import keras
import numpy as np
import pytest
from check_cases import HEALTHY, PLANTED
from keras import ops

from keras_regopt.diagnosis import Check, CheckCase, check, label_issues
from keras_regopt.diagnosis.checks import CHECKS, Skip

any_backend = pytest.mark.any_backend

# Those that compute gradients, or the model's outputs: on every backend.
WITH_GRADIENTS = {
    "logits_as_probabilities",
    "cut_off",
    "rate_too_high_sgd",
    "rate_too_low_adam",
    "no_way_back",
    "dead",
    "one_input_lost",
    "alike_rows",
}


def made(function, seed=0):
    keras.utils.set_random_seed(seed)
    return function(seed)


def run(case, checks):
    return check(case.model, case.x, case.y, checks=checks, **case.options)


def found(name):
    wanted, function = PLANTED[name]
    return run(made(function), [wanted]).of(wanted)


@pytest.mark.any_case
@pytest.mark.parametrize("name", sorted(WITH_GRADIENTS))
def test_finds_the_planted_fault_by_the_model(name):
    assert found(name)


@any_backend
@pytest.mark.parametrize("name", sorted(set(PLANTED) - WITH_GRADIENTS))
def test_finds_the_planted_fault(name):
    assert found(name)


def test_a_fault_is_planted_for_every_check():
    assert {name for name, _ in PLANTED.values()} == {c.name for c in CHECKS}


@pytest.mark.any_case
@pytest.mark.parametrize("name", ["table", "half"])
def test_a_healthy_model_passes(name):
    case = made(HEALTHY[name])
    result = run(case, "all")
    assert result.ok, result.text()


@any_backend
@pytest.mark.parametrize("name", sorted(set(HEALTHY) - {"table", "half"}))
def test_another_healthy_model_passes(name):
    result = run(made(HEALTHY[name]), "all")
    assert result.ok, result.text()


@any_backend
@pytest.mark.parametrize(("name", "seed"), [("table", 0), ("normalized", 0)])
def test_a_trained_healthy_model_passes_too(name, seed):
    case = made(check_cases.TRAINED[f"{name}_trained"], seed)
    result = run(case, ["slices", "calibration", "units", "gradients"])
    assert result.ok, result.text()
    assert not result.skipped


@any_backend
def test_statistics_that_lag_behind_are_no_false_sureness():
    case = made(check_cases.TRAINED["residual_trained"], 103)
    result = run(case, ["slices", "calibration"])
    assert result.ok, result.text()
    (found,) = result.findings
    assert "the moving statistics of batch normalization lag" in found.evidence
    assert "the moving statistics" in result.skipped["slices"]


def everything(model):
    """All state of a model, its optimizer and the generators, as arrays."""
    variables = [
        *model.variables,
        *model.optimizer.variables,
        *model.metrics_variables,
    ]
    arrays = [np.array(ops.convert_to_numpy(v)) for v in variables]
    flags = [v.trainable for v in model.variables]
    return [*arrays, flags, np.random.get_state()[1], model.stop_training]


# Those that do not train are the same on every backend.
TRAINING = ("one_batch", "learning_rate", "gradients", "batch_size")


@pytest.mark.parametrize(
    "cls",
    [
        pytest.param(c, marks=[] if c.name in TRAINING else any_backend)
        for c in CHECKS
    ],
    ids=lambda cls: cls.name,
)
def test_a_check_leaves_the_model_as_it_was(cls):
    # With batch statistics, seeds, momentum and a metric.
    case = made(check_cases.normalized)
    if cls.name in ("signal", "label_noise", "mismatch", "leakage", "data"):
        # Of the data alone.
        case.x, case.y = case.x[:200], case.y[:200]
    case.model.compile(
        keras.optimizers.Adam(0.5),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    case.model.train_on_batch(case.x[:32], case.y[:32])
    rate = case.model.optimizer.learning_rate
    before = everything(case.model)
    run(case, [cls.name])
    for old, new in zip(before, everything(case.model), strict=True):
        np.testing.assert_array_equal(old, new)
    assert float(case.model.optimizer.learning_rate) == float(rate)


@any_backend
def test_a_training_goes_on_as_if_there_had_been_no_check():
    def weights(checked):
        case = made(check_cases.mlp)
        case.model.compile(
            keras.optimizers.Adam(
                keras.optimizers.schedules.ExponentialDecay(1e-3, 10, 0.9)
            ),
            "sparse_categorical_crossentropy",
        )
        for _ in range(2):
            case.model.fit(case.x[:96], case.y[:96], verbose=0)
            if checked:
                run(case, ["one_batch", "learning_rate", "gradients"])
        return case.model.get_weights()

    for one, other in zip(weights(False), weights(True), strict=True):
        np.testing.assert_array_equal(one, other)


class Always(Check):
    name = "always"

    def run(self, case):
        yield self.finding("It is so.", "Let it be.", "note")
        yield self.finding("It is bad.", "Mend it.")
        yield self.finding("It is worst.", "Mend it first.", "error")


class Never(Check):
    name = "never"

    def run(self, case):
        raise Skip("it never applies")


@any_backend
def test_the_result_tells_the_worst_first_in_every_form():
    case = made(check_cases.table)
    result = run(case, [Always(), "frozen", Never])
    severities = [f.severity for f in result.findings]
    assert severities == ["error", "warning", "note"]
    assert not result.ok
    assert result.passed == ("frozen",)
    assert result.skipped == {"never": "it never applies"}
    assert repr(result) == (
        "<CheckResult of 2 checks: 1 error, 1 warning, 1 note>"
    )
    text = str(result)
    assert "ERROR: always\n  It is worst.\n  -> Mend it first." in text
    assert "not run: never (it never applies)" in text
    assert all(len(line) <= 80 for line in text.split("\n"))
    assert "<td>It is bad.</td>" in result._repr_html_()
    assert json.loads(json.dumps(result.as_dict()))["ok"] is False
    assert set(result.seconds) == {"always", "frozen", "never"}


@any_backend
def test_bad_arguments_are_refused():
    case = made(check_cases.table)
    model, x, y = case.model, case.x, case.y
    with pytest.raises(ValueError, match="Did you mean 'gradients'"):
        check(model, x, y, checks=["gradient"])
    with pytest.raises(ValueError, match="`checks` of check"):
        check(model, x, y, checks="gradients")
    with pytest.raises(ValueError, match="`dev` of check"):
        check(model, x, y, dev=x)
    with pytest.raises(ValueError, match="`groups` of check"):
        check(model, x, y, groups=y)
    with pytest.raises(ValueError, match="`groups` of check"):
        check(model, x, y, dev=(x, y), groups=y[:5])
    with pytest.raises(ValueError, match="`batch_size` of check"):
        check(model, x, y, batch_size=0)
    with pytest.raises(ValueError, match="of the length of `x`"):
        check(model, x, y[:4])
    with pytest.raises(ValueError, match="must be compiled"):
        check(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]), x)
    with pytest.raises(ValueError, match="`labels` of label_issues"):
        label_issues(np.array([0.5]), np.ones((1, 2)))
    with pytest.raises(ValueError, match="`probabilities` of label_issues"):
        label_issues(np.array([0, 3]), np.ones((2, 2)))


@any_backend
@pytest.mark.parametrize("seed", [0, 1])
def test_flipped_labels_of_digits_are_found(seed):
    x, y = check_cases.digits()
    noisy, rows = check_cases.flipped(y, 0.05, seed)
    case = CheckCase(
        made(check_cases.mlp).model, x, noisy, None, None, 32, seed
    )
    from keras_regopt.diagnosis.checks.labels import out_of_fold

    guessed, numbers = out_of_fold(case)
    issues = case.rows[label_issues(numbers, guessed)]
    hits = len(np.intersect1d(issues, rows))
    assert hits >= 0.8 * len(issues)
    assert hits >= 0.8 * len(rows)

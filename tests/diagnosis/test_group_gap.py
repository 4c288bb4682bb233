import keras
import numpy as np
import pytest

from keras_regopt.diagnosis import GroupGap

pytestmark = pytest.mark.any_backend

RANDOM = np.random.default_rng(0)
GROUP = RANDOM.integers(0, 3, 60)
POSITIVE = RANDOM.integers(0, 2, 60)
PROBABILITY = RANDOM.uniform(size=60).astype("float32")
LABEL = RANDOM.integers(0, 4, 60)
SCORES = RANDOM.normal(size=(60, 4)).astype("float32")


def by_group(name, y_true, y_pred, **arguments):
    metric = GroupGap(name, groups=3, **arguments)
    metric.update_state(y_true, y_pred, group=GROUP)
    return keras.ops.convert_to_numpy(metric.by_group())


def mean_of_groups(values, chosen=True):
    return [np.mean(values[(g == GROUP) & chosen]) for g in range(3)]


PREDICTED = PROBABILITY > 0.5
RATES = {
    "accuracy": mean_of_groups(PREDICTED == POSITIVE),
    "positive_rate": mean_of_groups(PREDICTED),
    "false_positive_rate": mean_of_groups(PREDICTED, POSITIVE == 0),
    "false_negative_rate": mean_of_groups(~PREDICTED, POSITIVE == 1),
    "squared_error": mean_of_groups((PROBABILITY - POSITIVE) ** 2),
    "absolute_error": mean_of_groups(abs(PROBABILITY - POSITIVE)),
}


@pytest.mark.parametrize("name", RATES)
def test_values_are_those_of_each_group_by_itself(name):
    expected = RATES[name]
    for shape in ((60,), (60, 1)):
        values = by_group(
            name, POSITIVE.reshape(shape), PROBABILITY.reshape(shape)
        )
        np.testing.assert_allclose(values, expected, rtol=1e-5)


def test_accuracy_takes_classes_as_numbers_and_one_hot():
    expected = mean_of_groups(SCORES.argmax(axis=1) == LABEL)
    one_hot = np.eye(4)[LABEL]
    for labels in (LABEL, LABEL[:, None], one_hot):
        values = by_group("accuracy", labels, SCORES)
        np.testing.assert_allclose(values, expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["accuracy", "absolute_error"])
def test_the_worst_group_has_the_lowest_score_or_the_highest_error(name):
    results = {}
    for report in ("worst", "best", "gap"):
        metric = GroupGap(name, groups=3, report=report)
        metric.update_state(POSITIVE, PROBABILITY, group=GROUP)
        assert metric.name == f"{report}_{name}"
        results[report] = float(metric.result())
    ranked = sorted(RATES[name], reverse=name == "accuracy")
    assert results["best"] == pytest.approx(ranked[0])
    assert results["worst"] == pytest.approx(ranked[-1])
    assert results["gap"] == pytest.approx(abs(ranked[0] - ranked[-1]))


def test_a_group_without_examples_is_left_out():
    metric = GroupGap("accuracy", groups=4)
    y = np.array([1, 1, 0])
    metric.update_state(y, np.array([0.9, 0.1, 0.2]), group=[0, 2, -1])
    assert float(metric.result()) == 1.0
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(metric.by_group()), [1, np.nan, 0, np.nan]
    )


def test_logits_have_another_threshold():
    logits = np.log(PROBABILITY / (1 - PROBABILITY))
    values = by_group("positive_rate", POSITIVE, logits, threshold=0)
    np.testing.assert_allclose(values, RATES["positive_rate"], rtol=1e-6)


def test_a_rate_of_two_classes_is_refused_for_more():
    with pytest.raises(ValueError, match="`metric` of GroupGap must be"):
        by_group("false_positive_rate", LABEL, SCORES)


@pytest.mark.parametrize(
    ("name", "value"),
    [("metric", "auc"), ("groups", 1), ("report", "mean"), ("threshold", "a")],
)
def test_bad_arguments_are_refused(name, value):
    with pytest.raises(ValueError, match=f"`{name}` of GroupGap must be"):
        GroupGap(**{name: value})

"""What a notebook shows of results: figures and shapes, no arrays."""

import json

import numpy as np
import pytest

from keras_regopt.callbacks.rates.range_test import RangeTest
from keras_regopt.diagnosis import split
from keras_regopt.tuning._results import CrossValidationResults

pytestmark = pytest.mark.any_backend


def test_a_split_shows_shapes():
    parts = split(np.zeros((100, 3), "float32"), {"a": np.arange(100)})
    html = parts._repr_html_()
    assert html.startswith("<table>")
    assert html.count("<tr>") == 4
    assert "<td>train</td><td>60</td>" in html
    assert "&lt;float32 array of shape (60, 3)&gt;" in html
    assert "&lt;int64 array of shape (20,)&gt;" in html
    assert repr(parts) == (
        "Split("
        + ", ".join(
            f"{name}=Part(x=<float32 array of shape ({size}, 3)>, "
            f"y={{'a': <int64 array of shape ({size},)>}})"
            for name, size in (("train", 60), ("dev", 20), ("test", 20))
        )
        + ")"
    )


def test_a_range_test_shows_what_it_suggests():
    rates = 10.0 ** np.linspace(-5, 0, 101)
    test = RangeTest(rates, (np.log10(rates) + 2) ** 2, smoothing=0.0)
    assert repr(test) == (
        "RangeTest(steps=101, rates=1e-05 to 1, method='valley', "
        "suggestion=0.000501)"
    )
    assert "<td>suggestion</td><td>0.000501</td>" in test._repr_html_()
    assert repr(RangeTest([], [])) == "RangeTest(steps=0)"
    assert repr(RangeTest([0.1], [1.0])).startswith("RangeTest(steps=1, ")


def test_the_results_of_a_search_are_a_table():
    results = CrossValidationResults(
        {
            "trial_id": str(i),
            "hyperparameters": {"rate": 0.125, "kind": "<L1>"},
            "mean": 0.5,
            "std": 0.25,
            "standard_error": 0.125,
            "scores": [0.25, 0.75],
            "best_epochs": [1, 2],
            "epochs": 2,
        }
        for i in range(2)
    )
    html = results._repr_html_()
    assert html.count("<tr>") == 3
    assert "<td>0.5 ± 0.12</td><td>0.25, 0.75</td>" in html
    assert "<td>&lt;L1&gt;</td>" in html
    assert json.loads(json.dumps(results)) == results

import importlib
import json

import keras
import pytest
from sklearn.datasets import load_digits

from keras_regopt.diagnosis import diagnose, split
from keras_regopt.diagnosis._steps import next_steps

pytestmark = pytest.mark.any_backend


def test_as_dict_is_json_and_holds_what_the_text_says():
    result = diagnose(
        {"accuracy": [0.5, *[0.99] * 29], "val_accuracy": [0.5, *[0.89] * 29]},
        reference=0.005,
    )
    shown = json.loads(json.dumps(result.as_dict(), allow_nan=False))
    assert shown["verdict"] == "high variance"
    assert shown["values"]["variance"] == pytest.approx(0.1)
    assert shown["values"]["avoidable_bias"] == pytest.approx(0.005)
    assert len(shown["curves"]["epoch"]) == 30
    text = str(result)
    assert text == result.text()
    for words in ("high variance", "10.0 %", "0.5 %", *shown["reasons"]):
        assert words in " ".join(text.split())
    for step in shown["steps"]:
        for name in step["uses"]:
            assert name in text
    assert max(map(len, text.split("\n"))) <= 80


def test_every_class_that_is_advised_exists():
    verdicts = ["high bias", "high variance", "fits"]
    verdicts += ["high bias and high variance"]
    options = {"falling": True, "rising": True, "noisy": True}
    steps = [s for v in verdicts for s in next_steps(v, **options)]
    for cause in ("diverged", "no dev", "short", "no reference"):
        steps += next_steps("undecided", cause=cause)
    names = {name for step in steps for name in step.uses}
    assert len(names) > 12
    for name in names:
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name


def train(x, y, dev, units, epochs):
    model = keras.Sequential(
        [
            *(keras.layers.Dense(n, activation="relu") for n in units),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.01),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model.fit(
        x,
        y,
        batch_size=64,
        epochs=epochs,
        validation_data=dev,
        validation_batch_size=360,
        verbose=0,
    )


def test_a_large_net_on_100_digits_has_high_variance():
    x, y = load_digits(return_X_y=True)
    (x, y), dev, _ = split(x / 16, y, stratify=True)
    history = train(x[:100], y[:100], dev, [128, 128], 20)
    assert diagnose(history).verdict == "high variance"


def test_a_net_of_one_unit_on_digits_has_high_bias():
    x, y = load_digits(return_X_y=True)
    (x, y), dev, _ = split(x / 16, y, stratify=True)
    history = train(x, y, dev, [1], 6)
    assert diagnose(history).verdict == "high bias"

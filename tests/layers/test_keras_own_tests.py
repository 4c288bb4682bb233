"""Keras' own tests of its random layers, run as a whole against ours."""

import unittest

import pytest
from keras_versions import keras_test_module

from keras_regopt import layers

_FOLDER = "keras.src.layers.regularization"
CASES = {
    "dropout_test.DropoutTest": ["Dropout"],
    "spatial_dropout_test.SpatialDropoutTest": [
        "SpatialDropout1D",
        "SpatialDropout2D",
        "SpatialDropout3D",
    ],
    "alpha_dropout_test.AlphaDropoutTest": ["AlphaDropout"],
    "gaussian_dropout_test.GaussianDropoutTest": ["GaussianDropout"],
    "gaussian_noise_test.GaussianNoiseTest": ["GaussianNoise"],
}


def outcome(case):
    module, name = case.split(".")
    test_case = getattr(keras_test_module(f"{_FOLDER}.{module}"), name)
    tests = unittest.defaultTestLoader.loadTestsFromTestCase(test_case)
    result = unittest.TestResult()
    tests.run(result)
    return result


# Keras' tests fit from generators, and nothing but the layer.
@pytest.mark.filterwarnings(
    "ignore:.*shuffle=True.*was passed",
    "ignore:The model does not have any trainable weights",
    "ignore:.*Gradients do not exist for variables",
)
@pytest.mark.parametrize("case", CASES)
def test_pass_with_ours_in_the_place_of_keras_layers(case, monkeypatch):
    for name in CASES[case]:
        ours = getattr(layers, name)
        monkeypatch.setattr(f"keras.src.layers.{name}", ours)
    result = outcome(case)
    problems = [text for _, text in result.errors + result.failures]
    assert not problems, "\n".join(problems)
    assert result.testsRun >= 2


@pytest.mark.any_backend
@pytest.mark.parametrize("case", CASES)
def test_fail_with_broken_ones_in_their_place(case, monkeypatch):
    def broken(*arguments, **options):
        raise NotImplementedError("ours was made")

    for name in CASES[case]:
        monkeypatch.setattr(f"keras.src.layers.{name}", broken)
    result = outcome(case)
    made = [text for _, text in result.errors if "ours was made" in text]
    # Where Keras expects an error, it gets one of another kind.
    assert len(made) == result.testsRun

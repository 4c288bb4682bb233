"""The messages that docs/troubleshooting.md quotes are those that come."""

import pathlib
import re
import warnings

import keras
import numpy as np
import pytest

import keras_regopt as kr

pytestmark = pytest.mark.any_backend

PAGE = pathlib.Path(__file__).parent.parent / "docs" / "troubleshooting.md"


def words(text):
    """A text without marks, so that lines and quotes do not matter."""
    return " ".join(re.sub(r"[`>']", "", text).split())


def quoted(message):
    """Whether a message's first sentences stand on the page."""
    page = words(PAGE.read_text())
    return words(message) in page


def model(outputs=3):
    return keras.Sequential(
        [keras.Input((8,)), keras.layers.Dense(outputs, "softmax")]
    )


def fit(y, loss, optimizer="sgd", **kwargs):
    net = model()
    net.compile(optimizer, loss)
    return net.fit(np.ones((32, 8)), y, verbose=0, **kwargs)


IMAGES = np.linspace(0, 1, 8 * 8 * 8 * 3).reshape(8, 8, 8, 3)
LABELS = np.arange(32) % 3
RATE = keras.optimizers.schedules.CosineDecay(0.1, 10)
ERRORS = {
    "lr": lambda: kr.optimizers.Adam(lr=0.1),
    "misspelled": lambda: kr.optimizers.Adam(learning_rte=1),
    "range": lambda: kr.regularizers.GroupLasso(rate=-1),
    "integers": lambda: fit(LABELS, "categorical_crossentropy"),
    "vectors": lambda: fit(
        np.eye(3)[LABELS], "sparse_categorical_crossentropy"
    ),
    "labels": lambda: kr.augmentation.MixUp()(
        {"images": IMAGES, "labels": np.arange(8)}, training=True
    ),
    "schedule": lambda: fit(
        LABELS,
        "sparse_categorical_crossentropy",
        keras.optimizers.SGD(RATE),
        callbacks=[keras.callbacks.LearningRateScheduler(lambda epoch: 0.1)],
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_the_error_comes_as_it_is_quoted(name):
    with pytest.raises((ValueError, TypeError)) as raised:
        ERRORS[name]()
    # What Keras adds around an error of a layer is not quoted.
    message = re.sub(r"\x1b\[\d*m", "", str(raised.value))
    message = message.partition(".call().\n")[2] or message
    # Nor are the remedies in it.
    first = message.strip().split(". Set ")[0].split(" If you need ")[0]
    assert quoted(first)


@pytest.mark.parametrize(
    ("call", "start"),
    [
        (kr.augmentation.MixUp(), "MixUp mixes these images, but not"),
        (model(1), "You are using a softmax over axis -1 of a tensor of shape"),
    ],
)
def test_the_warning_comes_as_it_is_quoted(call, start):
    x = IMAGES if isinstance(call, kr.augmentation.MixUp) else np.ones((32, 8))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call(x, training=True)
    assert any(start in str(warning.message) for warning in caught)
    assert quoted(start)


def test_the_missing_dev_errors_are_told_as_quoted():
    history = {"accuracy": [0.1, 0.2, 0.3, 0.4]}
    verdict = str(kr.diagnosis.diagnose(history))
    sentence = "There are no dev errors, so that variance cannot be told."
    assert sentence in " ".join(verdict.split())
    assert quoted(sentence)

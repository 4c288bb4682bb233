"""Pictures of sound and of texts, taken apart again."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_regopt.augmentation import visualize

NUMBERS = np.random.default_rng(0)


def marks(axes):
    """The words of a picture, by how they are marked."""
    found = {None: [], "new": [], "gone": []}
    for text in axes.texts:
        found[text.get_gid()].append(text.get_text())
    return found


def tone(frequency, time=1600):
    return np.sin(2 * np.pi * frequency * np.arange(time) / 8000)


@pytest.mark.any_backend
def test_a_clip_is_its_waveform_over_its_spectrogram():
    audio = np.stack([tone(1000), tone(3000)]).astype("float32")
    data = {"audio": audio, "lengths": np.array([1600, 800])}

    def halved(data):
        return {**data, "audio": 0.5 * data["audio"]}

    figure = visualize(halved, data, draws=1)
    assert len(figure.axes) == 4
    for axes, at in zip(figure.axes[::2], (0.25, 0.75), strict=True):
        (picture,) = axes.get_images()
        levels = np.asarray(picture.get_array()).mean(axis=1)
        assert abs(levels.argmax() / (len(levels) - 1) - at) < 0.05
        np.testing.assert_allclose(picture.get_array().max(), 0, atol=0.1)
    softer = figure.axes[1]
    # Both of a row have one scale: half the amplitude is 6 dB less.
    np.testing.assert_allclose(
        softer.get_images()[0].get_array().max(), -6.02, atol=0.1
    )
    heights = [np.ptp(a.get_lines()[0].get_ydata()) for a in figure.axes[:2]]
    np.testing.assert_allclose(heights[1], heights[0] / 2, rtol=1e-3)
    # Only where a clip ends before the others, there is a line.
    assert [len(a.get_lines()) for a in figure.axes] == [1, 1, 2, 2]
    assert figure.axes[2].get_lines()[1].get_xdata()[0] == 800


@pytest.mark.any_backend
def test_silence_and_channels_can_be_drawn(tmp_path):
    path = tmp_path / "silence.png"
    silence = np.zeros((1, 100, 2), "float32")
    visualize(lambda x: x, {"audio": silence}, draws=1, path=path)
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.any_backend
def test_spectrograms_have_low_frequencies_below():
    data = {"spectrograms": NUMBERS.uniform(-80, 0, (2, 9, 5))}
    figure = visualize(lambda x: x, data, draws=1, value_range=(-80, 0))
    (picture,) = figure.axes[0].get_images()
    np.testing.assert_array_equal(
        picture.get_array(), data["spectrograms"][0].T
    )
    assert picture.origin == "lower"
    assert picture.get_clim() == (-80, 0)


@pytest.mark.any_backend
def test_tokens_that_changed_are_marked_and_padding_is_not_shown():
    data = {
        "token_ids": np.array([[5, 6, 7, 8, 0], [5, 9, 0, 0, 0]]),
        "padding_mask": np.array([[1, 1, 1, 1, 0], [1, 1, 0, 0, 0]]),
    }

    def changed(data):
        ids = np.array([[5, 3, 7, 0, 0], [5, 9, 4, 0, 0]])
        return {**data, "token_ids": ids, "padding_mask": ids > 0}

    vocabulary = ["<pad>", "a", "b", "$c$", "d", "five", "six"]
    figure = visualize(changed, data, draws=1, vocabulary=vocabulary)
    found = [marks(axes) for axes in figure.axes]
    assert found[0][None] == ["five", "six", "7", "8"]
    assert found[1] == {
        None: ["five", "7"],
        "new": [r"\$c\$"],
        "gone": ["8"],
    }
    assert found[3] == {None: ["five", "9"], "new": ["d"], "gone": []}
    assert len(figure.axes[1].get_lines()) == 1


@pytest.mark.any_backend
def test_words_that_changed_are_marked_and_lines_are_broken(tmp_path):
    def louder(data):
        texts = tf.strings.regex_replace(data["texts"], "plain", "LOUD")
        return {**data, "texts": texts}

    text = "a plain text of " + " ".join(["many"] * 20) + " " + "x" * 60
    data = {"texts": np.array([text, ""]), "labels": np.array([1, 0])}
    path = tmp_path / "texts.png"
    figure = visualize(louder, data, draws=1, path=path)
    first, second = figure.axes[:2]
    assert first.get_title() == "1"
    assert marks(first)["new"] == []
    assert marks(second)["new"] == ["LOUD"]
    assert marks(second)["gone"] == []
    rows = {text.get_position()[1] for text in second.texts}
    assert len(rows) > 3
    ends = [t.get_position()[0] + len(t.get_text()) for t in second.texts]
    assert max(ends) <= second.get_xlim()[1]
    assert marks(figure.axes[2])[None] == []


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("data", "arguments", "message"),
    [
        (
            {"audio": np.zeros(9)},
            {},
            r"`audio` of visualize must be a batch of audio of rank 2 or 3. "
            r".*write `x\[None\]`",
        ),
        (
            {"audio": np.zeros((1, 9))},
            {"value_range": (0, 1)},
            "`value_range` of visualize must be None for audio",
        ),
        (
            {"texts": np.array(["a"])},
            {"vocabulary": ["a"]},
            "`vocabulary` of visualize must be None for texts",
        ),
        (
            {"audio": np.zeros((1, 9)), "texts": np.array(["a"])},
            {},
            "a batch or a dict with 'images'",
        ),
    ],
)
def test_arguments_of_another_kind_are_refused(data, arguments, message):
    with pytest.raises(ValueError, match=message):
        visualize(lambda x: x, data, draws=1, **arguments)


@pytest.mark.any_backend
def test_what_becomes_another_kind_of_data_is_refused():
    mel = keras.layers.MelSpectrogram(64, 32)
    data = {"audio": np.zeros((1, 640), "float32")}
    with pytest.raises(ValueError, match="must be one that returns audio"):
        visualize(lambda x: {"audio": mel(x["audio"])}, data, draws=1)

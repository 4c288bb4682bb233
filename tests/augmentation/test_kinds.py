"""The base and the containers serve sound and text as they serve images."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_regopt.augmentation import (
    Apply,
    AudioAugmentation,
    Choice,
    Compose,
    RandomInvert,
    SpectrogramAugmentation,
    StringAugmentation,
    TokenAugmentation,
    map_dataset,
)
from keras_regopt.augmentation._lengths import within

CLIPS = np.random.default_rng(0).uniform(-0.5, 0.5, (4, 50)).astype("float32")
IDS = np.array([[5, 6, 7, 8, 0, 0], [3, 4, 5, 6, 7, 8]], "int32")


class Louder(AudioAugmentation):
    """Doubles what is valid."""

    def sample(self, shape, seed):
        (draw,) = self.uniforms(1, shape[0], seed)
        return {"draw": draw}

    def apply(self, inputs, parameters):
        ops = self.ops
        inside = within(parameters["lengths"], ops.shape(inputs)[1])
        factor = 1 + ops.cast(inside, inputs.dtype)
        return inputs * factor[..., None]


class Reverse(AudioAugmentation):
    """Reverses the time of all clips."""

    targets = frozenset({"targets"})

    def sample(self, shape, seed):
        return {}

    def apply(self, inputs, parameters):
        return self.ops.flip(inputs, axis=1)


class Half(AudioAugmentation):
    """Keeps the first half."""

    targets = frozenset({"targets", "lengths"})
    acts_in_inference = True

    def sample(self, shape, seed):
        return {}

    def inference_parameters(self, shape):
        return {}

    def output_length(self, length):
        return None if length is None else length // 2

    def apply(self, inputs, parameters):
        return inputs[:, : self.output_length(self.ops.shape(inputs)[1])]

    def apply_to_lengths(self, lengths, parameters, shape):
        return self.ops.minimum(lengths, self.output_length(shape[1]))


class Shift(TokenAugmentation):
    """Drops the first token that is free."""

    targets = frozenset({"padding_mask", "segment_ids", "token_labels"})

    def sample(self, shape, seed):
        return {}

    def resolve(self, inputs, parameters, context):
        ops = self.ops
        free = ops.cast(self.free(inputs, context), "int32")
        first = ops.cast(ops.argmax(free, axis=1), "int32")[:, None]
        place = ops.arange(inputs.shape[1], dtype="int32")[None]
        source = ops.where(place < first, place, place + 1)
        source = ops.where(source < inputs.shape[1], source, -1)
        return {**parameters, "source": source}


class Shout(StringAugmentation):
    """Upper case."""

    def sample(self, shape, seed):
        return {}

    def apply(self, inputs, parameters):
        return tf.strings.upper(inputs)


def numbers(x):
    return keras.ops.convert_to_numpy(x)


def test_audio_has_channels_for_apply_alone():
    layer = Louder()
    np.testing.assert_allclose(numbers(layer(CLIPS)), 2 * CLIPS)
    np.testing.assert_allclose(numbers(layer(CLIPS[0])), 2 * CLIPS[0])
    stereo = np.stack([CLIPS, -CLIPS], axis=-1)
    np.testing.assert_allclose(
        numbers(Louder(channels=True)(stereo)), 2 * stereo
    )


def test_lengths_are_honoured_and_change_along_a_chain():
    data = {"audio": CLIPS, "lengths": np.array([50, 30, 10, 0])}
    output = Compose([Half(), Louder()])(data)
    assert numbers(output["lengths"]).tolist() == [25, 25, 10, 0]
    factors = numbers(output["audio"]) / CLIPS[:, :25]
    np.testing.assert_allclose(factors.sum(axis=1), [50, 50, 35, 25], rtol=1e-5)
    assert (
        output["lengths"].dtype
        == keras.ops.convert_to_tensor(data["lengths"]).dtype
    )


def test_targets_move_in_time_and_stay_as_loud():
    data = {"audio": CLIPS, "targets": CLIPS / 2}
    for layer in (Compose([Louder(), Reverse()]), Choice([Reverse()])):
        output = layer(data)
        np.testing.assert_allclose(
            numbers(output["targets"]), CLIPS[:, ::-1] / 2
        )


@pytest.mark.parametrize("lengths", [None, [50, 50, 20, 20]])
def test_a_choice_takes_each_clip_through_one_layer(lengths):
    layer = Choice([Louder(), Reverse()], seed=1)
    clips = np.repeat(CLIPS[:1], 64, axis=0)
    data = {"audio": clips}
    if lengths is not None:
        data["lengths"] = np.full(64, 20)
    output = numbers(layer(data)["audio"])
    valid = 50 if lengths is None else 20
    factor = np.where(np.arange(50) < valid, 2, 1)
    louder = np.isclose(output, clips * factor).all(axis=1)
    turned = np.isclose(output, clips[:, ::-1]).all(axis=1)
    assert (louder ^ turned).all()
    assert 16 <= louder.sum() <= 48


def test_a_container_without_training_changes_the_length_alone():
    layer = Compose([Louder(), Half()])
    output = layer({"audio": CLIPS, "lengths": [50] * 4}, training=False)
    np.testing.assert_array_equal(numbers(output["audio"]), CLIPS[:, :25])
    assert numbers(output["lengths"]).tolist() == [25] * 4
    assert layer.compute_output_shape((None, 50)) == (None, 25)


def test_integers_need_their_range():
    samples = np.array([[0, 100, -32768, 32767]], "int16")
    with pytest.raises(ValueError, match=r"x / 32768"):
        Louder()(samples)
    layer = Louder(value_range=(-32768, 32768))
    assert numbers(layer(samples)).tolist() == [[0, 200, -32768, 32767]]


@pytest.mark.any_backend
def test_channels_in_front_are_refused():
    with pytest.raises(ValueError, match="transpose"):
        Louder(channels=True)(np.zeros((2, 1, 16000), "float32"))
    with pytest.raises(ValueError, match="rank 1, or 2"):
        Louder()(np.zeros((2, 1, 16000), "float32"))


@pytest.mark.any_backend
def test_samples_of_16_bits_as_floats_are_warned_of():
    with pytest.warns(UserWarning, match="value_range"):
        Louder()(CLIPS * 32768)


@pytest.mark.any_backend
def test_a_key_that_is_nearly_one_is_warned_of():
    with pytest.warns(UserWarning, match="'length' .* 'lengths'"):
        Louder()({"audio": CLIPS, "length": np.array([1, 2, 3, 4])})


def test_tokens_and_what_belongs_to_them_move_together():
    data = {
        "token_ids": IDS,
        "padding_mask": IDS > 0,
        "segment_ids": IDS * 10,
        "token_labels": IDS * 100,
        "labels": np.array([1, 0]),
    }
    output = Compose([Shift(special_ids=[5]), Shift()])(data)
    expected = [[5, 8, 0, 0, 0, 0], [5, 6, 7, 8, 0, 0]]
    # The first text loses 6, then 5; the second 3, then 4.
    expected[0] = [7, 8, 0, 0, 0, 0]
    assert numbers(output["token_ids"]).tolist() == expected
    expected = np.array(expected)
    np.testing.assert_array_equal(numbers(output["padding_mask"]), expected > 0)
    for key, factor in (("segment_ids", 10), ("token_labels", 100)):
        np.testing.assert_array_equal(numbers(output[key]), expected * factor)
    assert numbers(output["labels"]).tolist() == [1, 0]
    spared = Apply(Shift(), rate=0.0)(data)
    np.testing.assert_array_equal(numbers(spared["token_ids"]), IDS)


@pytest.mark.any_backend
def test_ids_are_integers():
    with pytest.raises(ValueError, match="must be integers"):
        Shift()(IDS.astype("float32"))


def test_strings_pass_through_tf_data_on_every_backend():
    texts = ["ab", "", "é"]
    dataset = tf.data.Dataset.from_tensor_slices((texts, [0, 1, 2]))
    layer = Compose([Shout(), Shout()])
    for ds in (
        map_dataset(dataset, layer),
        map_dataset(dataset.batch(2), layer).unbatch(),
        map_dataset(dataset, Choice([Shout(), Shout()])),
    ):
        found = [(x.numpy().decode(), int(y)) for x, y in ds]
        assert found == [("AB", 0), ("", 1), ("é", 2)]


@pytest.mark.skipif(
    keras.backend.backend() == "tensorflow", reason="It has strings"
)
def test_strings_outside_of_tf_data_are_refused():
    with pytest.raises(ValueError, match="Map the layer over"):
        Shout()(["a"])


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="Has no strings"
)
def test_strings_are_taken_in_every_form():
    layer = Shout()
    assert layer("ab", training=True).numpy() == b"AB"
    assert layer(["ab", "c"]).numpy().tolist() == [b"AB", b"C"]
    assert layer(np.array(["ab"])).numpy().tolist() == [b"AB"]
    assert layer(tf.zeros((0,), "string")).shape == (0,)
    output = layer({"texts": ["a"], "labels": [3]})
    assert output["texts"].numpy().tolist() == [b"A"]
    assert layer("ab", training=False).numpy() == b"ab"
    spared = Shout(rate=0.0)(["ab"])
    assert spared.numpy().tolist() == [b"ab"]
    model = keras.Sequential([layer])
    assert model(tf.constant(["ab"]), training=True).numpy() == [b"AB"]


@pytest.mark.any_backend
def test_containers_hold_one_kind():
    for layers in (
        [Louder(), RandomInvert()],
        [Louder(), Louder(channels=True)],
        [Shift(), Shout()],
    ):
        with pytest.raises(ValueError, match="one kind of data"):
            Compose(layers)
    with pytest.raises(ValueError, match="data_format"):
        Compose([Louder()], data_format="channels_last")
    with pytest.raises(ValueError, match="additional_targets"):
        Choice([Louder()], additional_targets=["other"])


@pytest.mark.any_backend
def test_several_sample_rates_are_warned_of():
    first, second = Louder(), Louder()
    first.sample_rate, second.sample_rate = 8000, 16000
    with pytest.warns(UserWarning, match="sample_rate"):
        Compose([first, second])


class Brighter(SpectrogramAugmentation):
    """Adds the number of the bin where the frame is valid."""

    def sample(self, shape, seed):
        return {}

    def apply(self, inputs, parameters):
        bins = self.ops.arange(inputs.shape[2], dtype=inputs.dtype)
        inside = within(parameters["lengths"], inputs.shape[1])
        return inputs + bins * self.ops.cast(inside, inputs.dtype)[..., None]


def test_spectrograms_have_their_bins_first_or_last():
    x = np.zeros((2, 5, 3), "float32")
    data = {"spectrograms": x, "lengths": np.array([5, 2])}
    output = numbers(Compose([Brighter()])(data)["spectrograms"])
    np.testing.assert_array_equal(output[0], [[0, 1, 2]] * 5)
    assert output[1].sum() == 6
    data["spectrograms"] = x.swapaxes(1, 2)
    layer = Compose([Brighter(bins_first=True)])
    turned = numbers(layer(data)["spectrograms"])
    np.testing.assert_array_equal(turned, output.swapaxes(1, 2))
    with pytest.raises(ValueError, match="bins_first"):
        Compose([Brighter(), Brighter(bins_first=True)])


@pytest.mark.any_backend
def test_a_dataset_tells_by_the_shape_what_goes_with_the_data():
    pairs = tf.data.Dataset.from_tensor_slices((CLIPS, CLIPS / 2)).batch(4)
    _, y = next(iter(map_dataset(pairs, Compose([Reverse()]))))
    np.testing.assert_allclose(y, CLIPS[:, ::-1] / 2)
    pairs = tf.data.Dataset.from_tensor_slices((IDS, IDS * 100)).batch(2)
    x, y = next(iter(map_dataset(pairs, Shift())))
    np.testing.assert_array_equal(y, x * 100)
    labels = tf.data.Dataset.from_tensor_slices((CLIPS, [0, 1, 2, 3])).batch(4)
    _, y = next(iter(map_dataset(labels, Reverse())))
    assert y.numpy().tolist() == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="'targets', 'lengths'"):
        map_dataset(labels, Reverse(), targets="keypoints")
    scores = tf.data.Dataset.from_tensor_slices((CLIPS, CLIPS[..., None]))
    with pytest.raises(ValueError, match="what must move along"):
        map_dataset(scores, Reverse())

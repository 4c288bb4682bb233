import keras
import numpy as np
import pytest

from keras_regopt.constraints import cost, shrink
from keras_regopt.layers import DropBlock2D, StochasticDepth
from keras_regopt.testing._backend import to_numpy

layers = keras.layers


def randomized(model, seed=0):
    """Gives every weight of a model a value, statistics included."""
    random = np.random.default_rng(seed)
    for w in model.weights:
        value = random.normal(size=w.shape)
        w.assign(np.abs(value) + 0.5 if "variance" in w.name else value)
    return model


def without(model, name, units, bias=None):
    """Makes zero what enters some units of a layer."""
    layer = model.get_layer(name)
    kernel = keras.ops.convert_to_numpy(layer.kernel).copy()
    kernel[..., units] = 0
    layer.kernel.assign(kernel)
    if bias is not None:
        values = keras.ops.convert_to_numpy(layer.bias).copy()
        values[units] = bias
        layer.bias.assign(values)


def sequential(*stack, shape):
    return randomized(keras.Sequential([keras.Input(shape), *stack]))


def assert_same_outputs(model, small):
    shape = model.input_shape[1:]
    x = np.random.default_rng(1).normal(size=(5, *shape)).astype("float32")
    np.testing.assert_allclose(
        to_numpy(small(x)),
        to_numpy(model(x)),
        rtol=1e-5,
        atol=1e-5,
    )


@pytest.mark.any_backend
def test_takes_constant_units_up_into_the_next_bias():
    model = sequential(
        layers.Dense(6, "sigmoid", name="first"),
        layers.Dense(5, "tanh", name="second"),
        layers.Dense(3, "softmax", name="third"),
        shape=(4,),
    )
    without(model, "first", [1, 4])
    without(model, "second", [0])
    small = shrink(model)
    assert [layer.units for layer in small.layers] == [4, 4, 3]
    assert_same_outputs(model, small)
    assert cost(small).parameters == 4 * 4 + 4 + 4 * 4 + 4 + 4 * 3 + 3


@pytest.mark.any_backend
def test_removes_units_that_nothing_uses():
    model = sequential(
        layers.Dense(6, "relu", name="first"),
        layers.Dense(3, name="second"),
        shape=(4,),
    )
    layer = model.get_layer("second")
    kernel = keras.ops.convert_to_numpy(layer.kernel).copy()
    kernel[[0, 5]] = 0
    layer.kernel.assign(kernel)
    small = shrink(model)
    assert small.layers[0].units == 4
    assert_same_outputs(model, small)


@pytest.mark.any_backend
def test_follows_what_becomes_constant_by_what_was_removed():
    model = sequential(
        layers.Dense(4, "relu", name="first"),
        layers.Dense(4, "relu", name="second"),
        layers.Dense(2, name="third"),
        shape=(3,),
    )
    # Behind constant units alone, all units are constant.
    without(model, "first", [0, 1, 2, 3], bias=1.0)
    small = shrink(model)
    # One must be left.
    assert [layer.units for layer in small.layers] == [1, 1, 2]
    assert_same_outputs(model, small)


@pytest.mark.any_case
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_cuts_filters_through_a_convolutional_net(data_format):
    if (
        data_format == "channels_first"
        and keras.backend.backend() == "tensorflow"
    ):
        pytest.skip(reason="TensorFlow has no such convolutions on a CPU")
    image = (9, 8, 2) if data_format == "channels_last" else (2, 9, 8)
    form = {"data_format": data_format}
    axis = -1 if data_format == "channels_last" else 1
    model = sequential(
        layers.Conv2D(6, 3, name="first", use_bias=False, **form),
        layers.BatchNormalization(axis=axis),
        layers.ReLU(),
        layers.MaxPooling2D(2, **form),
        layers.Dropout(0.5),
        DropBlock2D(0.1, block_size=2, **form),
        StochasticDepth(0.1),
        layers.Conv2D(5, 2, name="second", activation="elu", **form),
        layers.Flatten(**form),
        layers.Dense(3),
        shape=image,
    )
    without(model, "first", [0, 3, 5])
    without(model, "second", [1])
    small = shrink(model)
    assert small.get_layer("first").filters == 3
    assert small.get_layer("second").filters == 4
    assert_same_outputs(model, small)


@pytest.mark.any_backend
@pytest.mark.parametrize(("bias", "left"), [(0.0, 3), (-1.0, 3), (1.0, 5)])
def test_keeps_a_constant_that_the_border_would_show(bias, left):
    # With zero padding, the border sees less of a constant than the inside.
    model = sequential(
        layers.Conv2D(5, 3, activation="relu", padding="same", name="first"),
        layers.Conv2D(4, 3, padding="same"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(2),
        shape=(6, 6, 1),
    )
    without(model, "first", [0, 2], bias=bias)
    small = shrink(model)
    assert small.get_layer("first").filters == left
    assert_same_outputs(model, small)


def residual(use_bias=True):
    inputs = keras.Input((7, 7, 3))
    x = layers.Conv2D(4, 3, padding="same", name="stem")(inputs)
    branch = layers.Conv2D(6, 3, activation="relu", name="inside")(x)
    branch = layers.ZeroPadding2D(1)(branch)
    branch = layers.Conv2D(4, 1, name="outside")(branch)
    merged = layers.Add()([x, branch])
    joined = layers.Concatenate()([merged, x])
    pooled = layers.GlobalMaxPooling2D()(joined)
    outputs = layers.Dense(2, use_bias=use_bias)(pooled)
    return randomized(keras.Model(inputs, outputs))


@pytest.mark.any_backend
def test_removes_a_channel_from_all_terms_of_a_sum_or_none():
    model = residual()
    without(model, "stem", [1, 2])
    without(model, "outside", [2, 3])
    without(model, "inside", [0, 5], bias=-1.0)
    small = shrink(model)
    # Channel 1 is needed by the branch's term, channel 3 by the stem's.
    assert small.get_layer("stem").filters == 3
    assert small.get_layer("outside").filters == 3
    assert small.get_layer("inside").filters == 4
    assert_same_outputs(model, small)


@pytest.mark.any_backend
def test_keeps_a_constant_where_no_bias_can_take_it_up():
    model = residual(use_bias=False)
    without(model, "stem", [2])
    without(model, "outside", [2])
    small = shrink(model)
    assert small.get_layer("stem").filters == 4
    assert_same_outputs(model, small)


@pytest.mark.any_backend
def test_leaves_whole_what_enters_layers_that_mix_channels():
    inputs = keras.Input((5, 4))
    shared = layers.Dense(4, name="shared")
    x = layers.Dense(4, "relu", name="first")(inputs)
    x = shared(shared(x))
    x = layers.LayerNormalization()(layers.Dense(6, name="second")(x))
    x = layers.Dense(4, "softmax", name="third")(x)
    model = randomized(keras.Model(inputs, layers.Dense(2)(x)))
    for name in ("first", "shared", "second", "third"):
        without(model, name, [0, 1])
    small = shrink(model)
    for name in ("first", "shared", "second", "third"):
        assert small.get_layer(name).units == model.get_layer(name).units, name
    assert_same_outputs(model, small)


@pytest.mark.any_backend
def test_takes_a_tolerance_for_penalties_that_reach_no_zero():
    model = sequential(
        layers.Dense(6, "tanh", name="first"), layers.Dense(2), shape=(4,)
    )
    layer = model.get_layer("first")
    kernel = keras.ops.convert_to_numpy(layer.kernel).copy()
    kernel[:, :3] *= 1e-7
    layer.kernel.assign(kernel)
    assert shrink(model).layers[0].units == 6
    small = shrink(model, tolerance=1e-5)
    assert small.layers[0].units == 3
    assert_same_outputs(model, small)


@pytest.mark.any_backend
def test_leaves_the_model_as_it_is_and_tells_what_was_gained(capsys):
    model = sequential(
        layers.Dense(6, name="first"), layers.Dense(2), shape=(4,)
    )
    without(model, "first", [0])
    before = model.get_weights()
    small = shrink(model, verbose=True)
    for old, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, now)
    printed = capsys.readouterr().out
    assert str(cost(model)) in printed
    assert str(cost(small)) in printed
    assert [layer.name for layer in small.layers] == [
        layer.name for layer in model.layers
    ]


class Subclassed(keras.Model):
    def call(self, inputs):
        return inputs


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("model", "arguments", "name"),
    [
        (Subclassed, {}, "model"),
        (keras.Sequential, {}, "model"),
        (residual, {"tolerance": -1}, "tolerance"),
        (residual, {"verbose": "yes"}, "verbose"),
    ],
)
def test_refuses_what_it_cannot_shrink(model, arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of shrink must be"):
        shrink(model(), **arguments)


@pytest.mark.any_backend
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("multiplier", [1, 2])
@pytest.mark.parametrize("constant", [0.0, 0.5])
def test_goes_through_depthwise_convolutions(padding, multiplier, constant):
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(8, 3, activation="relu"),
            layers.DepthwiseConv2D(
                3,
                padding=padding,
                depth_multiplier=multiplier,
                activation="relu",
                bias_initializer="normal",
            ),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2),
        ]
    )
    kernel, bias = model.layers[0].get_weights()
    kernel[..., :3], bias[:3] = 0, constant
    model.layers[0].set_weights([kernel, bias])
    smaller = shrink(model)
    # A border of zeros makes another constant than zero vary.
    gone = 3 if padding == "valid" or constant == 0 else 0
    assert smaller.layers[0].filters == 8 - gone
    assert smaller.layers[1].bias.shape == ((8 - gone) * multiplier,)
    assert smaller.stopped_by == []
    x = np.random.default_rng(0).random((4, 8, 8, 3))
    np.testing.assert_allclose(
        smaller.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-5
    )


@pytest.mark.any_backend
def test_says_which_layers_keep_units_that_do_nothing():
    from keras_regopt.layers import L0

    first = layers.Dense(6, activation="relu")
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(4)], name="inner")
    model = keras.Sequential(
        [
            keras.Input((3,)),
            first,
            layers.LayerNormalization(name="stops"),
            L0(layers.Dense(4), per="weight", name="gates"),
            inner,
            layers.Dense(2),
        ]
    )
    assert shrink(model).stopped_by == []
    for layer in (first, model.get_layer("gates").layer, inner.layers[0]):
        kernel, bias = layer.get_weights()
        kernel[:, :2] = 0
        layer.set_weights([kernel, bias])
    assert shrink(model).stopped_by == ["stops", "gates", "inner"]

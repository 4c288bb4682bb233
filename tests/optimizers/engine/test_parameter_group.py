import copy

import keras
import numpy as np
import pytest
from against_keras import last_everywhere

from keras_regopt.optimizers import (
    SAM,
    AdamW,
    Lion,
    ParameterGroup,
    RAdam,
    layerwise_decay,
)

X = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
Y = X[:, :1]


def layers():
    return [
        keras.layers.Dense(3, name="hidden"),
        keras.layers.Dense(1, name="out"),
    ]


def sequential():
    return keras.Sequential([keras.Input((4,)), *layers()])


def functional():
    x = inputs = keras.Input((4,))
    for layer in layers():
        x = layer(x)
    return keras.Model(inputs, x)


@keras.saving.register_keras_serializable("test_parameter_group")
class Subclassed(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.parts = layers()

    def build(self, input_shape):
        for part in self.parts:
            part.build(input_shape)
            input_shape = part.compute_output_shape(input_shape)
        self.built = True

    def call(self, x):
        for part in self.parts:
            x = part(x)
        return x


def subclassed():
    model = Subclassed()
    model.build((None, 4))
    return model


def train(model, steps=1):
    model.fit(X, Y, batch_size=8, epochs=steps, shuffle=False, verbose=0)


def moved(model):
    """The names of the weights that a step moves."""
    before = [w.numpy().copy() for w in model.weights]
    train(model)
    return {
        "/".join(weight.path.split("/")[-2:])
        for weight, old in zip(model.weights, before, strict=True)
        if np.any(weight.numpy() != old)
    }


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "make", [sequential, functional, subclassed], ids=lambda f: f.__name__
)
def test_groups_hold_the_same_variables_before_and_after_a_reload(
    make, tmp_path
):
    model = make()
    groups = [ParameterGroup("hidden/.*|bias", learning_rate=0)]
    model.compile(RAdam(0.1, groups=groups), "mse")
    assert moved(model) == {"out/kernel"}
    model.save(tmp_path / "model.keras")
    reloaded = keras.saving.load_model(tmp_path / "model.keras")
    assert moved(reloaded) == {"out/kernel"}


def test_a_group_of_a_wrapped_optimizer_counts_too():
    model = sequential()
    groups = [ParameterGroup("hidden/.*", learning_rate=0)]
    model.compile(
        keras.optimizers.LossScaleOptimizer(RAdam(0.1, groups=groups)), "mse"
    )
    assert moved(model) == {"out/kernel", "out/bias"}


def test_excludes_variables_from_weight_decay():
    kernel, bias = (
        keras.Variable([2.0], name=name) for name in ("kernel", "bias")
    )
    optimizer = RAdam(
        0.5,
        weight_decay=0.1,
        groups=[ParameterGroup("bias", weight_decay=0)],
    )
    optimizer.apply([keras.ops.zeros((1,))] * 2, [kernel, bias])
    assert kernel.numpy() == pytest.approx([2.0 * (1 - 0.05)])
    assert bias.numpy() == pytest.approx([2.0])


def test_factors_of_several_groups_multiply():
    slow, plain = (keras.Variable([1.0], name=n) for n in ("slow", "plain"))
    optimizer = RAdam(
        0.1,
        weight_decay=1.0,
        groups=[
            ParameterGroup("slow", learning_rate=0.5, weight_decay=0.5),
            ParameterGroup(".*", learning_rate=0.2),
        ],
    )
    optimizer.apply([keras.ops.zeros((1,))] * 2, [slow, plain])
    assert slow.numpy() == pytest.approx([1 - 0.1 * 0.5 * 0.2 * 0.5])
    assert plain.numpy() == pytest.approx([1 - 0.1 * 0.2])


def test_a_factor_on_the_rate_is_like_an_optimizer_of_its_own():
    random = np.random.default_rng(1)
    steps = random.normal(size=(20, 2, 3)).astype("float32")
    slow, plain = (keras.Variable(np.ones(3), name=n) for n in "ab")
    alone = keras.Variable(np.ones(3))
    options = {"weight_decay": 0.1}
    both = RAdam(
        0.1, groups=[ParameterGroup("a", learning_rate=0.3)], **options
    )
    one = RAdam(0.03, **options)
    for step in steps:
        step = [keras.ops.convert_to_tensor(gradient) for gradient in step]
        both.apply(step, [slow, plain])
        one.apply(step[:1], [alone])
    np.testing.assert_allclose(slow.numpy(), alone.numpy(), rtol=1e-5)
    assert not np.allclose(slow.numpy(), plain.numpy())


@pytest.mark.any_backend
def test_warns_of_a_group_without_variables_and_lists_the_paths():
    optimizer = RAdam(groups=[ParameterGroup("kernle")])
    variable = keras.Variable([1.0], name="weight")
    with pytest.warns(UserWarning, match=r"'kernle'.*paths are: .*weight"):
        optimizer.apply([keras.ops.ones(1)], [variable])


def nested():
    """A net whose paths lose the names of its parts when it is loaded."""
    x = inputs = keras.Input((4,))
    for name in ("stem", "body"):
        dense = keras.layers.Dense(4, "tanh", name=f"{name}_dense")
        x = keras.Sequential([dense], name=name)(x)
    return keras.Model(inputs, keras.layers.Dense(1, name="head")(x))


@pytest.mark.parametrize(
    "make",
    last_everywhere(
        RAdam,
        AdamW,
        Lion,
        lambda **o: keras.optimizers.LossScaleOptimizer(RAdam(**o)),
        lambda **o: SAM(RAdam(**o)),
    ),
)
def test_groups_of_a_reloaded_model_are_those_that_it_was_saved_with(
    make, tmp_path
):
    model = nested()
    model.compile(make(groups=layerwise_decay(model, decay=0.1)), "mse")
    model.fit(X, Y, epochs=2, shuffle=False, verbose=0)
    paths = [v.path for v in model.trainable_variables]
    for _ in range(2):
        # The second file is written by a model that has lost the names.
        model.save(tmp_path / "model.keras")
        reloaded = keras.saving.load_model(tmp_path / "model.keras")
        for each in (model, reloaded):
            each.fit(X, Y, epochs=2, shuffle=False, verbose=0)
        for a, b in zip(model.weights, reloaded.weights, strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5)
        model = reloaded
    assert paths[0] != reloaded.trainable_variables[0].path


@pytest.mark.any_backend
def test_a_copy_has_the_factors_that_came_from_the_file(tmp_path):
    model = nested()
    groups = layerwise_decay(model, decay=0.1)
    model.compile(RAdam(groups=groups), "mse")
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "model.keras")
    optimizer = keras.saving.load_model(tmp_path / "model.keras").optimizer
    expected = [0.01] * 2 + [0.1] * 2 + [1.0] * 2
    for each in (optimizer, copy.deepcopy(optimizer)):
        assert each.rate_factors == pytest.approx(expected)


# Keras warns of its own optimizers, too: the file has no state.
@pytest.mark.filterwarnings("ignore:Skipping variable loading:UserWarning")
@pytest.mark.any_backend
def test_a_model_is_saved_before_its_optimizer_is_built(tmp_path):
    model = sequential()
    groups = [ParameterGroup("bias", learning_rate=0.5)]
    model.compile(RAdam(groups=groups), "mse")
    model.save(tmp_path / "model.keras")
    reloaded = keras.saving.load_model(tmp_path / "model.keras")
    assert reloaded.optimizer.groups[0].pattern == "bias"


def test_a_pattern_matches_whole_components_at_the_end_of_a_path():
    group = ParameterGroup("bias|gamma")
    assert group.matches("bias")
    assert group.matches("model/norm/gamma")
    assert not group.matches("model/pre_bias")
    assert not group.matches("bias/kernel")


def test_layerwise_decay_gives_each_layer_its_factor():
    groups = layerwise_decay(sequential(), decay=0.5)
    assert [(g.pattern, g.learning_rate) for g in groups] == [
        ("hidden/.*", 0.5),
        ("out/.*", 1.0),
    ]


def test_layerwise_decay_combines_with_an_exclusion_from_weight_decay():
    model = sequential()
    groups = [
        *layerwise_decay(model, decay=0.5),
        ParameterGroup("bias", weight_decay=0),
    ]
    optimizer = RAdam(0.1, weight_decay=0.1, groups=groups)
    model.compile(optimizer, "mse")
    optimizer.build(model.trainable_variables)
    decays = [
        optimizer.decay_of(getattr(v, "value", v))
        if keras.backend.backend() == "tensorflow"
        else optimizer.decay_of(v)
        for v in model.trainable_variables
    ]
    assert decays == [0.1, 0, 0.1, 0]


def test_layerwise_decay_goes_into_a_pretrained_model_below_a_head():
    x = inputs = keras.Input((4,))
    for name in ("stem", "block"):
        x = keras.layers.Dense(4, name=name)(x)
    backbone = keras.Model(inputs, x, name="backbone")
    inputs = keras.Input((4,))
    outputs = keras.layers.Dense(1, name="head")(backbone(inputs))
    groups = layerwise_decay(keras.Model(inputs, outputs), decay=0.5)
    assert [(g.pattern, g.learning_rate) for g in groups] == [
        ("stem/.*", 0.25),
        ("block/.*", 0.5),
        ("head/.*", 1.0),
    ]


@pytest.mark.any_backend
def test_layerwise_decay_refuses_names_that_cannot_tell_layers_apart():
    inner = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(4, name="out")], name="inner"
    )
    model = keras.Sequential([keras.Input((4,)), inner, *layers()])
    with pytest.raises(ValueError, match="Rename the layer"):
        layerwise_decay(model)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("model", "message"),
    [
        (3, "a Keras model or a list of regular expressions"),
        (keras.Sequential([keras.layers.Dense(1)]), "model.build"),
    ],
)
def test_layerwise_decay_refuses_what_has_no_layers(model, message):
    with pytest.raises(ValueError, match=message):
        layerwise_decay(model)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"pattern": 3}, "pattern"),
        ({"pattern": "("}, "pattern"),
        ({"pattern": "a", "learning_rate": -1}, "learning_rate"),
        ({"pattern": "a", "weight_decay": -1}, "weight_decay"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of ParameterGroup must be"):
        ParameterGroup(**arguments)


@pytest.mark.any_backend
def test_an_optimizer_refuses_what_is_no_list_of_groups():
    with pytest.raises(ValueError, match="`groups` of RAdam must be a list"):
        RAdam(groups=["bias"])

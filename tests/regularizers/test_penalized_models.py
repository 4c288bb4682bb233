"""What the penalties that need the inputs have in common."""

import copy

import keras
import numpy as np
import pytest
from small_net import LOSS, X, Y, compiled, layers, network, step

from keras_regopt.optimizers import SharpnessAwareModel
from keras_regopt.regularizers import (
    GradientPenalty,
    JacobianPenalty,
    MinDiff,
    RDrop,
    VirtualAdversarial,
)
from keras_regopt.testing._backend import data_parallel
from keras_regopt.testing._contract import NotApplicable
from keras_regopt.testing._samples import modes

GROUP = np.array([1, 0, 0, -1, 1, 0, 1, -1])


def penalties(model, rate=1.0):
    """The model, with each of the penalties, and what it trains on."""
    grouped = {"inputs": X, "group": GROUP}
    return {
        "jacobian": (lambda: JacobianPenalty(model(), rate, None), X),
        "gradient": (lambda: GradientPenalty(model(), rate), X),
        "virtual": (lambda: VirtualAdversarial(model(), rate, seed=0), X),
        "rdrop": (lambda: RDrop(model(), rate), X),
        "mindiff": (lambda: MinDiff(model(), rate, length=1.0), grouped),
    }


NAMES = list(penalties(None))
every_penalty = pytest.mark.parametrize("name", NAMES)


def penalized(name, *between, rate=1.0, **arguments):
    make, x = penalties(lambda: network(*between, **arguments), rate)[name]
    return make(), x


def numpy(values):
    return [keras.ops.convert_to_numpy(value) for value in values]


@pytest.mark.any_backend
@every_penalty
def test_more_passes_leave_statistics_regularizers_and_metrics_alone(name):
    def between():
        return [
            keras.layers.BatchNormalization(),
            keras.layers.ActivityRegularization(l2=0.1),
            keras.layers.Dropout(0.5, seed=1),
        ]

    regularized = {"kernel_regularizer": keras.regularizers.L2(0.1)}
    model, x = penalized(name, *between(), **regularized)
    plain = network(*between(), **regularized)
    logs = step(compiled(model, learning_rate=0.0), x)
    expected = step(compiled(plain, learning_rate=0.0))
    assert logs["accuracy"] == expected["accuracy"]
    assert logs["penalty"] > 0
    if name != "rdrop":
        # Its loss is the mean of both passes.
        np.testing.assert_allclose(
            logs["loss"] - logs["penalty"], expected["loss"], rtol=1e-5
        )
    states = zip(
        model.model.non_trainable_variables,
        plain.non_trainable_variables,
        strict=True,
    )
    for state, other in states:
        if name == "rdrop" and "seed" in state.path:
            assert int(state[1]) == 2 * int(other[1])
        else:
            np.testing.assert_allclose(*numpy((state, other)), rtol=1e-5)


@pytest.mark.any_backend
@every_penalty
def test_training_lowers_the_penalty(name):
    ends = []
    for rate in (1e-6, 10.0):
        dropout = keras.layers.Dropout(0.5, seed=1)
        between = [dropout] if name == "rdrop" else []
        model, x = penalized(name, *between, rate=rate)
        compiled(model, learning_rate=0.1)
        many = keras.tree.map_structure(lambda x: np.concatenate([x] * 20), x)
        step(model, many, np.tile(Y, 20))
        ends.append(step(model, x)["penalty"] / rate)
    assert ends[1] < 0.5 * ends[0]


@pytest.mark.any_case
@pytest.mark.parametrize(
    "name",
    [
        name
        if name in ("virtual", "mindiff")
        else pytest.param(name, marks=pytest.mark.any_training)
        for name in NAMES
    ],
)
def test_steps_are_the_same_compiled_or_not(name):
    losses = {}
    for mode in modes():
        model, x = penalized(name, keras.layers.BatchNormalization())
        compiled(model, 0.1, mode=mode)
        losses[mode] = model.fit(
            x, Y, epochs=3, shuffle=False, verbose=0
        ).history["loss"]
    if name == "virtual" and keras.backend.backend() == "tensorflow":
        # Compiled by TensorFlow, the same seed gives other numbers.
        assert np.all(np.isfinite(losses.pop("jit")))
    for mode in losses:
        np.testing.assert_allclose(losses[mode], losses["eager"], rtol=1e-4)


@pytest.mark.any_backend
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@every_penalty
def test_half_precision_gives_nearly_the_same_steps(name, policy):
    single, x = penalized(name)
    compiled(single, 0.1)
    expected = [step(single, x)["loss"] for _ in range(2)]
    keras.config.set_dtype_policy(policy)
    try:
        half, x = penalized(name)
        compiled(half, 0.1)
    finally:
        keras.config.set_dtype_policy("float32")
    scaled = isinstance(half.optimizer, keras.optimizers.LossScaleOptimizer)
    assert scaled == (policy == "mixed_float16")
    if scaled:
        half.optimizer.build(half.trainable_variables)
        half.optimizer.dynamic_scale.assign(2.0**7)
    losses = [step(half, x)["loss"] for _ in range(2)]
    np.testing.assert_allclose(losses, expected, rtol=0.05)
    assert losses[1] < losses[0]


@pytest.mark.any_case
@every_penalty
def test_a_reloaded_model_trains_on_as_one_that_was_never_saved(name, tmp_path):
    model, x = penalized(name, keras.layers.Dropout(0.2, seed=0), rate=0.5)
    compiled(model, 0.1)
    step(model, x)
    model.save(tmp_path / "model.keras")
    reloaded = keras.saving.load_model(tmp_path / "model.keras")
    assert reloaded.get_config() == model.get_config()
    for own, other in zip(model.variables, reloaded.variables, strict=True):
        if "seed" in own.path:
            # Keras does not save them.
            other.assign(keras.ops.copy(own))
    np.testing.assert_allclose(
        step(reloaded, x)["loss"], step(model, x)["loss"], rtol=1e-5
    )


@pytest.mark.any_backend
@every_penalty
def test_evaluation_is_that_of_the_model_within(name):
    model, x = penalized(name)
    compiled(model)
    plain = compiled(network())
    logs = step(model, x, validation_data=(X, Y))
    assert set(logs) == {
        *("accuracy", "loss", "penalty", "val_accuracy", "val_loss")
    }
    plain.set_weights(model.model.get_weights())
    expected = plain.evaluate(X, Y, verbose=0)
    np.testing.assert_allclose(
        model.evaluate(X, Y, verbose=0), expected, rtol=1e-5
    )
    np.testing.assert_allclose(logs["val_loss"], expected[0], rtol=1e-5)


@pytest.mark.any_backend
@every_penalty
def test_a_trained_model_keeps_no_tensor_and_copies(name):
    model, x = penalized(name, keras.layers.Dropout(0.5))
    compiled(model, mode=None)
    step(model, x)
    assert model.seeds_before.values == []
    copied = copy.deepcopy(model)
    np.testing.assert_allclose(
        copied.predict(X, verbose=0), model.predict(X, verbose=0)
    )


@pytest.mark.any_case
@every_penalty
def test_takes_a_model_of_a_class_that_is_built_while_it_trains(name):
    @keras.saving.register_keras_serializable("test_penalized_models")
    class Own(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = keras.layers.Dense(3, "softmax")
            self.dropout = keras.layers.Dropout(0.5)

        def call(self, inputs):
            return self.dropout(self.dense(inputs))

    make, x = penalties(Own)[name]
    logs = step(compiled(make()), x)
    assert np.isfinite(logs["loss"])


@pytest.mark.any_backend
def test_penalties_around_each_other_add_up():
    inner = network(keras.layers.Dropout(0.5, seed=1))
    parts = [
        lambda model: GradientPenalty(model, 0.5),
        lambda model: RDrop(model, 2.0),
        lambda model: JacobianPenalty(model, 0.3, projections=None),
    ]
    logs, model = [], inner
    for part in parts:
        model = part(model)
        for own in (part(inner), model):
            inner.layers[1].seed_generator.state.assign([1, 0])
            logs.append(step(compiled(own, learning_rate=0.0)))
    alone, together = logs[::2], logs[1::2]
    np.testing.assert_allclose(
        [n["penalty"] for n in together],
        np.cumsum([n["penalty"] for n in alone]),
        rtol=1e-5,
    )
    # RDrop takes the mean of two losses, also from within.
    np.testing.assert_allclose(
        together[2]["loss"] - together[2]["penalty"],
        alone[1]["loss"] - alone[1]["penalty"],
        rtol=1e-5,
    )


@pytest.mark.any_backend
@pytest.mark.parametrize("name", ["jacobian", "gradient"])
def test_several_inputs_count_as_one(name):
    a, b = keras.Input((2,), name="a"), keras.Input((3,), name="b")
    row = keras.Input((1,), dtype="int32", name="row")
    joined = network()(keras.layers.Concatenate()([a, b]))
    shift = keras.layers.Embedding(9, 3, embeddings_initializer="zeros")(row)
    outputs = keras.layers.Add()([joined, keras.layers.Flatten()(shift)])
    inner = keras.Model({"a": a, "b": b, "row": row}, outputs)
    make, _ = penalties(lambda: inner)[name]
    inputs = {"a": X[:, :2], "b": X[:, 2:], "row": np.ones((8, 1), "int32")}
    logs = step(compiled(make()), inputs)
    expected = step(compiled(penalized(name)[0]))
    np.testing.assert_allclose(logs["penalty"], expected["penalty"], rtol=1e-5)


@pytest.mark.any_backend
@pytest.mark.parametrize("name", ["jacobian", "gradient", "virtual"])
def test_inputs_without_a_slope_are_refused(name):
    inner = keras.Sequential(
        [
            keras.Input((4,), dtype="int32"),
            keras.layers.Embedding(9, 2),
            keras.layers.Flatten(),
            keras.layers.Dense(3, "softmax"),
        ]
    )
    make, _ = penalties(lambda: inner)[name]
    with pytest.raises(ValueError, match=r"of \['int32'\].*embedding"):
        step(compiled(make()), np.ones((8, 4), "int32"))


@pytest.mark.any_backend
def test_a_model_with_a_train_step_of_its_own_is_refused():
    with pytest.raises(ValueError, match="`train_step` of its own"):
        GradientPenalty(SharpnessAwareModel(network()))


def test_the_loss_is_asked_for():
    model = GradientPenalty(network(kernel_regularizer="l2"))
    compiled(model, loss=None)
    with pytest.raises(ValueError, match="needs a loss"):
        step(model)


@pytest.mark.any_case
# What TensorFlow's replicas share is the same for all of them.
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("jacobian", marks=pytest.mark.any_training),
        pytest.param("gradient", marks=pytest.mark.any_training),
        "rdrop",
    ],
)
def test_two_devices_make_the_steps_of_one(name):
    def train():
        model, x = penalized(name)
        model.compile(keras.optimizers.SGD(0.1), LOSS)
        model.fit(x, Y, epochs=2, shuffle=False, verbose=0)
        return model

    try:
        parallel = numpy(data_parallel(train).trainable_weights)
    except NotApplicable as reason:
        pytest.skip(str(reason))
    for ours, expected in zip(
        parallel, numpy(train().trainable_weights), strict=True
    ):
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("cls", "arguments", "name"),
    [
        (GradientPenalty, {"model": 3}, "model"),
        (GradientPenalty, {"rate": -1}, "rate"),
        (JacobianPenalty, {"projections": 0}, "projections"),
        (JacobianPenalty, {"seed": 0.5}, "seed"),
        (VirtualAdversarial, {"epsilon": 0}, "epsilon"),
        (VirtualAdversarial, {"xi": 0}, "xi"),
        (VirtualAdversarial, {"power_iterations": 0}, "power_iterations"),
        (VirtualAdversarial, {"from_logits": 1}, "from_logits"),
        (RDrop, {"from_logits": None}, "from_logits"),
        (MinDiff, {"kernel": "linear"}, "kernel"),
        (MinDiff, {"length": 0}, "length"),
    ],
)
def test_refuses_bad_arguments(cls, arguments, name):
    arguments = {"model": keras.Sequential(layers()), **arguments}
    with pytest.raises(ValueError, match=f"`{name}` of {cls.__name__} must be"):
        cls(**arguments)

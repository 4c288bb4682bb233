import keras
import numpy as np
import pytest
from against_keras import (
    COMPILED,
    MODES,
    arrays,
    assert_alike,
    assert_follows_keras,
    new_variables,
    random_arrays,
    step_function,
    train,
)
from keras_versions import multi_optimizer

from keras_regopt.optimizers import ParameterGroup
from keras_regopt.optimizers.algorithms.adafactor import Adafactor
from keras_regopt.optimizers.algorithms.adagrad import Adagrad
from keras_regopt.optimizers.algorithms.adam import Adam
from keras_regopt.optimizers.algorithms.adam_w import AdamW
from keras_regopt.optimizers.algorithms.adamax import Adamax
from keras_regopt.optimizers.algorithms.ftrl import Ftrl
from keras_regopt.optimizers.algorithms.lion import Lion
from keras_regopt.optimizers.algorithms.nadam import Nadam
from keras_regopt.optimizers.algorithms.rmsprop import RMSprop
from keras_regopt.optimizers.algorithms.sgd import SGD
from keras_regopt.testing._backend import data_parallel

ALL = [
    (SGD, {"momentum": 0.9}),
    (RMSprop, {"momentum": 0.9, "centered": True}),
    (Adagrad, {}),
    (Adam, {"amsgrad": True}),
    (AdamW, {}),
    (Adafactor, {}),
    (Adamax, {}),
    (Ftrl, {"l1_regularization_strength": 0.1}),
    (Lion, {}),
    (Nadam, {}),
]
# On every backend one that torch has a call for, one without, and the one whose
# state has other shapes; torch has all.
SOME = [
    pytest.param(
        *each,
        marks=[]
        if each[0] in (Adam, RMSprop, Adafactor)
        else pytest.mark.any_backend,
    )
    for each in ALL
]
on_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="only TensorFlow has it"
)


def keras_own(optimizer):
    """Keras' optimizer with the same arguments."""
    config = optimizer.get_config()
    for name in ("groups", "l1", "l2", "exclude", "lazy"):
        config.pop(name)
    cls = getattr(keras.optimizers, type(optimizer).__name__)
    return cls.from_config(config)


def through_store(source, target):
    store = {}
    source.save_own_variables(store)
    target.load_own_variables(store)


@pytest.mark.any_case
@pytest.mark.parametrize(
    "arguments",
    [
        {"clipnorm": 0.5},
        {"global_clipnorm": 1.0},
        {"clipvalue": 0.1},
        {"use_ema": True, "ema_overwrite_frequency": 3},
        {"gradient_accumulation_steps": 3, "weight_decay": 0.1},
        {"loss_scale_factor": 4.0},
    ],
)
def test_takes_the_base_arguments_of_keras(arguments):
    assert_follows_keras(Adam, COMPILED[-1], **arguments)


@pytest.mark.any_backend
@pytest.mark.parametrize("mode", MODES)
def test_follows_keras_under_a_schedule(mode):
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.5)
    own = AdamW(schedule)
    assert_alike(train(own, mode), train(keras_own(own)))


@pytest.mark.any_backend
def test_refuses_what_keras_refuses():
    with pytest.raises(ValueError, match="Only one of `clipnorm`"):
        Adam(clipnorm=1.0, clipvalue=1.0)
    with pytest.raises(ValueError, match="not recognized"):
        Adam(speed=2)


@pytest.mark.any_case
@pytest.mark.parametrize(("cls", "arguments"), SOME)
def test_goes_on_from_the_state_of_keras_and_back(cls, arguments):
    own = cls(0.01, **arguments)
    other = keras_own(own)
    variables = train(other, steps=5)
    copies = [keras.Variable(v) for v in arrays(variables)]
    own.build(copies)
    through_store(other, own)
    train(other, steps=5, variables=variables, first=5)
    train(own, "graph", steps=5, variables=copies, first=5)
    assert_alike(copies, variables)
    back = keras_own(own)
    back.build(copies)
    through_store(own, back)
    assert_alike(back.variables, own.variables, rtol=0, atol=0)


@pytest.mark.any_case
@pytest.mark.parametrize(("cls", "arguments"), [ALL[0], ALL[3]])
def test_reads_the_model_file_of_keras_and_the_reverse(
    cls, arguments, tmp_path
):
    def model_with(optimizer):
        model = keras.Sequential(
            [
                keras.Input((4,)),
                keras.layers.Dense(3, name="first"),
                keras.layers.Dense(2, name="second"),
            ]
        )
        model.compile(optimizer, "mse")
        return model

    x, y = np.ones((8, 4), "float32"), np.ones((8, 2), "float32")
    optimizers = [cls(0.01, **arguments), keras_own(cls(0.01, **arguments))]
    for source, target in (optimizers, reversed(optimizers)):
        trained = model_with(type(source).from_config(source.get_config()))
        trained.fit(x, y, epochs=3, verbose=0)
        trained.save(tmp_path / "trained.keras")
        reader = model_with(type(target).from_config(target.get_config()))
        reader.optimizer.build(reader.trainable_variables)
        reader.load_weights(tmp_path / "trained.keras")
        assert_alike(
            reader.optimizer.variables, trained.optimizer.variables, 0, 0
        )
        assert int(reader.optimizer.iterations) == 3
        losses = [
            m.fit(x, y, verbose=0).history["loss"] for m in (trained, reader)
        ]
        np.testing.assert_allclose(*losses, rtol=1e-5)


@pytest.mark.any_case
@pytest.mark.parametrize(("cls", "arguments"), SOME)
def test_leaves_variables_without_gradient_as_they_are(cls, arguments):
    own = cls(0.01, **arguments)
    weights = {}
    for optimizer in (own, keras_own(own)):
        weights[optimizer] = variables = new_variables()
        optimizer.build(variables)
        for subset in ([0, 1, 2, 3, 4], [1, 3, 4], [0]):
            some = [variables[i] for i in subset]
            # All variables of a stateless step have gradients.
            on_jax = keras.backend.backend() == "jax"
            step = step_function(
                optimizer, some, "eager" if on_jax else "graph"
            )
            for seed in range(3):
                step(
                    [
                        keras.ops.convert_to_tensor(random_arrays(seed)[i])
                        for i in subset
                    ]
                )
    assert_alike(*weights.values())


def test_stands_among_several_optimizers():
    def several(*optimizers):
        return multi_optimizer(lambda v: optimizers[int(v.name[-1]) % 2])

    ours, theirs = (
        several(o.Adam(0.01, weight_decay=0.1), o.SGD(0.01, momentum=0.9))
        for o in (Ours, keras.optimizers)
    )
    assert_alike(train(ours, COMPILED[-1]), train(theirs))


class Ours:
    Adam = Adam
    SGD = SGD


@pytest.mark.any_backend
@pytest.mark.parametrize("mode", COMPILED)
def test_overwrites_what_asks_to_be_overwritten(mode):
    variables = new_variables()
    variables[1].overwrite_with_gradient = True
    own = AdamW(0.01, l2=0.1)
    train(own, mode, steps=4, variables=variables)
    np.testing.assert_array_equal(arrays(variables)[1], random_arrays(3)[1])
    assert len(own.variables) == 2 + 2 * 4
    assert np.isfinite(float(own.penalty()))


@pytest.mark.any_case
@pytest.mark.parametrize(("cls", "arguments"), SOME)
def test_a_group_is_like_an_optimizer_of_its_own(cls, arguments):
    pattern = "weight_[024]"
    own = cls(
        0.01,
        **{**arguments, "weight_decay": 0.1},
        groups=[ParameterGroup(pattern, learning_rate=0.5, weight_decay=3)],
    )
    variables = train(own, "graph")
    expected = new_variables()
    for start, rate, decay in ((0, 0.005, 0.3), (1, 0.01, 0.1)):
        other = keras_own(cls(rate, **{**arguments, "weight_decay": decay}))
        for seed in range(20):
            gradients = [
                keras.ops.convert_to_tensor(g) for g in random_arrays(seed)
            ]
            other.apply(gradients[start::2], expected[start::2])
    assert_alike(variables, expected)


@pytest.mark.parametrize("mode", MODES)
def test_decays_no_variable_that_is_excluded_in_the_way_of_keras(mode):
    own = AdamW(0.01, weight_decay=0.5)
    other = keras_own(own)
    for optimizer in (own, other):
        optimizer.exclude_from_weight_decay(var_names=["weight_2"])
    assert_alike(train(own, mode), train(other))
    with pytest.raises(ValueError, match="before the optimizer is built"):
        own.exclude_from_weight_decay(var_names=["weight_3"])


def regularized_model(optimizer, regularizer=None, jit=False):
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(3, kernel_regularizer=regularizer, name="first"),
            keras.layers.Dense(
                2, kernel_regularizer=regularizer, name="second"
            ),
        ]
    )
    for i, weight in enumerate(model.weights):
        weight.assign(random_arrays(i)[3].ravel()[:1] + 0.1 * i + weight)
    model.compile(optimizer, "mse", jit_compile=jit)
    random = np.random.default_rng(0)
    x, y = random.normal(size=(32, 4)), random.normal(size=(32, 2))
    loss = model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    return model, loss.history["loss"][0]


@pytest.mark.any_case
@pytest.mark.parametrize(("cls", "arguments"), SOME)
def test_penalties_are_those_of_a_regularizer(cls, arguments):
    keras.utils.set_random_seed(0)
    ours, _ = regularized_model(
        cls(0.01, l1=0.05, l2=0.1, exclude="bias", **arguments)
    )
    keras.utils.set_random_seed(0)
    theirs, _ = regularized_model(
        keras_own(cls(0.01, **arguments)), keras.regularizers.L1L2(0.05, 0.1)
    )
    assert_alike(ours.weights, theirs.weights)
    value = keras.ops.stop_gradient(sum(theirs.losses))
    assert_alike([ours.optimizer.penalty()], [value])


@pytest.mark.any_backend
def test_the_rule_of_the_penalties_is_part_of_the_configuration():
    own = SGD(0.01, l2=0.1, exclude="weight_[01]")
    copy = SGD.from_config(own.get_config())
    assert (copy.l1, copy.l2, copy.exclude) == (0.0, 0.1, "weight_[01]")
    assert_alike(train(own), train(copy), 0, 0)


def test_the_penalty_needs_to_know_the_variables():
    with pytest.raises(ValueError, match="does not know the variables yet"):
        SGD(l2=0.1).penalty()


@pytest.mark.any_backend
@pytest.mark.parametrize(("cls", "arguments"), ALL)
def test_half_precision_stays_near_single(cls, arguments):
    single = train(cls(0.01, **arguments), "graph")
    variables = new_variables("bfloat16")
    optimizer = cls(0.01, **arguments)
    step = step_function(optimizer, variables, "graph")
    for seed in range(20):
        step(
            [
                keras.ops.convert_to_tensor(g, dtype="bfloat16")
                for g in random_arrays(seed)
            ]
        )
    for half, whole in zip(variables, single, strict=True):
        half = keras.ops.convert_to_numpy(keras.ops.cast(half, "float32"))
        # Twenty times half of a last digit, which is 1/64 of numbers up to 4.
        np.testing.assert_allclose(half, arrays([whole])[0], atol=0.16)
    dtypes = {
        keras.backend.standardize_dtype(v.dtype)
        for v in optimizer.variables[2:]
        # Nadam's product over the steps, and what stays zero in Adafactor.
        if v.name != "u_product" and "int" not in str(v.dtype)
    }
    assert dtypes == {"bfloat16"}


@pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="JAX computes singly by default"
)
def test_double_precision_follows_keras():
    own = Adam(0.01)
    weights = [new_variables("float64") for _ in range(2)]
    for optimizer, variables in zip(
        (own, keras_own(own)), weights, strict=True
    ):
        step = step_function(optimizer, variables, "graph")
        for seed in range(5):
            step(
                [
                    keras.ops.convert_to_tensor(g, dtype="float64")
                    for g in random_arrays(seed)
                ]
            )
    assert_alike(*weights)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "arguments",
    [{"l1": -0.1}, {"l2": "much"}, {"exclude": "("}, {"lazy": 1}],
)
def test_refuses_bad_arguments(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"`{name}` of Adam must be"):
        Adam(**arguments)


@on_tensorflow
def test_small_variables_have_their_state_together():
    own = Adam(0.01, groups=[ParameterGroup("weight_[12]", learning_rate=2)])
    train(own, steps=1)
    # Two groups of two small variables, and the large one.
    sizes = sorted(
        int(np.prod(v.shape)) for v in own._variables if v.path.count("flat")
    )
    assert sizes == [23, 23, 25, 25]
    assert [v.shape for v in own.variables[2::2]] == [
        v.shape for v in new_variables()
    ]


@on_tensorflow
def test_a_part_of_the_state_can_be_set():
    own = Adam(0.01)
    train(own, steps=1)
    before = arrays(own.variables)
    part = own.variables[6]
    part.assign(np.full(part.shape, 2.0))
    part.assign_add(np.ones(part.shape))
    after = arrays(own.variables)
    np.testing.assert_array_equal(after[6], 3.0)
    for i in (4, 5, 7, 8):
        np.testing.assert_array_equal(before[i], after[i])
    with pytest.raises(ValueError, match="has the shape"):
        part.assign(np.ones(7))


@on_tensorflow
def test_a_checkpoint_of_tensorflow_keeps_the_state(tmp_path):
    import tensorflow as tf

    own, fresh = Adam(0.01), Adam(0.01)
    variables = train(own, "graph", steps=3)
    path = tf.train.Checkpoint(optimizer=own).save(str(tmp_path / "step"))
    fresh.build(variables)
    tf.train.Checkpoint(optimizer=fresh).restore(path).expect_partial()
    assert_alike(fresh.variables, own.variables, 0, 0)


def parallel_model(cls, arguments):
    optimizer = cls(
        0.01,
        groups=[ParameterGroup("bias", learning_rate=2, weight_decay=0)],
        **{**arguments, "weight_decay": 0.1, "l2": 0.1, "clipnorm": 0.5},
    )
    keras.utils.set_random_seed(0)
    return regularized_model(optimizer)[0]


@pytest.mark.skipif(
    keras.backend.backend() == "torch", reason="needs two devices"
)
@pytest.mark.parametrize(
    ("cls", "arguments"),
    [
        # The contract compares the steps of each; what this adds are groups
        # and penalties. Torch skips the marked ones: `--everywhere` runs them.
        pytest.param(
            *case,
            marks=() if case[0] in (SGD, AdamW) else pytest.mark.any_backend,
        )
        for case in ALL
    ],
)
def test_replicas_make_the_same_steps_as_one(cls, arguments):
    parallel = data_parallel(lambda: parallel_model(cls, arguments))
    assert_alike(parallel.weights, parallel_model(cls, arguments).weights)

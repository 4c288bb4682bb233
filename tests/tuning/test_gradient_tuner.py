import keras
import numpy as np
import pytest

from keras_regopt.layers import Dropout
from keras_regopt.optimizers import SGD, Adam, Lion
from keras_regopt.regularizers import L2, SmoothedCrossentropy
from keras_regopt.tuning import GradientTuner, HyperParameter
from keras_regopt.tuning.gradient._training import batch_of, vector

any_backend = pytest.mark.any_backend


def strength(name="l2", value=1e-3):
    return HyperParameter(value, 1e-6, 1.0, name=name)


def build(rate=0.01, penalty=None, normalized=False):
    penalty = L2(strength()) if penalty is None else penalty
    layers = [
        keras.Input((4,)),
        keras.layers.Dense(8, "relu", kernel_regularizer=penalty),
        *([keras.layers.BatchNormalization()] if normalized else []),
        Dropout(HyperParameter(0.2, 0.01, 0.7, "logit"), seed=1),
        keras.layers.Dense(3, "softmax"),
    ]
    model = keras.Sequential(layers)
    model.compile(
        Adam(rate, weight_decay=0.01, clipnorm=1.0),
        SmoothedCrossentropy(HyperParameter(0.1, 0.01, 0.4, name="smoothing")),
    )
    return model


def build_linear(penalty=None, optimizer=None, loss="mse"):
    penalty = L2(strength()) if penalty is None else penalty
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(1, kernel_regularizer=penalty),
        ]
    )
    model.compile(SGD(0.05) if optimizer is None else optimizer, loss)
    return model


def data(count=24, seed=0):
    x = np.random.default_rng(seed).normal(size=(count, 4)).astype("float32")
    return x, (x[:, 0] > 0).astype("int32") + (x[:, 1] > 0)


def noise(count, seed):
    random = np.random.default_rng(seed)
    x = random.normal(size=(count, 4)).astype("float32")
    return x, random.normal(size=(count, 1)).astype("float32")


def test_a_step_is_that_of_fit():
    tuner = GradientTuner(lambda: build(normalized=True), data())
    training, model = tuner._training, tuner.model
    x, y = data(8, 1)
    state, _ = training.train(
        training.steps.state(),
        vector(tuner._first),
        *batch_of((x, y), np.arange(8)),
        keras.ops.convert_to_tensor(1.0, dtype="float32"),
    )
    # From the same state of the seeds.
    model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    for values, variables in (
        (state.weights, model.trainable_variables),
        (state.others, model.non_trainable_variables),
    ):
        for value, variable in zip(values, variables, strict=True):
            np.testing.assert_allclose(
                keras.ops.convert_to_numpy(value),
                keras.ops.convert_to_numpy(variable),
                rtol=1e-5,
                atol=1e-6,
                err_msg=variable.path,
            )
    assert int(model.optimizer.iterations) == int(state.count) == 1


def test_tunes_compares_and_leaves_a_model_that_trains_on(capsys):
    rate = HyperParameter(0.01, 1e-3, 0.1, name="rate")
    tuner = GradientTuner(
        lambda: build(HyperParameter(0.01, 1e-3, 0.1, name="rate")),
        data(16, 1),
        every=2,
    )
    history = tuner.fit(*data(), epochs=3, batch_size=8)
    assert "Epoch 3/3" in capsys.readouterr().out
    assert len(history["rate"]) == 1 + 9 // 2
    assert history["rate"][0] == pytest.approx(rate.value)
    assert all(len(set(history[n])) > 1 for n in ("rate", "l2", "smoothing"))
    assert np.isfinite(history["val_loss"]).all()
    found = {t.name: t.parameter.value for t in tuner._training.tuned}
    assert all(v == history[name][-1] for name, v in found.items())
    rows = tuner.compare(test_data=data(16, 2))
    names = ["tuned", "replayed", "last values", "cosine"]
    assert [row["name"] for row in rows[:4]] == names
    assert rows[0]["cost"] == 9 + 3 * 4
    assert "random search, 2 trials" in capsys.readouterr().out
    # The comparison has changed neither the model nor its values.
    assert {t.name: t.parameter.value for t in tuner._training.tuned} == found
    predictions = tuner.model.predict(data(16, 1)[0], verbose=0)
    loss = -np.log(predictions[np.arange(16), data(16, 1)[1]]).mean()
    # Without penalties and smoothing.
    assert history["val_loss"][-1] == pytest.approx(loss, rel=1e-5)
    tuner.model.fit(*data(), batch_size=8, verbose=0)


@any_backend
def test_a_strength_grows_where_there_is_noise_alone():
    tuner = GradientTuner(build_linear, noise(40, 1), every=1)
    history = tuner.fit(*noise(10, 0), epochs=60, batch_size=10, verbose=0)
    assert history["l2"][-1] > 10 * history["l2"][0]


@any_backend
@pytest.mark.parametrize("method", ["t1t2", "implicit", "forward"])
def test_every_method_moves_down_the_validation_loss(method):
    tuner = GradientTuner(
        lambda: build_linear(L2(strength(value=0.3))),
        # A target that the data give: no penalty is best.
        (noise(20, 1)[0], noise(20, 1)[0][:, :1]),
        method=method,
        every=2,
    )
    x = noise(20, 0)[0]
    history = tuner.fit(x, x[:, :1], epochs=20, batch_size=10, verbose=0)
    assert history["l2"][-1] < 0.1


@any_backend
def test_a_killed_training_goes_on_to_the_same_values(tmp_path):
    def tuner(directory):
        return GradientTuner(
            build, data(16, 1), every=2, directory=directory, seed=3
        )

    options = {"batch_size": 8, "verbose": 0}
    whole = tuner(None).fit(*data(), epochs=4, **options)
    tuner(tmp_path).fit(*data(), epochs=2, **options)
    again = tuner(tmp_path)
    assert again.fit(*data(), epochs=4, **options) == whole
    # Finished already.
    assert tuner(tmp_path).fit(*data(), epochs=4, **options) == whole
    other = GradientTuner(build, data(16, 1), every=3, directory=tmp_path)
    with pytest.raises(ValueError, match="another `every`: 2, now 3"):
        other.fit(*data(), **options)
    (tmp_path / "gradient_tuner.npz").write_bytes(b"half")
    with pytest.raises(ValueError, match="damaged"):
        tuner(tmp_path).fit(*data(), **options)


@any_backend
def test_the_path_is_a_schedule():
    tuner = GradientTuner(build_linear, noise(16, 1), every=2)
    tuner.fit(*noise(16, 0), epochs=3, batch_size=8, verbose=0)
    path, schedule = tuner.history["l2"], tuner.schedule("l2")
    # The steps 0 and 1 had the first value, and so on.
    for step in range(6):
        assert float(schedule(step)) == pytest.approx(path[step // 2])
    with pytest.raises(ValueError, match="`name` of GradientTuner"):
        tuner.schedule("l1")


@any_backend
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"build": 3}, "`build` .* a function"),
        ({"build": lambda: build_linear(L2(0.1))}, "has no HyperParameter"),
        (
            {"build": lambda: build_linear(optimizer=Lion(0.1))},
            "SGD, Adam, AdamW or RMSprop",
        ),
        (
            {"build": lambda: build_linear(optimizer=SGD(0.1, use_ema=True))},
            "without `use_ema`",
        ),
        (
            {"build": lambda: build_linear(optimizer=keras.optimizers.SGD())},
            "of keras_regopt",
        ),
        ({"build": lambda: keras.Sequential()}, "compiled model"),
        ({"method": "t2"}, "`method` .* one of 't1t2'"),
        ({"every": 0}, "`every` .* >= 1"),
        ({"hyper_learning_rate": 0}, "`hyper_learning_rate`"),
        ({"seed": -1}, "`seed`"),
        ({"validation_data": np.ones((3, 4))}, "a tuple"),
        ({"validation_data": (np.ones((3, 4)), np.ones(2))}, "one length"),
        ({"validation_data": (np.ones((3, 4)), None)}, "without None"),
    ],
)
def test_bad_arguments_are_refused(options, message):
    given = {
        "build": build_linear,
        "validation_data": noise(8, 1),
        **options,
    }
    with pytest.raises(ValueError, match=message):
        GradientTuner(**given)


@any_backend
def test_data_of_another_shape_are_refused():
    tuner = GradientTuner(build_linear, noise(8, 1))
    with pytest.raises(ValueError, match="of the validation data"):
        tuner.fit(np.ones((8, 5)), np.ones((8, 1)))
    with pytest.raises(RuntimeError, match="Call `fit`"):
        tuner.compare()


@any_backend
def test_two_of_one_name_are_refused_and_one_may_be_shared():
    def model(*penalties):
        layers = [
            keras.layers.Dense(1, kernel_regularizer=p) for p in penalties
        ]
        model = keras.Sequential([keras.Input((4,)), *layers])
        model.compile(SGD(0.1), "mse")
        return model

    with pytest.raises(ValueError, match=r"called \['l2'\]"):
        GradientTuner(
            lambda: model(L2(strength()), L2(strength())), noise(8, 1)
        )
    one = strength()
    tuner = GradientTuner(lambda: model(L2(one), L2(one)), noise(8, 1))
    assert list(tuner.fit(*noise(8, 0), verbose=0))[:1] == ["l2"]


@any_backend
def test_one_that_nothing_reads_is_refused():
    def frozen():
        model = keras.Sequential(
            [
                keras.Input((4,)),
                keras.layers.Dense(
                    4, kernel_regularizer=L2(strength()), trainable=False
                ),
                keras.layers.Dense(1),
            ]
        )
        model.compile(SGD(0.1), "mse")
        return model

    tuner = GradientTuner(frozen, noise(8, 1), every=1)
    with pytest.raises(ValueError, match="had no effect"):
        tuner.fit(*noise(8, 0), verbose=0)


@any_backend
def test_a_training_that_diverges_says_so():
    tuner = GradientTuner(
        lambda: build_linear(optimizer=SGD(1e30)), noise(8, 1), every=2
    )
    with pytest.raises(FloatingPointError, match=r"by \['l2'\] is not finite"):
        tuner.fit(*noise(8, 0), epochs=8, verbose=0)


@any_backend
def test_code_that_wants_a_number_is_refused():
    @keras.saving.register_keras_serializable("tests")
    class Hard(keras.regularizers.Regularizer):
        def __init__(self, rate):
            self.rate = rate

        def __call__(self, x):
            return float(self.rate) * keras.ops.sum(x)

    tuner = GradientTuner(
        lambda: build_linear(Hard(strength())), noise(8, 1), every=1
    )
    with pytest.raises(TypeError, match="Call it instead"):
        tuner.fit(*noise(8, 0), verbose=0)


@any_backend
def test_mixed_precision_trains():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        tuner = GradientTuner(build, data(16, 1), every=2)
        history = tuner.fit(*data(), epochs=2, batch_size=8, verbose=0)
        assert np.isfinite(history["l2"]).all()
        keras.config.set_dtype_policy("mixed_float16")
        with pytest.raises(ValueError, match="mixed_bfloat16"):
            GradientTuner(build, data(16, 1))
    finally:
        keras.config.set_dtype_policy("float32")

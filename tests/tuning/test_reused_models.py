"""Compiled models that serve several trials of a search."""

import keras
import keras_tuner
import numpy as np
import pytest
from sklearn.model_selection import ShuffleSplit

from keras_regopt import layers, optimizers, regularizers
from keras_regopt.tuning import AshaOracle, CrossValidationTuner, RandomOracle
from keras_regopt.tuning._reused_models import ReusedModels
from keras_regopt.tuning._structure import IncomparableError, structure_of

X = np.random.default_rng(0).normal(size=(24, 3)).astype("float32")
Y = X[:, :1] - 0.3 * X[:, 1:2]
FIT = {"epochs": 2, "batch_size": 8, "verbose": 0}
SPLIT = ShuffleSplit(1, test_size=8, random_state=0)


def compiled(*inner, optimizer="adam", loss="mse", **options):
    model = keras.Sequential([keras.Input((3,)), *inner])
    model.add(keras.layers.Dense(1, name="head"))
    model.compile(optimizer, loss, **options)
    return model


def build(hp):
    """A model with numbers of Keras' and of our own objects."""

    def number(name, low, high):
        return hp.Float(name, low, high, sampling="log")

    l1l2 = keras.regularizers.L1L2(
        number("l1", 1e-3, 0.1), number("l2", 1e-3, 0.1)
    )
    elastic = regularizers.ElasticNet(number("elastic", 1e-3, 0.1))
    return compiled(
        keras.layers.GaussianNoise(number("noise", 0.01, 0.3)),
        keras.layers.Dense(
            4, kernel_regularizer=l1l2, bias_regularizer=elastic
        ),
        layers.Dropout(number("rate", 0.1, 0.6)),
        optimizer=keras.optimizers.AdamW(
            number("learning_rate", 1e-3, 0.1),
            weight_decay=number("decay", 1e-3, 0.1),
        ),
    )


def build_own(hp):
    """A model with numbers of the objects that only this package has."""

    def penalty(name):
        cls = getattr(regularizers, name)
        return cls(hp.Float(name, 1e-3, 0.1, sampling="log"))

    def layer(name, low, high, **options):
        rate = hp.Float(name, low, high)
        return getattr(layers, name)(rate, **options)

    return compiled(
        keras.layers.Reshape((3, 1)),
        keras.layers.Dense(
            2,
            "sigmoid",
            kernel_regularizer=penalty("GroupLasso"),
            activity_regularizer=penalty("KLSparsity"),
        ),
        layer("WordDropout", 0.1, 0.6),
        layer("EmbeddingNoise", 0.1, 1.0),
        layer("GaussianDropout", 0.1, 0.6),
        layer("AlphaDropout", 0.1, 0.6),
        layer("VariationalDropout", 0.1, 0.6),
        layer("DropBlock1D", 0.1, 0.6, block_size=2),
        layer("StochasticDepth", 0.1, 0.6),
        keras.layers.Dense(
            2,
            kernel_regularizer=penalty("SparseGroupLasso"),
            activity_regularizer=penalty("ActivityL1"),
        ),
        keras.layers.Flatten(),
        optimizer=optimizers.Adam(
            hp.Float("learning_rate", 1e-3, 0.1, sampling="log")
        ),
    )


class CountingTuner(CrossValidationTuner):
    """Notes how often a loss had been traced by the end of each trial."""

    def run_trial(self, trial, **options):
        results = super().run_trial(trial, **options)
        self.counts.append(len(self.traces))
        return results


def test_one_compiled_model_gives_the_results_of_fresh_ones(
    tmp_path, monkeypatch
):
    traces = []
    compute_loss = keras.Model.compute_loss

    def counted(self, *args, **kwargs):
        traces.append(self)
        return compute_loss(self, *args, **kwargs)

    monkeypatch.setattr(keras.Model, "compute_loss", counted)
    # Each takes longer elsewhere; torch compiles nothing.
    trials = 20 if keras.backend.backend() == "jax" else 3
    tuner = CountingTuner(
        build,
        RandomOracle("val_loss", trials, seed=1),
        folds=SPLIT,
        directory=tmp_path,
        reuse_models=True,
    )
    tuner.traces, tuner.counts = traces, []
    tuner.search(X, Y, **FIT)
    results = {
        result["trial_id"]: result
        for result in tuner.cross_validation_results()
    }
    assert len(results) == trials
    compilations = [results[t]["compiled"] for t in tuner.oracle.start_order]
    if keras.backend.backend() == "torch":
        assert compilations == [1] * trials
    else:
        assert len(set(tuner.counts)) == 1
        assert compilations == [1] + [0] * (trials - 1)

    last = tuner.oracle.start_order[-1]
    [(train, val)] = SPLIT.split(X)
    keras.backend.clear_session(free_memory=False)
    keras.utils.set_random_seed(tuner.fold_seed(last, 0))
    model = build(tuner.oracle.trials[last].hyperparameters)
    losses = model.fit(
        X[train], Y[train], validation_data=(X[val], Y[val]), **FIT
    ).history["val_loss"]
    assert results[last]["mean"] == pytest.approx(min(losses), rel=1e-6)


def test_numbers_of_our_own_objects_are_variables():
    hps = []
    for _ in range(2):
        hp = keras_tuner.HyperParameters()
        build_own(hp)
        hp.values = {
            name: p.random_sample(seed=len(hps) + 1)
            for name, p in zip(hp.values, hp.space, strict=True)
        }
        hps.append(hp)

    def made(hp):
        keras.backend.clear_session(free_memory=False)
        keras.utils.set_random_seed(3)
        return build_own(hp)

    def losses(model):
        return [float(model.train_on_batch(X[:8], Y[:8])) for _ in range(2)]

    models = ReusedModels()
    first = models.instead_of(made(hps[0]), X)
    others = losses(first)
    trained = models.instead_of(made(hps[1]), X)
    if keras.backend.backend() != "torch":
        assert trained is first
    found = losses(trained)
    assert found == pytest.approx(losses(made(hps[1])), rel=1e-6)
    assert found != pytest.approx(others, rel=1e-2)


def test_each_structure_has_a_model_of_its_own():
    def made(units, rate):
        keras.backend.clear_session(free_memory=False)
        optimizer = keras.optimizers.SGD(rate)
        return compiled(keras.layers.Dense(units), optimizer=optimizer)

    models = ReusedModels()
    first, wide, again = made(2, 0.1), made(3, 0.1), made(2, 0.5)
    assert models.instead_of(first, X) is first
    assert models.instead_of(wide, X) is wide
    found = models.instead_of(again, X)
    if keras.backend.backend() == "torch":
        # Nothing is compiled there.
        assert found is again
        return
    assert found is first
    assert float(found.optimizer.learning_rate) == 0.5
    for own, other in zip(found.weights, again.weights, strict=True):
        np.testing.assert_array_equal(
            keras.ops.convert_to_numpy(own), keras.ops.convert_to_numpy(other)
        )
    assert models.compiled == 2
    # After an error, JAX's variables have no values.
    models.forget(first)
    last = made(2, 0.2)
    assert models.instead_of(last, X) is last


def test_a_model_without_an_input_is_built_as_in_fit():
    def made():
        keras.backend.clear_session(free_memory=False)
        model = keras.Sequential([keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        return model

    models = ReusedModels()
    first = models.instead_of(made(), X)
    second = models.instead_of(made(), X)
    assert (first is second) == (keras.backend.backend() != "torch")


def text_of(*inner, **options):
    text = structure_of(compiled(*inner, **options)).text
    # The layers of the next model get the same names.
    keras.backend.clear_session(free_memory=False)
    return text


@pytest.fixture(autouse=True)
def _names_begin_anew():
    keras.backend.clear_session(free_memory=False)


Dense, Dropout = keras.layers.Dense, keras.layers.Dropout
SGD = keras.optimizers.SGD


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "made",
    [
        lambda x: text_of(Dropout(x)),
        lambda x: text_of(layers.Dropout(x)),
        lambda x: text_of(layers.GaussianDropout(x)),
        lambda x: text_of(layers.AlphaDropout(x)),
        lambda x: text_of(layers.StochasticDepth(x)),
        lambda x: text_of(layers.GaussianNoise(x)),
        lambda x: text_of(keras.layers.GaussianNoise(x)),
        lambda x: text_of(Dense(2, kernel_regularizer=regularizers.L2(x))),
        lambda x: text_of(
            Dense(2, activity_regularizer=regularizers.ActivityL1(x))
        ),
        lambda x: text_of(
            Dense(2, kernel_regularizer=regularizers.GroupLasso(x))
        ),
        lambda x: text_of(
            Dense(2, activity_regularizer=keras.regularizers.L1(x))
        ),
        lambda x: text_of(optimizer=SGD(x)),
        lambda x: text_of(optimizer=optimizers.Adam(x)),
        lambda x: text_of(optimizer=SGD(0.1, weight_decay=x)),
        lambda x: text_of(optimizer=optimizers.AdamW(0.1, weight_decay=x)),
    ],
)
def test_a_number_is_no_part_of_the_structure(made):
    assert made(0.2) == made(0.3)


def shared(count):
    penalties = [keras.regularizers.L2(0.1) for _ in range(count)]
    first, last = penalties[0], penalties[-1]
    return [
        Dense(2, kernel_regularizer=first),
        Dense(2, kernel_regularizer=last),
    ]


def with_exclusion(*names):
    optimizer = SGD(0.1, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=list(names))
    return optimizer


def frozen(trainable):
    layer = Dense(2)
    layer.trainable = trainable
    return layer


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (lambda: text_of(Dense(2)), lambda: text_of(Dense(3))),
        (lambda: text_of(Dense(2)), lambda: text_of(Dense(2, "relu"))),
        # Keras computes with these in Python.
        (
            lambda: text_of(keras.layers.GaussianDropout(0.1)),
            lambda: text_of(keras.layers.GaussianDropout(0.2)),
        ),
        # Code that asks whether there is any dropout at all.
        (lambda: text_of(Dropout(0.0)), lambda: text_of(Dropout(0.1))),
        (
            lambda: text_of(optimizer=SGD(0.1, momentum=0.8)),
            lambda: text_of(optimizer=SGD(0.1, momentum=0.9)),
        ),
        (
            lambda: text_of(optimizer=SGD(0.1)),
            lambda: text_of(optimizer=SGD(0.1, weight_decay=0.1)),
        ),
        (lambda: text_of(loss="mse"), lambda: text_of(loss="mae")),
        (lambda: text_of(metrics=["mae"]), text_of),
        (lambda: text_of(jit_compile=True), text_of),
        (lambda: text_of(*shared(1)), lambda: text_of(*shared(2))),
        (lambda: text_of(frozen(True)), lambda: text_of(frozen(False))),
        # Neither is in the configuration.
        (
            lambda: text_of(optimizer=with_exclusion("kernel")),
            lambda: text_of(optimizer=with_exclusion("bias")),
        ),
    ],
)
def test_all_else_is_a_part_of_it(first, second):
    assert first() == first()
    assert first() != second()


class OwnLayer(keras.layers.Layer):
    def call(self, x):
        return 2 * x


class OwnModel(keras.Sequential):
    pass


def of_own_class():
    model = OwnModel([keras.Input((3,)), Dense(1)])
    model.compile("sgd", "mse")
    return model


def with_other_step():
    model = compiled()
    model.train_step = lambda *args: None
    return model


def own_loss(y, predicted):
    return keras.ops.mean(predicted)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (lambda: compiled(OwnLayer()), "code of OwnLayer"),
        (lambda: compiled(keras.layers.Lambda(own_loss)), "code of Lambda"),
        (lambda: compiled(keras.layers.Normalization()), "of Normalization"),
        (lambda: compiled(Dense(2, own_loss)), "code of function"),
        (lambda: compiled(loss=own_loss), "code of function"),
        (
            lambda: compiled(
                Dense(2, kernel_regularizer=regularizers.L2SP(0.1))
            ),
            "code of L2SP",
        ),
        (lambda: compiled(optimizer=optimizers.SAM("sgd")), "code of SAM"),
        (
            lambda: compiled(Dense(2, dtype="float64")),
            "computes in another dtype",
        ),
        (of_own_class, "it is a OwnModel"),
        (with_other_step, "`train_step` of"),
        (lambda: keras.Sequential([keras.Input((3,)), Dense(1)]), "compiled"),
        (lambda: keras.Sequential([Dense(1)]), "compiled"),
    ],
)
def test_code_that_nobody_knows_is_not_compared(made, reason):
    with pytest.raises(IncomparableError, match=reason):
        structure_of(made())


def test_the_user_hears_of_a_model_that_is_not_reused():
    if keras.backend.backend() == "torch":
        return
    models = ReusedModels()
    model = compiled(OwnLayer())
    with pytest.warns(UserWarning, match="the code of OwnLayer"):
        assert models.instead_of(model, X) is model
    # Once.
    assert models.instead_of(model, X) is model


def tuner_of(directory, hypermodel=build, oracle=None, **options):
    return CrossValidationTuner(
        hypermodel,
        oracle or RandomOracle("val_loss", 1),
        directory=directory,
        reuse_models=True,
        **options,
    )


@pytest.mark.any_backend
def test_what_goes_on_from_backups_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"`reuse_models` .* False with `save"):
        tuner_of(tmp_path, save_freq="epoch")
    oracle = AshaOracle("val_loss", max_epochs=2, min_epochs=1)
    with pytest.raises(ValueError, match=r"`reuse_models` .* False with Asha"):
        tuner_of(tmp_path, oracle=oracle)


@pytest.mark.any_backend
def test_what_may_change_the_model_is_refused(tmp_path):
    class Own(keras_tuner.HyperModel):
        def build(self, hp):
            return build(hp)

        def fit(self, hp, model, *args, **kwargs):
            return model.fit(*args, **kwargs)

    with pytest.raises(ValueError, match=r"`hypermodel` .* without a `fit`"):
        tuner_of(tmp_path, Own()).search(X, Y, **FIT)
    callback = keras.callbacks.LambdaCallback()
    with pytest.raises(ValueError, match=r"`callbacks` .* of these classes"):
        tuner_of(tmp_path).search(X, Y, callbacks=[callback], **FIT)

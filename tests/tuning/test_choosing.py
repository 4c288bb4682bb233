"""Classes and their arguments as hyperparameters."""

import keras
import keras_tuner
import numpy as np
import pytest

from keras_regopt import augmentation, layers, optimizers, regularizers
from keras_regopt import schedules as rates
from keras_regopt._registry import registered
from keras_regopt.tuning import (
    BayesianOracle,
    CrossValidationTuner,
    Nested,
    Options,
    RandomOracle,
    Range,
    TunableFit,
    choose,
    choose_augmentation,
    choose_dropout,
    choose_optimizer,
    choose_regularizer,
    choose_schedule,
    sweep,
)


def choose_all(hp):
    classes = [optimizers.AdamW, optimizers.SGD, optimizers.SAM]
    return (
        choose_optimizer(hp, classes),
        choose_regularizer(hp),
        choose_schedule(hp, 100),
        choose_augmentation(hp),
        choose_dropout(hp),
    )


@pytest.mark.any_backend
def test_one_build_declares_all_and_makes_what_is_chosen():
    space = keras_tuner.HyperParameters()
    choose_all(space)
    declared = len(space.space)
    oracle = RandomOracle(seed=0, hyperparameters=space)
    seen = set()
    for number in range(25):
        hp = space.copy()
        hp.values = oracle.populate_space(str(number))["values"]
        asked = dict(hp.values)
        oracle.trials[number] = keras_tuner.engine.trial.Trial(hp)
        made = choose_all(hp)
        # Nothing is added by a build, and nothing inactive is asked for.
        assert len(hp.space) == declared
        assert hp.values == asked
        for thing, name in zip(
            made,
            ("optimizer", "regularizer", "schedule", "augmentation", "dropout"),
            strict=True,
        ):
            assert asked[name] == (type(thing).__name__ if thing else "none")
            if thing is not None:
                keras.saving.serialize_keras_object(thing)
                own = f"{name}/{asked[name]}/"
                config = thing.get_config()
                for key, value in asked.items():
                    argument = key.removeprefix(own)
                    # The inner optimizer of SAM has a test of its own.
                    if key.startswith(own) and "inner" not in argument:
                        assert config[argument] == pytest.approx(value)
            seen.add(asked[name])
    assert {"SAM", "AdamW", "SGD", "none", "OneCycle", "RandAugment"} <= seen


@pytest.mark.any_backend
def test_a_wrapper_gets_the_chosen_object_inside():
    hp = keras_tuner.HyperParameters()
    hp.values = {
        "optimizer": "SAM",
        "optimizer/SAM/inner": "AdamW",
        "optimizer/SAM/inner/AdamW/learning_rate": 0.02,
        "optimizer/SAM/inner/AdamW/weight_decay": 0.03,
        "optimizer/SAM/rho": 0.07,
    }
    made = choose_optimizer(hp, [optimizers.SGD, optimizers.SAM])
    assert made.rho == 0.07
    assert type(made.inner) is optimizers.AdamW
    assert float(made.inner.weight_decay) == pytest.approx(0.03)


@pytest.mark.any_backend
def test_shared_and_fixed_arguments():
    hp = keras_tuner.HyperParameters()
    schedule = rates.CosineDecay(0.1, 10)
    made = choose_optimizer(hp, learning_rate=schedule)
    assert not any("learning_rate" in h.name for h in hp.space)
    assert made.get_config()["learning_rate"]["class_name"] == "CosineDecay"
    hp = keras_tuner.HyperParameters()
    classes = [optimizers.AdamW, optimizers.RAdam]
    choose(hp, classes, "a", shared=["learning_rate"], clipnorm=1.0)
    names = [h.name for h in hp.space]
    assert names == ["a", "a/learning_rate", "a/AdamW/weight_decay"]


@pytest.mark.any_backend
def test_the_defaults_of_the_constructors_are_those_of_the_space():
    hp = keras_tuner.HyperParameters()
    choose(hp, [optimizers.AdamW, layers.StochasticDepth], "a")
    assert hp.space[1].default == 0.001
    assert hp.space[3].default == 0.1


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Range(2.0, 1.0), "`high` of Range must be a number > 2.0"),
        (lambda: Range(0.0, 1.0, log=True), "`low` .* > 0.*has no 0"),
        (lambda: Range(0.5, 3, whole=True), "`low` of Range must be an int"),
        (lambda: Range(0, 1, log="yes"), "`log`"),
        (lambda: Range(0, float("nan")), "`high`"),
        (lambda: Options([1]), "`values` .* two or more"),
        (lambda: Options([1, "a"]), "`values` .* of one type"),
        (lambda: Options([1, 1]), "different from each other"),
        (lambda: Nested(["SGD"]), "`classes` .* a list of classes"),
        (
            lambda: choose({}, [optimizers.SGD], "a"),
            "`hp` of choose must be the HyperParameters",
        ),
    ],
)
def test_ranges_that_are_none_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classes": []}, "`classes` of choose"),
        ({"classes": ["SGD"]}, "`classes` of choose"),
        ({"classes": [optimizers.SGD] * 2}, "classes of different names"),
        ({"shared": ["momentum"]}, "`shared` .* each of the classes"),
        ({"wrong": 1}, "`wrong` of choose must be an argument of one"),
    ],
)
def test_bad_choices_are_refused(options, message):
    arguments = {
        "classes": [optimizers.SGD, optimizers.AdamW],
        "name": "a",
        **options,
    }
    with pytest.raises(ValueError, match=message):
        choose(keras_tuner.HyperParameters(), **arguments)


@pytest.mark.any_backend
def test_classes_of_every_kind_state_their_ranges():
    stated = {c for c in registered() if getattr(c, "search_space", None)}
    for one in (
        optimizers.Adam,
        regularizers.ElasticNet,
        rates.OneCycle,
        layers.Dropout,
        augmentation.RandomAffine,
    ):
        assert one in stated
    assert all(
        isinstance(values, (Range, Options, Nested))
        for cls in stated
        for values in cls.search_space.values()
    )


X = np.linspace(-1, 1, 16 * 4).reshape(16, 4).astype("float32")
Y = (X[:, :1] > 0).astype("float32")


def build(hp):
    """A model of chosen parts."""
    schedule = choose_schedule(hp, 4)
    dropout = choose_dropout(hp)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(2, kernel_regularizer=choose_regularizer(hp)),
            *([] if dropout is None else [dropout]),
            keras.layers.Dense(1),
        ]
    )
    classes = [optimizers.AdamW, optimizers.SGD]
    optimizer = choose_optimizer(hp, classes, learning_rate=schedule)
    model.compile(optimizer, "mse")
    return model


def keras_tuners():
    return {
        "random": (keras_tuner.RandomSearch, {"max_trials": 2}),
        "bayesian": (
            keras_tuner.BayesianOptimization,
            {"max_trials": 3, "num_initial_points": 2},
        ),
        "hyperband": (keras_tuner.Hyperband, {"max_epochs": 2, "factor": 3}),
        "grid": (keras_tuner.GridSearch, {"max_trials": 2}),
    }


def searches_and_reloads(cls, options, folder):
    options = {
        "objective": "val_loss",
        "seed": 3,
        "directory": folder,
        **options,
    }
    data = {"validation_data": (X, Y), "verbose": 0}
    tuner = cls(build, **options)
    tuner.search(X, Y, epochs=1, batch_size=8, **data)
    trials = tuner.oracle.trials.values()
    assert {trial.status for trial in trials} == {"COMPLETED"}
    again = cls(build, **options)
    again.reload()
    models = [t.get_best_models()[0] for t in (tuner, again)]
    one, other = (model.predict(X, verbose=0) for model in models)
    np.testing.assert_array_equal(one, other)


QUIET = [
    "ignore::sklearn.exceptions.ConvergenceWarning",
    # A reloaded model has not trained, so its optimizer has no state.
    "ignore:Skipping variable loading for optimizer:UserWarning",
    "ignore:.*optimizer:UserWarning",
]


@pytest.mark.filterwarnings(*QUIET)
def test_the_choices_work_in_random_search_of_keras_tuner(tmp_path):
    searches_and_reloads(*keras_tuners()["random"], tmp_path)


@pytest.mark.any_backend
@pytest.mark.filterwarnings(*QUIET)
@pytest.mark.parametrize("name", ["bayesian", "hyperband", "grid"])
def test_the_choices_work_in_the_other_tuners(tmp_path, name):
    searches_and_reloads(*keras_tuners()[name], tmp_path)


@pytest.mark.any_backend
@pytest.mark.filterwarnings(*QUIET)
def test_the_choices_work_in_cross_validation(tmp_path):
    def searched(name, **options):
        tuner = CrossValidationTuner(
            build,
            BayesianOracle("val_loss", 3, seed=3, num_initial_points=2),
            folds=2,
            directory=tmp_path,
            project_name=name,
            **options,
        )
        tuner.search(X, Y, epochs=1, batch_size=8, verbose=0)
        return tuner

    tuner = searched("fresh")
    results = tuner.cross_validation_results()
    assert [len(result["scores"]) for result in results] == [2] * 3
    optimizers_tried = {r["hyperparameters"]["optimizer"] for r in results}
    assert optimizers_tried <= {"AdamW", "SGD"}
    again = searched("fresh")
    one, other = (
        t.get_best_models()[0].predict(X, verbose=0) for t in (tuner, again)
    )
    np.testing.assert_array_equal(one, other)
    # Of which most have a structure of their own.
    reused = searched("reused", reuse_models=True)
    for fresh, result in zip(
        results, reused.cross_validation_results(), strict=True
    ):
        assert result["hyperparameters"] == fresh["hyperparameters"]
        assert result["scores"] == pytest.approx(fresh["scores"], rel=1e-5)


@pytest.mark.any_backend
@pytest.mark.filterwarnings(*QUIET)
def test_the_arguments_of_a_training_can_be_searched(tmp_path):
    seen = []

    class Notes(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            seen.append((self.params["steps"], self.params["epochs"]))

    hypermodel = TunableFit(
        build,
        batch_size=lambda hp: hp.Choice("batch_size", [4, 8]),
        epochs=lambda hp: hp.Int("epochs", 1, 2),
        callbacks=lambda hp: [Notes()],
    )
    tuner = keras_tuner.Tuner(
        BayesianOracle("val_loss", 3, seed=1),
        hypermodel,
        directory=tmp_path,
    )
    # Known before the first trial.
    names = {hp.name for hp in tuner.oracle.get_space().space}
    assert {"batch_size", "epochs"} <= names
    tuner.search(X, Y, validation_data=(X, Y), verbose=0)
    assert seen == [
        (16 // values["batch_size"], values["epochs"])
        for values in (
            trial.hyperparameters.values
            for trial in tuner.oracle.trials.values()
        )
    ]


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TunableFit(None), "`build` of TunableFit"),
        (lambda: TunableFit(build, batchsize=3), "`batchsize` of TunableFit"),
        (lambda: sweep(build, {}, X), "`grid` of sweep must be a dict"),
        (lambda: sweep(build, {"a": 3}, X), "`grid` of sweep must be lists"),
        (lambda: sweep(build, {"a": [1, "b"]}, X), "of one type"),
    ],
)
def test_what_cannot_be_searched_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.any_backend
def test_a_sweep_is_a_table_of_all_combinations_and_goes_on(tmp_path):
    built = []

    def build(units, rate):
        built.append((units, rate))
        model = keras.Sequential([keras.layers.Dense(units)])
        model.compile(keras.optimizers.SGD(rate), "mse")
        return model

    grid = {"units": [1, 2], "rate": [0.1]}
    options = {"folds": 2, "directory": tmp_path, "epochs": 1, "verbose": 0}
    results = sweep(build, grid, X, Y, **options)
    assert [r["hyperparameters"] for r in results] == sorted(
        [{"units": n, "rate": 0.1} for n in (1, 2)],
        key=lambda values: [
            r["mean"] for r in results if r["hyperparameters"] == values
        ],
    )
    assert "<table>" in results._repr_html_()
    count = len(built)
    assert sweep(build, grid, X, Y, **options) == results
    assert len(built) == count
    # More values are more trials.
    grid["rate"].append(0.2)
    assert len(sweep(build, grid, X, Y, **options)) == 4

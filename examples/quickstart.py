"""From an overfitting model to a tuned, saved and served one, on real data.

    python examples/quickstart.py            # or: make demo
    KERAS_BACKEND=jax python examples/quickstart.py

Trains on scikit-learn's 1,797 handwritten digits: no download. Everything it
writes goes to `demo_output/`. Interrupt it while it tunes, run it again, and
the search goes on where it stopped.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import warnings

import keras
import keras_tuner
import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

import keras_regopt as kr
from keras_regopt.tuning import CrossValidationTuner

BATCH_SIZE = 32
PLAIN = "plain, by Keras' Adam"
REGULARIZED = "regularized and tuned"


def main():
    options = parse_options()
    output = pathlib.Path(options.output)
    output.mkdir(parents=True, exist_ok=True)
    backend = keras.backend.backend()
    say(f"Digits, Keras {keras.__version__} on {backend}")
    data = load_data()

    say("1. A plain conv net")
    model, history = train(plain_model, {}, data, options, seed=0)
    plain_diagnosis = diagnose(model, history, data, at="last")
    print(plain_diagnosis)

    say("2. The same net, regularized, with a one-cycle schedule")
    defaults = {"peak": 0.01, "weight_decay": 0.01, "drop": 0.1}
    model, history = train(regularized_model, defaults, data, options, seed=0)
    # Early stopping has brought the weights of the best epoch back.
    print(diagnose(model, history, data, at="best"))

    say(
        f"3. Three hyperparameters by 3-fold cross-validation: {options.trials}"
    )
    best, tuner = tune(data, options, output)
    print(f"Chosen: {best}")

    say(f"4. Both models, once on the test set; seeds: {options.seeds}")
    results = {PLAIN: [], REGULARIZED: []}
    for seed in range(options.seeds):
        for name, build, settings in (
            (PLAIN, plain_model, {}),
            (REGULARIZED, regularized_model, best),
        ):
            model, history = train(build, settings, data, options, seed)
            results[name].append(model.evaluate(*data.test, verbose=0))
            loss, accuracy = results[name][-1]
            print(
                f"  seed {seed}, {name}: accuracy {accuracy:.2%}, "
                f"loss {loss:.3f}",
                flush=True,
            )
    table, conclusion = compare(results)

    say("5. Save, export and reload in fresh processes")
    checks = save_and_reload(model, data.test[0][:64], output)
    for line in checks:
        print(f"  {line}")

    kr.diagnosis.report(
        output / "report.html",
        f"Digits on {backend}",
        [conclusion, table, before_and_after(results)],
        data=data,
        diagnoses={
            PLAIN: plain_diagnosis,
            REGULARIZED: diagnose(model, history, data, at="best"),
        },
        search=tuner,
        chosen=best,
        sections=[("Saving", "\n\n".join(checks))],
        seeds={"split": 0, "models": f"0 to {options.seeds - 1}"},
    )
    # The search is over: the next run begins a new one.
    shutil.rmtree(output / "tuning")

    say("Summary")
    print_table(table)
    print(conclusion)
    print(f"The picture, before and after, and all else: {output}/report.html")
    print(f"The regularized model: {output}/model.keras")
    if (output / "saved_model").exists():
        print(f"To be served without keras_regopt: {output}/saved_model")


def load_data():
    """60 % to train, 20 % to decide by, 20 % to measure at the end."""
    digits = load_digits()
    x = digits.images[..., None].astype("float32") / 16.0
    return kr.diagnosis.split(x, digits.target, stratify=True, seed=0)


def plain_model(settings, steps):
    """Two convolutions and two dense layers, trained by Adam."""
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
            keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ],
        name="plain",
    )
    model.compile(
        keras.optimizers.Adam(0.003),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def regularized_model(settings, steps):
    """The same layers, with all that keeps a network from overfitting."""
    inputs = keras.Input((8, 8, 1))
    x = kr.augmentation.RandomAffine(
        flip=None, rotation=0.03, zoom=0.1, translation=0.08, shear=0
    )(inputs)
    x = keras.layers.Conv2D(32, 3, padding="same", activation="relu")(x)
    branch = keras.layers.Conv2D(32, 3, padding="same", activation="relu")(x)
    branch = kr.layers.StochasticDepth(settings["drop"])(branch)
    x = keras.layers.Add()([x, branch])
    x = keras.layers.MaxPooling2D()(x)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(128, activation="relu")(x)
    x = keras.layers.Dropout(3 * settings["drop"])(x)
    outputs = keras.layers.Dense(10, activation="softmax")(x)
    model = keras.Model(inputs, outputs, name="regularized")
    # The first 30 % of the cycle are the warm-up.
    schedule = kr.schedules.OneCycle(settings["peak"], steps)
    optimizer = kr.optimizers.RAdam(
        schedule, weight_decay=settings["weight_decay"]
    )
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model.compile(
        optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def train(build, settings, data, options, seed):
    """Trains one model, with the weights of the best epoch on the dev set."""
    keras.utils.set_random_seed(seed)
    steps = options.epochs * int(np.ceil(len(data.train[0]) / BATCH_SIZE))
    model = build(settings, steps)
    callbacks = []
    if build is regularized_model:
        callbacks.append(
            kr.callbacks.EarlyStopping(
                patience=options.epochs // 3, restore_best_weights=True
            )
        )
    history = model.fit(
        *data.train,
        validation_data=data.dev,
        batch_size=BATCH_SIZE,
        epochs=options.epochs,
        callbacks=callbacks,
        verbose=0,
    )
    return model, history


def diagnose(model, history, data, at):
    """The verdict, with the training error measured without augmentation."""
    accuracy = model.evaluate(*data.train, verbose=0)[1]
    # On digits, one wrong answer in a hundred is already much.
    return kr.diagnosis.diagnose(
        history,
        reference=0.0,
        bias_tolerance=0.01,
        variance_tolerance=0.01,
        train_error=1 - accuracy,
        # The verdict then says how sure it is.
        dev_rows=len(data.dev[0]),
        at=at,
    )


def tune(data, options, output):
    """Searches on the training data alone; returns the best, and the tuner."""
    epochs = max(2, 2 * options.epochs // 3)
    steps = epochs * int(np.ceil(len(data.train[0]) * 2 / 3 / BATCH_SIZE))

    def build(hp):
        settings = {
            "peak": hp.Float("peak", 0.005, 0.02, sampling="log"),
            "weight_decay": hp.Float("weight_decay", 1e-3, 0.1, sampling="log"),
            "drop": hp.Float("drop", 0.0, 0.1, step=0.025),
        }
        return regularized_model(settings, steps)

    tuner = CrossValidationTuner(
        build,
        keras_tuner.oracles.BayesianOptimizationOracle(
            "val_loss", max_trials=options.trials, num_initial_points=3, seed=1
        ),
        folds=3,
        directory=output,
        project_name="tuning",
    )
    # The oracle's Gaussian process has few points to be fitted to.
    warnings.simplefilter("ignore", ConvergenceWarning)
    tuner.search(*data.train, epochs=epochs, batch_size=BATCH_SIZE)
    return tuner.cross_validation_results()[0]["hyperparameters"], tuner


def compare(results):
    """A table of means and deviations, and a sentence on the difference."""
    table = []
    for name, values in results.items():
        losses, accuracies = np.array(values).T
        table.append(
            {
                "model": name,
                "test accuracy": mean_and_std(100 * accuracies, 2) + " %",
                "test loss": mean_and_std(losses, 4),
                "seeds": len(values),
            }
        )
    if len(results[PLAIN]) < 2:
        return table, "One seed does not tell which of the two is better."
    gains = np.array(results[REGULARIZED]) - np.array(results[PLAIN])
    mean, error = gains.mean(axis=0), standard_error(gains)
    # Two standard errors of the paired differences.
    sure = np.abs(mean) > 2 * error
    words = []
    for index, (metric, scale, unit, good) in enumerate(
        (("loss", 1, "", -1), ("accuracy", 100, " points", 1))
    ):
        if not sure[index]:
            verdict = "no clear difference"
        else:
            verdict = "better" if good * mean[index] > 0 else "worse"
        words.append(
            f"{metric} {scale * mean[index]:+.3f}{unit} "
            f"(standard error {scale * error[index]:.3f}): {verdict}"
        )
    return table, (
        "The regularized net, against the same layers by Keras' Adam alone, on "
        f"the test set: {'; '.join(words)}."
    )


def before_and_after(results):
    """The test error of each seed, from the plain model to the other."""
    figure = Figure(figsize=(4.6, 3.4), layout="constrained")
    axes = figure.add_subplot()
    accuracies = [np.array(results[n])[:, 1] for n in (PLAIN, REGULARIZED)]
    errors = 100 * (1 - np.transpose(accuracies))
    axes.plot(errors.T, "o-", color="#0072B2", alpha=0.5)
    axes.plot(errors.mean(axis=0), "s-", color="#D55E00", lw=3, label="mean")
    axes.set_xticks([0, 1], [f"before:\n{PLAIN}", f"after:\n{REGULARIZED}"])
    axes.set_xlim(-0.4, 1.4)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("test error (%)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure


def mean_and_std(values, digits):
    if len(values) < 2:
        return f"{values[0]:.{digits}f}"
    deviation = np.std(values, ddof=1)
    return f"{np.mean(values):.{digits}f} ± {deviation:.{digits}f}"


def standard_error(values):
    return values.std(axis=0, ddof=1) / np.sqrt(len(values))


RELOAD = """
import sys
import numpy as np
import keras
import keras_regopt
model = keras.saving.load_model(sys.argv[1])
np.save(sys.argv[3], model.predict(np.load(sys.argv[2]), verbose=0))
"""

SERVE = """
import sys
sys.modules["keras_regopt"] = None  # It must serve without this package.
import numpy as np
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
np.save(sys.argv[3], model.serve(np.load(sys.argv[2])))
"""


def save_and_reload(model, x, output):
    """Writes both forms, each whole or not at all, and checks them."""
    path, partial = output / "model.keras", output / "partial.keras"
    model.save(partial)
    os.replace(partial, path)
    lines = [check(".keras file, reloaded", RELOAD, path, model, x)]

    path, partial = output / "saved_model", output / "partial"
    shutil.rmtree(partial, ignore_errors=True)
    try:
        model.export(partial, format="tf_saved_model", verbose=False)
    except Exception as error:
        if keras.backend.backend() == "tensorflow":
            raise
        shutil.rmtree(partial, ignore_errors=True)
        reason = str(error).strip().splitlines()[0]
        lines.append(
            "SavedModel: Keras cannot export it from "
            f"{keras.backend.backend()} here ({reason}). The .keras file can "
            "be loaded and exported under TensorFlow."
        )
    else:
        shutil.rmtree(path, ignore_errors=True)
        os.replace(partial, path)
        what = "SavedModel, served without keras_regopt"
        lines.append(check(what, SERVE, path, model, x))
    return lines


def check(what, program, path, model, x):
    """Runs a program in a fresh process and compares its predictions."""
    expected = model.predict(x, verbose=0)
    with tempfile.TemporaryDirectory() as directory:
        inputs = os.path.join(directory, "inputs.npy")
        result = os.path.join(directory, "predictions.npy")
        np.save(inputs, x)
        child = subprocess.run(
            [sys.executable, "-c", program, path, inputs, result],
            capture_output=True,
            text=True,
        )
        if child.returncode:
            raise SystemExit(f"{what}: {child.stderr}")
        worst = np.abs(np.load(result) - expected).max()
    if worst > 1e-5:
        raise SystemExit(f"{what}: the predictions differ by {worst:.2g}")
    return f"{what}: equal predictions (largest difference {worst:.1g})"


def print_table(rows):
    widths = {
        key: max(len(key), *(len(str(row[key])) for row in rows))
        for key in rows[0]
    }
    for row in [{key: key for key in rows[0]}, *rows]:
        print("  " + "  ".join(str(row[k]).ljust(w) for k, w in widths.items()))


def say(text, start=time.perf_counter()):  # noqa: B008, the start is wanted
    print(f"\n[{time.perf_counter() - start:5.1f} s] {text}", flush=True)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", default="demo_output")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--trials", type=int, default=6)
    return parser.parse_args()


if __name__ == "__main__":
    main()

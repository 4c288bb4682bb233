"""From an overfitting model to a better, saved and served one, on real data.

    python examples/quickstart.py            # or: make demo
    KERAS_BACKEND=jax python examples/quickstart.py

Trains on scikit-learn's 1,797 handwritten digits: no download. Everything it
writes goes to `demo_output/`. Interrupt the recipe, run it again, and it goes
on where it stopped.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import keras
import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits

import keras_regopt as kr
from keras_regopt.tuning import recipe

BATCH_SIZE = 32
PLAIN, BETTER = "Keras' Adam alone", "with the recipe"


def main():
    options = parse_options()
    output = pathlib.Path(options.output)
    output.mkdir(parents=True, exist_ok=True)
    backend = keras.backend.backend()
    say(f"Digits, Keras {keras.__version__} on {backend}")
    data = load_data()

    say("1. The recipe: checks, diagnosis, remedies by cross-validation")
    result = recipe(
        build,
        data,
        budget=options.budget,
        folds=2,
        max_remedies=2,
        # On digits, one wrong answer in a hundred is already much.
        reference=0.0,
        tolerance=0.01,
        epochs=options.epochs,
        batch_size=BATCH_SIZE,
        directory=output / "recipe",
        report=output / "report.html",
    )
    chosen = ", ".join(f"{n} {v:.3g}" for n, v in result.chosen.items())
    print(f"Chosen: {chosen or 'nothing'}")

    say(f"2. Both models on the test part, other seeds: {options.seeds}")
    errors = {PLAIN: [], BETTER: []}
    for seed in range(1, options.seeds + 1):
        for name, parts, epochs in (
            (PLAIN, {}, options.epochs),
            (
                BETTER,
                result.parts(),
                options.epochs * result.chosen.get("epochs", 1),
            ),
        ):
            error = test_error(parts, epochs, data, seed)
            errors[name].append(error)
            print(f"  seed {seed}, {name}: error {error:.2f} %", flush=True)
    table, conclusion = compare(errors, chosen)

    say("3. Save, export and reload in fresh processes")
    checks = save_and_reload(result.model, data.test[0][:64], output)
    for line in checks:
        print(f"  {line}")

    kr.diagnosis.report(
        output / "report.html",
        f"Digits on {backend}",
        [conclusion, table, before_and_after(errors)],
        data=data,
        checks=result.checks,
        diagnoses=diagnoses(result),
        curve=result.curve,
        search=result.trials or None,
        chosen=result.chosen,
        sections=[("Saving", "\n\n".join(checks))],
        seeds={"recipe": 0, "test": f"1 to {options.seeds}"},
    )
    # All is done: the next run begins a new one.
    shutil.rmtree(output / "recipe")

    say("Summary")
    print_table(table)
    print(conclusion)
    print(f"The picture, before and after, and all else: {output}/report.html")
    print(f"The model: {output}/model.keras")
    if (output / "saved_model").exists():
        print(f"To be served without keras_regopt: {output}/saved_model")


def load_data():
    """60 % to train, 20 % to decide by, 20 % to measure at the end."""
    digits = load_digits()
    x = digits.images[..., None].astype("float32") / 16.0
    return kr.diagnosis.split(x, digits.target, stratify=True, seed=0)


def build(augmentation=None, dropout=0.0, optimizer=None):
    """Two convolutions and two dense layers; by default Keras' Adam alone."""
    layers = [] if augmentation is None else [augmentation]
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            *layers,
            keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
            keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dropout(dropout),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        optimizer or keras.optimizers.Adam(0.003),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def test_error(parts, epochs, data, seed):
    """The error in percent of a model trained on train and dev rows."""
    keras.utils.set_random_seed(seed)
    model = build(**parts)
    x, y = (np.concatenate(pair) for pair in zip(*data[:2], strict=True))
    model.fit(x, y, batch_size=BATCH_SIZE, epochs=epochs, verbose=0)
    return 100 * (1 - model.evaluate(*data.test, verbose=0)[1])


def compare(errors, chosen):
    """A table of means and deviations, and a sentence on the difference."""
    table = [
        {
            "model": name,
            "test error": mean_and_std(values) + " %",
            "seeds": len(values),
        }
        for name, values in errors.items()
    ]
    gains = np.subtract(errors[PLAIN], errors[BETTER])
    if not chosen:
        return table, "The recipe changed nothing: both models are the same."
    what = f"the recipe ({chosen}), against the same net by {PLAIN}"
    if len(gains) < 2:
        return table, f"One seed says little about {what}."
    # Two standard errors of the paired differences.
    mean = gains.mean()
    error = gains.std(ddof=1) / np.sqrt(len(gains))
    if abs(mean) <= 2 * error:
        verdict = "no clear difference"
    else:
        verdict = "better" if mean > 0 else "worse"
    return table, (
        f"{verdict.capitalize()}: {what}, changes the test error by "
        f"{-mean:+.2f} points (standard error {error:.2f})."
    )


def mean_and_std(values):
    if len(values) < 2:
        return f"{values[0]:.2f}"
    return f"{np.mean(values):.2f} ± {np.std(values, ddof=1):.2f}"


def before_and_after(errors):
    """A line for each seed, from the plain model to the better one."""
    figure = Figure(figsize=(4.6, 3.4), layout="constrained")
    axes = figure.add_subplot()
    pairs = np.transpose([errors[PLAIN], errors[BETTER]])
    for pair in pairs:
        axes.plot(pair, "o-", color="#0072B2", alpha=0.5)
    axes.plot(pairs.mean(axis=0), "s-", color="#D55E00", lw=3, label="mean")
    axes.set_xticks([0, 1], [f"before:\n{PLAIN}", f"after:\n{BETTER}"])
    axes.set_xlim(-0.4, 1.4)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("test error (%)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure


def diagnoses(result):
    """The plain model's and the better one's, where both have one metric."""
    named = {"plain": result.baseline, "recipe": result.diagnosis}
    if not result.chosen or result.baseline.metric != result.diagnosis.metric:
        del named["plain"]
    return named


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
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--budget", type=int, default=24)
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""Draws docs/before_after.svg: the README's ten lines, before and after.

python docs/before_after.py
"""

import pathlib

import keras
import matplotlib.pyplot as plt
import sklearn.datasets

import keras_regopt as kr

PICTURE = pathlib.Path(__file__).parent / "before_after.svg"
EPOCHS = 50
BEFORE, AFTER = "#9a3b26", "#1f6f8b"


def errors(extra):
    """Errors by epoch of one training, and the accuracy on the test set."""
    digits = sklearn.datasets.load_digits()
    train, dev, test = kr.diagnosis.split(
        digits.images[..., None] / 16,
        digits.target,
        (0.1, 0.45, 0.45),
        stratify=True,
    )
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            *extra,
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(64, "relu"),
            keras.layers.Dense(10, "softmax"),
        ]
    )
    model.compile(
        kr.optimizers.AdamW(0.003),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    history = model.fit(
        *train, validation_data=dev, epochs=EPOCHS, verbose=0
    ).history
    curves = [
        [100 * (1 - value) for value in history[name]]
        for name in ("accuracy", "val_accuracy")
    ]
    return *curves, model.evaluate(*test, verbose=0)[1]


def draw():
    """Writes the picture."""
    affine = kr.augmentation.RandomAffine(None, rotation=0.04, translation=0.1)
    plt.rcParams["svg.hashsalt"] = "keras_regopt"
    figure, axes = plt.subplots(
        1, 2, figsize=(7.2, 2.8), sharey=True, layout="constrained"
    )
    for ax, title, color, extra in (
        (axes[0], "before: high variance", BEFORE, []),
        (axes[1], "after: RandomAffine, as advised", AFTER, [affine]),
    ):
        training, dev, accuracy = errors(extra)
        epochs = range(1, EPOCHS + 1)
        ax.plot(epochs, training, color=color, linestyle="--", label="training")
        ax.plot(epochs, dev, color=color, label="dev")
        ax.fill_between(epochs, training, dev, color=color, alpha=0.15)
        ax.set_title(f"{title}\ntest accuracy {100 * accuracy:.1f} %")
        ax.set(xlabel="epoch", ylim=(0, 30))
        ax.legend(frameon=False)
    axes[0].set_ylabel("error, %")
    figure.savefig(PICTURE, metadata={"Date": None}, facecolor="white")


if __name__ == "__main__":
    draw()

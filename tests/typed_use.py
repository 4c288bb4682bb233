"""What users write, as a type checker sees it; `make check` runs mypy on it."""

import pathlib
from typing import Any

import keras
import keras_tuner
import numpy as np

import keras_regopt as kr
from keras_regopt.tuning import CrossValidationTuner


def build(strength: float, seed: int | None = None) -> keras.Model:
    penalty: kr.regularizers.GroupLasso = kr.regularizers.GroupLasso(
        strength, axis=(0, 1)
    )
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            kr.augmentation.RandomAffine(rotation=0.1, seed=seed),
            kr.layers.WeightStandardization(
                keras.layers.Conv2D(8, 3, kernel_regularizer=penalty)
            ),
            kr.layers.DropBlock2D(0.1, block_size=3, seed=seed),
            keras.layers.Flatten(),
            keras.layers.Dense(
                1, kernel_constraint=kr.constraints.SoftThreshold(1e-4)
            ),
        ]
    )
    rate = kr.schedules.OneCycle(peak=0.1, total_steps=100)
    model.compile(kr.optimizers.Lookahead(kr.optimizers.RAdam(rate)), "mse")
    return kr.regularizers.RDrop(model, rate=0.5)


def train(x: np.ndarray, y: np.ndarray) -> str:
    train, dev, _ = kr.diagnosis.split(x, y, seed=0)
    model = build(0.1)
    stopper = kr.callbacks.EarlyStopping(patience=3)
    history = model.fit(*train, validation_data=dev, callbacks=[stopper])
    chosen = kr.regularizers.get("elastic_net", rate=0.1)
    print(kr.get("AdamW", learning_rate=0.01), chosen)
    verdict: str = kr.diagnosis.diagnose(history).verdict
    return verdict


def rates(steps: int) -> kr.schedules.Schedule:
    decay = keras.optimizers.schedules.CosineDecay(0.1, steps)
    parts = [kr.schedules.Warmup(decay, warmup_steps=5), 0.01]
    joined = kr.schedules.Join(parts, boundaries=[steps])
    kr.schedules.plot(joined, steps=2 * steps)
    kr.schedules.StepDecay(0.1, decay_steps=30, decay_rate=0.1)
    return kr.schedules.Floor(kr.schedules.Scale(joined, 0.5), minimum=1e-5)


def optimizers(model: keras.Model) -> list[keras.optimizers.Optimizer]:
    groups = [
        *kr.optimizers.layerwise_decay(model, decay=0.8),
        kr.optimizers.ParameterGroup("bias|gamma|beta", weight_decay=0),
    ]
    clipping = kr.optimizers.AdaptiveGradientClipping(0.01, exclude="head/.*")
    noise = kr.optimizers.GradientNoise(eta=0.3, seed=1)
    return [
        kr.optimizers.AdamW(rates(100), weight_decay=0.1, groups=groups),
        kr.optimizers.SGD(lambda: 0.1, momentum=0.9, l2=1e-4),
        kr.optimizers.Transformed("sgd", [clipping, noise]),
        kr.optimizers.SAM(keras.optimizers.SGD(0.1), rho=0.1, adaptive=True),
        kr.optimizers.ProximalAdam(group=1e-3, group_axis=(0, 1), minimum=0),
    ]


def callbacks(folder: pathlib.Path) -> kr.callbacks.FaultTolerant:
    average = kr.callbacks.EMA(momentum=0.99, every=10)
    watched = {"val_loss": 1, "val_mae": 0.5}
    return kr.callbacks.FaultTolerant(
        [
            kr.callbacks.WeightAveraging(average),
            kr.callbacks.ReduceLROnPlateau(watched, factor=0.5, patience=2),
            kr.callbacks.EarlyStopping(
                ["val_loss", "val_mae"],
                baseline={"val_loss": 1},
                criterion=kr.callbacks.GeneralizationLoss(2),
            ),
            kr.callbacks.HyperparameterSchedule("dropout", "rate", rates(9)),
            kr.callbacks.SnapshotEnsemble([10, 20, 40], keep=2),
            kr.diagnosis.FitMonitor(report=folder / "report.html"),
        ],
        backup_dir=folder,
        save_freq="10min",
    )


def augmented(dataset: Any, image_size: int) -> Any:
    layer = kr.augmentation.Compose(
        [
            kr.augmentation.RandomResizedCrop(image_size, image_size),
            kr.augmentation.RandomColor(hue=(-0.1, 0.1), value_range=(0, 1)),
            kr.augmentation.RandAugment(magnitude=7.5, value_range=(0, 1)),
            kr.augmentation.MixUp(alpha=0.2, num_classes=10),
        ],
        seed=1,
    )
    kr.augmentation.visualize(layer, np.zeros((2, 8, 8, 3)), path="grid.png")
    return kr.augmentation.map_dataset(dataset, layer, epoch=1)


def search(x: np.ndarray, y: np.ndarray, folder: pathlib.Path) -> None:
    def tunable(hp: keras_tuner.HyperParameters) -> keras.Model:
        return build(hp.Float("strength", 1e-4, 1e-1, sampling="log"))

    oracle = keras_tuner.oracles.RandomSearchOracle("val_loss", 10)
    tuner = CrossValidationTuner(tunable, oracle, folds=3, directory=folder)
    tuner.search(x, y, epochs=2)

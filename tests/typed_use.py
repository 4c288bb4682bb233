"""What users write, as a type checker sees it; `make check` runs mypy on it."""

import keras
import numpy as np

import keras_regopt as kr


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

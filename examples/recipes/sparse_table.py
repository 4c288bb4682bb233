"""A table: which columns are needed, by a penalty that makes true zeros."""

import keras
import numpy as np
from sklearn.datasets import load_breast_cancer

import keras_regopt as kr


def main(epochs=100):
    table = load_breast_cancer()
    train, dev, _ = kr.diagnosis.split(table.data, table.target, stratify=True)
    scaling = keras.layers.Normalization()
    scaling.adapt(train[0])
    first = keras.layers.Dense(1, "sigmoid")
    model = keras.Sequential([keras.Input((30,)), scaling, first])
    optimizer = kr.optimizers.ProximalAdam(0.01, l1=0.02)
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
    model.fit(*train, validation_data=dev, epochs=epochs, verbose=0)
    weights = keras.ops.convert_to_numpy(first.kernel)[:, 0]
    chosen = np.flatnonzero(weights)
    print("kept:", ", ".join(table.feature_names[chosen]))
    print(f"dev accuracy: {model.evaluate(*dev, verbose=0)[1]:.3f}")
    return len(chosen)

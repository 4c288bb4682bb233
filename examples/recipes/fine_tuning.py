"""Fine-tuning: layer-wise decay, gradual unfreezing and L2-SP."""

import keras
from sklearn.datasets import load_digits

import keras_regopt as kr

LOSS = "sparse_categorical_crossentropy"


def network(rate):
    penalties = [kr.regularizers.L2SP(rate) for _ in range(2)]
    dense = keras.layers.Dense
    body = [dense(64, "relu", kernel_regularizer=each) for each in penalties]
    return keras.Sequential([keras.Input((64,)), *body, dense(5, "softmax")])


def main(epochs=30):
    digits = load_digits()
    x, y = digits.data / 16, digits.target
    source = network(0.0)
    source.compile("adam", LOSS)
    source.fit(x[y < 5], y[y < 5], epochs=epochs, verbose=0)

    train, dev, test = kr.diagnosis.split(
        x[y >= 5], y[y >= 5] - 5, (0.1, 0.3, 0.6)
    )
    model = network(0.01)
    # L2-SP holds the weights near to those that they begin with.
    for layer, learned in zip(model.layers[:-1], source.layers, strict=False):
        layer.kernel.assign(learned.kernel)
        layer.bias.assign(learned.bias)
    groups = kr.optimizers.layerwise_decay(model, 0.75)
    optimizer = kr.optimizers.AdamW(0.003, groups=groups)
    model.compile(optimizer, LOSS, metrics=["accuracy"])
    unfreezing = kr.callbacks.GradualUnfreezing(max(epochs // 5, 1))
    options = {"epochs": epochs, "verbose": 0, "callbacks": [unfreezing]}
    model.fit(*train, validation_data=dev, **options)
    return model.evaluate(*test, verbose=0)[1]

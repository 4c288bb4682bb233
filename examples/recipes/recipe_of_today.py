"""AdamW, warm-up, cosine decay, average of the weights, early stopping."""

import keras
from sklearn.datasets import load_digits

import keras_regopt as kr


def main(epochs=60, batch_size=32):
    digits = load_digits()
    train, dev, test = kr.diagnosis.split(
        digits.data / 16, digits.target, stratify=True
    )
    steps = kr.schedules.total_steps(len(train[0]), batch_size, epochs)
    warmup = steps // 10
    rate = kr.schedules.CosineDecay(0.003, steps - warmup)
    rate = kr.schedules.Warmup(rate, warmup_steps=warmup)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(64, "relu"),
            kr.layers.Dropout(0.2),
            keras.layers.Dense(10, "softmax"),
        ]
    )
    model.compile(
        kr.optimizers.AdamW(rate, weight_decay=0.01),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    callbacks = [
        kr.callbacks.WeightAveraging(kr.callbacks.EMA(0.99)),
        kr.callbacks.EarlyStopping("val_loss", patience=10),
    ]
    options = {"batch_size": batch_size, "callbacks": callbacks, "verbose": 0}
    model.fit(*train, validation_data=dev, epochs=epochs, **options)
    return model.evaluate(*test, verbose=0)[1]

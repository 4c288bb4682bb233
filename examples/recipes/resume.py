"""A training that goes on after it was killed, as if it had not been."""

import tempfile

import keras
from sklearn.datasets import load_digits

import keras_regopt as kr


def main(epochs=20, directory=None):
    directory = directory or tempfile.mkdtemp()
    digits = load_digits()
    train, dev, _ = kr.diagnosis.split(digits.data / 16, digits.target)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            kr.layers.Dropout(0.2, seed=1),
            keras.layers.Dense(10, "softmax"),
        ]
    )
    model.compile(kr.optimizers.AdamW(0.003), "sparse_categorical_crossentropy")
    stopping = kr.callbacks.EarlyStopping("val_loss", patience=5)
    # Run the script again after a kill: `fit` begins where the backup ends.
    backup = kr.callbacks.FaultTolerant([stopping], directory)
    return model.fit(
        *train,
        validation_data=dev,
        epochs=epochs,
        verbose=0,
        callbacks=[backup, stopping],
    ).history

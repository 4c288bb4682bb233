"""What acts inside of the train step, by Keras and by hand in NumPy.

The model is `x @ bottom @ top`, with a penalty on `top`; all its gradients are
known. Two epochs of three steps each, so that a period of SAM's two steps goes
over the end of an epoch.
"""

import keras
import numpy as np
from keras.optimizers import SGD
from keras.optimizers.schedules import PolynomialDecay

from keras_regopt.callbacks import (
    EMA,
    FaultTolerant,
    GradientNormLogger,
    GradualUnfreezing,
    HyperparameterSchedule,
    MomentumCycle,
    WeightAveraging,
)
from keras_regopt.optimizers import SAM, ScheduleFreeSGD

RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=(6, 2))
Y = X @ np.array([[1.0], [-2.0]])
BATCHES = [slice(0, 2), slice(2, 4), slice(4, 6)]
EPOCHS, STEPS = 2, 6
START = [np.array([[1.0, 0.3], [-0.2, 0.8]]), np.array([[0.5], [-0.7]])]

RATE, MOMENTUM, PENALTY, RHO, DECAY = 0.05, 0.5, 0.1, 0.1, 0.6
LOW, HIGH, LAST_PENALTY = 0.3, 0.8, 0.4

CALLBACKS = {
    "norms": GradientNormLogger,
    "freezing": GradualUnfreezing,
    "strength": lambda: HyperparameterSchedule(
        "top",
        "kernel_regularizer.l2",
        PolynomialDecay(PENALTY, STEPS, LAST_PENALTY),
        per="step",
    ),
    "momentum": lambda: MomentumCycle(
        LOW, HIGH, cycle=PolynomialDecay(0.0, STEPS, 1.0)
    ),
    "averaging": lambda: WeightAveraging(EMA(DECAY)),
}
OPTIMIZERS = {
    "SAM": lambda: SAM(SGD(RATE, momentum=MOMENTUM), rho=RHO),
    "schedule-free": lambda: ScheduleFreeSGD(RATE, momentum=MOMENTUM),
}


def model_of(features):
    kinds = [OPTIMIZERS[name] for name in features if name in OPTIMIZERS]
    make = kinds[0] if kinds else lambda: SGD(RATE, momentum=MOMENTUM)
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(2, use_bias=False, name="bottom"),
            keras.layers.Dense(
                1,
                use_bias=False,
                kernel_regularizer=keras.regularizers.L2(PENALTY),
                name="top",
            ),
        ]
    )
    model.compile(make(), "mse")
    model.set_weights(START)
    return model


def fit(features, directory=None, *others):
    """Trains with some features, whose callbacks stand in this order.

    Args:
        features: Names from `CALLBACKS` and `OPTIMIZERS`, and `"tolerant"`.
        directory: Of the backup of `"tolerant"`.
        *others: Further callbacks, which stand last.

    Returns:
        The history and the weights.
    """
    callbacks = []
    for name in reversed(features):
        if name == "tolerant":
            # What stands before it is not guarded.
            tolerant = FaultTolerant(list(callbacks), directory, save_freq=2)
            callbacks.insert(0, tolerant)
        elif name in CALLBACKS:
            callbacks.insert(0, CALLBACKS[name]())
    model = model_of(features)
    history = model.fit(
        X,
        Y,
        batch_size=2,
        shuffle=False,
        epochs=EPOCHS,
        verbose=0,
        callbacks=[*callbacks, *others],
    )
    return history.history, model.get_weights()


class ByHand:
    """The same training, in float64.

    Args:
        features: See `fit`.

    Attributes:
        history: A list for each figure, with a number for each epoch.
        weights: What the model has at the end.
    """

    def __init__(self, features):
        self.features = features
        self.weights = [w.copy() for w in START]
        # `z` of the schedule-free optimizer, whose `x` are the weights.
        self.fast = [w.copy() for w in START]
        self.velocities = [np.zeros_like(w) for w in START]
        self.averages, self.mass = [np.zeros_like(w) for w in START], 0.0
        self.climb = None
        self.batches = self.steps = 0
        self.history = {}
        for epoch in range(EPOCHS):
            self.trained = ["freezing" not in features or epoch > 0, True]
            figures = [self._batch(batch) for batch in BATCHES]
            for name in figures[0]:
                mean = np.mean([each[name] for each in figures])
                self.history.setdefault(name, []).append(mean)
        if "averaging" in features:
            self.weights = self.averages

    def _batch(self, batch):
        loss, gradients = self._loss_and_gradients(self._points(), batch)
        norms = [np.linalg.norm(g) for g in gradients]
        self._move(gradients, np.linalg.norm(norms))
        self.batches += 1
        self._average()
        return {
            "loss": loss,
            "gradient_norm": np.linalg.norm(norms),
            "gradient_norm/bottom": norms[0],
            "gradient_norm/top": norms[1],
        }

    def _points(self):
        """Where the gradients are taken."""
        if self.climb is not None:
            return [
                w + c for w, c in zip(self.weights, self.climb, strict=True)
            ]
        if "schedule-free" in self.features:
            return [
                MOMENTUM * x + (1 - MOMENTUM) * z
                for x, z in zip(self.weights, self.fast, strict=True)
            ]
        return self.weights

    def _loss_and_gradients(self, points, batch):
        bottom, top = points
        penalty = PENALTY
        if "strength" in self.features:
            penalty += (LAST_PENALTY - PENALTY) * self.batches / STEPS
        x = X[batch]
        errors = x @ bottom @ top - Y[batch]
        outwards = 2 / len(x) * errors
        gradients = [
            self.trained[0] * (x.T @ outwards @ top.T),
            (x @ bottom).T @ outwards + 2 * penalty * top,
        ]
        return np.mean(errors**2) + penalty * np.sum(top**2), gradients

    def _move(self, gradients, norm):
        if "SAM" in self.features and self.climb is None:
            self.climb = [RHO * g / norm for g in gradients]
            return
        self.climb = None
        momentum = MOMENTUM
        if "momentum" in self.features:
            momentum = HIGH - (HIGH - LOW) * self.steps / STEPS
        self.steps += 1
        for index, gradient in enumerate(gradients):
            if not self.trained[index]:
                continue
            if "schedule-free" in self.features:
                self.fast[index] = self.fast[index] - RATE * gradient
                way = self.fast[index] - self.weights[index]
                self.weights[index] = self.weights[index] + way / self.steps
            else:
                velocity = momentum * self.velocities[index] - RATE * gradient
                self.velocities[index] = velocity
                self.weights[index] = self.weights[index] + velocity

    def _average(self):
        self.mass = DECAY * self.mass + 1 - DECAY
        self.averages = [
            average + (1 - DECAY) / self.mass * (weight - average)
            for average, weight in zip(self.averages, self.weights, strict=True)
        ]

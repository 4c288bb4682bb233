"""A small network, its closed form in NumPy float64, and one step of it."""

import keras
import numpy as np

from keras_regopt.testing._samples import compile_arguments

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(8, 5)).astype("float32")
Y = RANDOM.integers(0, 3, 8)
WEIGHTS = [
    RANDOM.normal(size=(5, 4)) / 2,
    RANDOM.normal(size=4) / 2,
    RANDOM.normal(size=(4, 3)),
    RANDOM.normal(size=3) / 2,
]
LOSS = "sparse_categorical_crossentropy"


def layers(*between, activation="softmax", **arguments):
    """A tanh layer, others after it, and an output of three classes."""
    return [
        keras.Input((5,)),
        keras.layers.Dense(4, "tanh", **arguments),
        *between,
        keras.layers.Dense(3, activation),
    ]


def network(*between, activation="softmax", **arguments):
    model = keras.Sequential(
        layers(*between, activation=activation, **arguments)
    )
    dense = [w for w in model.trainable_weights if "gamma" not in w.path]
    dense = [w for w in dense if "beta" not in w.path]
    for weight, value in zip(dense, WEIGHTS, strict=True):
        weight.assign(value)
    return model


def compiled(model, learning_rate=1.0, loss=LOSS, mode="eager", **options):
    # A few steps are faster eagerly than they can be compiled.
    options = {**compile_arguments(mode), "metrics": ["accuracy"], **options}
    model.compile(keras.optimizers.SGD(learning_rate), loss, **options)
    return model


def step(model, x=X, y=Y, batch_size=8, **arguments):
    """One step on all of the data; returns what it logged, as numbers."""
    history = model.fit(
        x, y, batch_size=batch_size, shuffle=False, verbose=0, **arguments
    )
    return {name: value[-1] for name, value in history.history.items()}


def forward(weights, x, mask=1.0):
    """The hidden activities and the logits."""
    w1, b1, w2, b2 = weights
    hidden = np.tanh(x @ w1 + b1)
    return hidden, (hidden * mask) @ w2 + b2


def log_softmax(z):
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def divergence(log_p, log_q):
    return np.sum(np.exp(log_p) * (log_p - log_q), axis=1)


def cross_entropy(z, y=Y):
    return -log_softmax(z)[np.arange(len(y)), y]


def jacobian(weights, x):
    """The derivatives of each example's logits by its inputs."""
    w1, _, w2, _ = weights
    hidden, _ = forward(weights, x)
    return np.einsum("hc,nh,ih->nci", w2, 1 - hidden**2, w1)


def require_step(model, objective, weights=None):
    """Requires that a step with a rate of one follows a function's slope.

    Args:
        model: The model after that step.
        objective: Function of the list of weights, in float64.
        weights: The weights before the step.
    """
    weights = WEIGHTS if weights is None else weights
    for place, after in enumerate(model.trainable_weights):
        np.testing.assert_allclose(
            weights[place] - keras.ops.convert_to_numpy(after),
            numerical_gradient(objective, weights, place),
            rtol=2e-4,
            atol=2e-6,
        )


def numerical_gradient(objective, weights, place):
    gradient = np.zeros_like(weights[place])
    for index in np.ndindex(gradient.shape):
        sides = []
        for side in (1e-5, -1e-5):
            moved = [w.copy() for w in weights]
            moved[place][index] += side
            sides.append(objective(moved))
        gradient[index] = (sides[0] - sides[1]) / 2e-5
    return gradient

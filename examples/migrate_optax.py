"""Optimizers of optax and of keras_regopt, step by step on the same gradients.

pip install optax
python examples/migrate_optax.py
"""

import keras
import numpy as np

import keras_regopt as kr

try:
    import jax.numpy as jnp
    import optax
except ImportError as error:
    raise SystemExit(f"This example needs optax: {error}") from error

STEPS, RATE = 20, 0.01
# Half a percent of the rate.
TOLERANCE = 5e-5
# epsilon differs by default: what optax has is written out.
PAIRS = {
    "adabelief": (optax.adabelief(RATE), kr.optimizers.AdaBelief(RATE)),
    "adam": (optax.adam(RATE), kr.optimizers.Adam(RATE, epsilon=1e-8)),
    "lamb": (optax.lamb(RATE), kr.optimizers.LAMB(RATE)),
    "lion": (optax.lion(RATE, weight_decay=0), kr.optimizers.Lion(RATE)),
    "nesterov": (
        optax.sgd(RATE, momentum=0.9, nesterov=True),
        kr.optimizers.SGD(RATE, momentum=0.9, nesterov=True),
    ),
    "radam": (optax.radam(RATE), kr.optimizers.RAdam(RATE, epsilon=1e-8)),
}


def trajectories(theirs, ours):
    """Weights after each step of the two."""
    random = np.random.default_rng(0)
    start = random.normal(size=(4, 3)).astype("float32")
    values, variable = jnp.asarray(start), keras.Variable(start)
    state = theirs.init(values)
    for _ in range(STEPS):
        gradient = random.normal(size=start.shape).astype("float32")
        updates, state = theirs.update(jnp.asarray(gradient), state, values)
        values = optax.apply_updates(values, updates)
        tensor = keras.ops.convert_to_tensor(gradient)
        ours.apply_gradients([(tensor, variable)])
        yield np.asarray(values), keras.ops.convert_to_numpy(variable)


if __name__ == "__main__":
    for name, pair in PAIRS.items():
        gaps = [abs(a - b).max() for a, b in trajectories(*pair)]
        print(f"{name:10} largest difference in {STEPS} steps: {max(gaps):.1e}")
        if max(gaps) > TOLERANCE:
            raise SystemExit(f"{name} differs")

"""Optimizers of torch and of keras_regopt, step by step on the same gradients.

python examples/migrate_torch.py
"""

import keras
import numpy as np

import keras_regopt as kr

try:
    import torch
except ImportError as error:
    raise SystemExit(f"This example needs torch: {error}") from error

STEPS, RATE = 20, 0.01
TOLERANCE = 1e-5
# torch's class, its arguments, and ours.
PAIRS = {
    "AdamW": (
        (torch.optim.AdamW, {"weight_decay": 0.01}),
        kr.optimizers.AdamW(RATE, epsilon=1e-8, weight_decay=0.01),
    ),
    "RAdam": ((torch.optim.RAdam, {}), kr.optimizers.RAdam(RATE, epsilon=1e-8)),
    "RMSprop": (
        (torch.optim.RMSprop, {"alpha": 0.9, "eps": 0}),
        kr.optimizers.RMSprop(RATE, rho=0.9, epsilon=1e-30),
    ),
    # torch multiplies the momentum by the rate of the step, Keras adds it.
    "SGD": (
        (torch.optim.SGD, {"momentum": 0.9}),
        kr.optimizers.SGD(RATE, momentum=0.9),
    ),
}


def trajectories(theirs, ours):
    """Weights after each step of the two."""
    cls, arguments = theirs
    random = np.random.default_rng(0)
    start = random.normal(size=(4, 3)).astype("float32")
    weight, variable = torch.tensor(start), keras.Variable(start)
    optimizer = cls([weight], lr=RATE, **arguments)
    for _ in range(STEPS):
        gradient = random.normal(size=start.shape).astype("float32")
        weight.grad = torch.tensor(gradient)
        optimizer.step()
        tensor = keras.ops.convert_to_tensor(gradient)
        ours.apply_gradients([(tensor, variable)])
        yield weight.numpy().copy(), keras.ops.convert_to_numpy(variable)


if __name__ == "__main__":
    for name, pair in PAIRS.items():
        gaps = [abs(a - b).max() for a, b in trajectories(*pair)]
        print(f"{name:10} largest difference in {STEPS} steps: {max(gaps):.1e}")
        if max(gaps) > TOLERANCE:
            raise SystemExit(f"{name} differs")

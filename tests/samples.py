"""What the contract needs to know of single classes, and nothing more."""

import keras

# Constructor arguments, for the classes that cannot do without; functions, so
# that nested objects are new each time.
ARGUMENTS = {
    "CosineDecay": lambda: {"initial_learning_rate": 0.1, "decay_steps": 100},
    "Cyclical": lambda: {"low": 0.01, "high": 0.1, "step_size": 3},
    "DropBlock2D": lambda: {"block_size": 3},
    "ExponentialDecay": lambda: {
        "initial_learning_rate": 0.1,
        "decay_steps": 10,
        "decay_rate": 0.5,
    },
    "Floor": lambda: {"schedule": 0.1, "minimum": 0.01},
    "InverseSquareRoot": lambda: {"peak": 0.1, "warmup_steps": 3},
    "Join": lambda: {"schedules": [0.1, 0.2], "boundaries": [3]},
    "LinearToZero": lambda: {"initial_learning_rate": 0.1, "total_steps": 100},
    "Lookahead": lambda: {"inner": keras.optimizers.SGD(0.1), "sync_period": 2},
    "OneCycle": lambda: {"peak": 0.1, "total_steps": 100},
    "ParameterGroup": lambda: {"pattern": "kernel", "weight_decay": 0.5},
    "PiecewiseInterpolation": lambda: {
        "boundaries": [0, 4, 10],
        "values": [0.1, 0.2, 0.05],
    },
    "PolynomialDecay": lambda: {
        "initial_learning_rate": 0.1,
        "decay_steps": 100,
    },
    "REX": lambda: {"initial_learning_rate": 0.1, "total_steps": 100},
    "Repeat": lambda: {"schedule": 0.1, "period": 3, "rate_factor": 0.9},
    "Scale": lambda: {"schedule": 0.1, "factor": 0.5},
    "StepDecay": lambda: {
        "initial_learning_rate": 0.1,
        "decay_steps": 3,
        "decay_rate": 0.5,
    },
    "TimeBasedDecay": lambda: {
        "initial_learning_rate": 0.1,
        "decay_rate": 0.1,
    },
    "Warmup": lambda: {"schedule": 0.1, "warmup_steps": 10},
    "WarmupStableDecay": lambda: {
        "peak": 0.1,
        "total_steps": 100,
        "warmup_steps": 10,
        "decay_steps": 20,
    },
}

# (class, promise): why the class cannot keep it. A strict expected failure.
EXCEPTIONS = {}


def arguments_of(name):
    """The constructor arguments for a class, by its name."""
    return ARGUMENTS.get(name, dict)()

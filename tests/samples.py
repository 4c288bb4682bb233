"""What the contract needs to know of single classes, and nothing more."""

import keras

# Constructor arguments, for the classes that cannot do without; functions, so
# that nested objects are new each time.
ARGUMENTS = {
    "DropBlock2D": lambda: {"block_size": 3},
    "Lookahead": lambda: {"inner": keras.optimizers.SGD(0.1), "sync_period": 2},
    "OneCycle": lambda: {"peak": 0.1, "total_steps": 100},
    "ParameterGroup": lambda: {"pattern": "kernel", "weight_decay": 0.5},
    "Scale": lambda: {"schedule": 0.1, "factor": 0.5},
    "Warmup": lambda: {"schedule": 0.1, "warmup_steps": 10},
}

# (class, promise): why the class cannot keep it. A strict expected failure.
EXCEPTIONS = {}


def arguments_of(name):
    """The constructor arguments for a class, by its name."""
    return ARGUMENTS.get(name, dict)()

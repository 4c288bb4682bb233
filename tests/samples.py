"""What the contract needs to know of single classes, and nothing more."""

import keras

from keras_regopt.optimizers import CautiousMask, GradientNormalization

# Constructor arguments, for the classes that cannot do without; functions, so
# that nested objects are new each time.
ARGUMENTS = {
    "AdaptiveGradientClipping": lambda: {"clip_factor": 0.5},
    "CosineDecay": lambda: {"initial_learning_rate": 0.1, "decay_steps": 100},
    "Cyclical": lambda: {"low": 0.01, "high": 0.1, "step_size": 3},
    # From the tiny defaults of this one, LARS and Prodigy, forty steps are
    # not enough.
    "DoG": lambda: {"initial_distance": 0.5},
    "DropBlock2D": lambda: {"block_size": 3},
    "ExponentialDecay": lambda: {
        "initial_learning_rate": 0.1,
        "decay_steps": 10,
        "decay_rate": 0.5,
    },
    "ExponentialMovingAverage": lambda: {
        "inner": keras.optimizers.SGD(0.1),
        "momentum": 0.9,
    },
    "Floor": lambda: {"schedule": 0.1, "minimum": 0.01},
    "GradientAccumulation": lambda: {
        "inner": keras.optimizers.SGD(0.1),
        "steps": 2,
    },
    # So small that it does not show: compiled, TensorFlow draws other numbers.
    "GradientNoise": lambda: {"eta": 1e-8, "seed": 0},
    "HypergradientDescent": lambda: {
        "inner": keras.optimizers.Adam(0.1),
        "hypergradient_learning_rate": 1e-4,
    },
    "InverseSquareRoot": lambda: {"peak": 0.1, "warmup_steps": 3},
    "Join": lambda: {"schedules": [0.1, 0.2], "boundaries": [3]},
    "LARS": lambda: {"learning_rate": 0.01, "trust_coefficient": 1.0},
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
    "Prodigy": lambda: {"d0": 1.0},
    "ProximalAdam": lambda: {"l1": 0.001, "group": 0.001},
    "ProximalSGD": lambda: {"l1": 0.001, "group": 0.001, "momentum": 0.5},
    "REX": lambda: {"initial_learning_rate": 0.1, "total_steps": 100},
    "Repeat": lambda: {"schedule": 0.1, "period": 3, "rate_factor": 0.9},
    "SAM": lambda: {"inner": keras.optimizers.SGD(0.1)},
    # The contract's few steps shall reach the turn of the basis.
    "SOAP": lambda: {"precondition_frequency": 2},
    "Scale": lambda: {"schedule": 0.1, "factor": 0.5},
    "SharpnessAwareModel": lambda: {
        "model": keras.Sequential([keras.Input((6,)), keras.layers.Dense(6)])
    },
    "SnapshotEnsemble": lambda: {"cycle": 2},
    "StepDecay": lambda: {
        "initial_learning_rate": 0.1,
        "decay_steps": 3,
        "decay_rate": 0.5,
    },
    "TimeBasedDecay": lambda: {
        "initial_learning_rate": 0.1,
        "decay_rate": 0.1,
    },
    "Transformed": lambda: {
        "inner": keras.optimizers.SGD(0.1, momentum=0.5),
        "transformations": [GradientNormalization(), CautiousMask()],
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
EXCEPTIONS = {
    ("HypergradientDescent", "follows_a_schedule"): (
        "It learns the rate that a schedule would set."
    ),
}


def arguments_of(name):
    """The constructor arguments for a class, by its name."""
    return ARGUMENTS.get(name, dict)()

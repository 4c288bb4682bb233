"""What the contract needs to know of single classes, and nothing more."""

import os
import tempfile

import keras
import numpy as np

from keras_regopt.augmentation import (
    CutMix,
    MixUp,
    RandomAffine,
    RandomGaussianNoise,
)
from keras_regopt.layers import VariationalDropout
from keras_regopt.optimizers import CautiousMask, GradientNormalization
from keras_regopt.schedules import Cyclical
from keras_regopt.testing._samples import data

# Of words in the contract's texts.
SYNONYMS = {"quick": ["fast", "speedy"], "dog": {"noun": ["hound"]}}


def dense():
    """A model to be wrapped."""
    return keras.Sequential([keras.Input((6,)), keras.layers.Dense(6)])


def classifier():
    """A model of the contract's images."""
    return keras.Sequential(
        [
            keras.Input((12, 10, 3)),
            keras.layers.Flatten(),
            keras.layers.Dense(6),
        ]
    )


def sounds():
    """Two short noises."""
    return 0.1 * np.random.default_rng(0).normal(size=(2, 900))


# Constructor arguments, for the classes that cannot do without; functions, so
# that nested objects are new each time.
ARGUMENTS = {
    "AdaptiveGradientClipping": lambda: {"clip_factor": 0.5},
    "AlphaDropout": lambda: {"rate": 0.5},
    "Dropout": lambda: {"rate": 0.5},
    "GaussianDropout": lambda: {"rate": 0.5},
    "GaussianNoise": lambda: {"stddev": 0.5},
    "SpatialDropout1D": lambda: {"rate": 0.5},
    "SpatialDropout2D": lambda: {"rate": 0.5},
    "SpatialDropout3D": lambda: {"rate": 0.5},
    "Apply": lambda: {"layer": RandomAffine()},
    "Averaged": lambda: {
        "model": classifier(),
        "augmentations": [
            "horizontal",
            RandomGaussianNoise(value_range=(-5, 5)),
        ],
    },
    "Choice": lambda: {"layers": [RandomAffine(), RandomGaussianNoise()]},
    "Compose": lambda: {"layers": [RandomAffine(), RandomGaussianNoise()]},
    "AudioCutMix": lambda: {"num_classes": 6},
    "AudioMixUp": lambda: {"num_classes": 6},
    "ConcreteDropout": lambda: {"layer": keras.layers.Dense(3)},
    "CosineDecay": lambda: {"initial_learning_rate": 0.1, "decay_steps": 100},
    "CutMix": lambda: {"num_classes": 6},
    "Cyclical": lambda: {"low": 0.01, "high": 0.1, "step_size": 3},
    # From the tiny defaults of this one, LARS and Prodigy, forty steps are
    # not enough.
    "DoG": lambda: {"initial_distance": 0.5},
    "DropBlock1D": lambda: {"block_size": 3},
    "DropBlock2D": lambda: {"block_size": 3},
    "DropBlock3D": lambda: {"block_size": 3},
    "DropConnect": lambda: {"layer": keras.layers.Dense(3)},
    "EmbeddingMixUp": lambda: {
        "model": keras.Sequential(
            [keras.Input((6,)), keras.layers.Dense(6, name="embedding")]
        ),
        "layer_names": ["embedding"],
    },
    "EasyDataAugmentation": lambda: {"thesaurus": SYNONYMS},
    "ExponentialDecay": lambda: {
        "initial_learning_rate": 0.1,
        "decay_steps": 10,
        "decay_rate": 0.5,
    },
    "ExponentialMovingAverage": lambda: {
        "inner": keras.optimizers.SGD(0.1),
        "momentum": 0.9,
    },
    "FaultTolerant": lambda: {
        "callbacks": [],
        "backup_dir": os.path.join(tempfile.gettempdir(), f"kr_{os.getpid()}"),
    },
    "Floor": lambda: {"schedule": 0.1, "minimum": 0.01},
    "GapThreshold": lambda: {"threshold": 0.5},
    "GradientAccumulation": lambda: {
        "inner": keras.optimizers.SGD(0.1),
        "steps": 2,
    },
    # So small that it does not show: compiled, TensorFlow draws other numbers.
    "GradientNoise": lambda: {"eta": 1e-8, "seed": 0},
    "GradientPenalty": lambda: {"model": dense()},
    "GroupGap": lambda: {"metric": "squared_error"},
    "GroupMonitor": lambda: {
        **dict(zip("xy", data(), strict=True)),
        "group": ["a", "b"] * 4,
        "metric": "squared_error",
        "verbose": 0,
    },
    "HypergradientDescent": lambda: {
        "inner": keras.optimizers.Adam(0.1),
        "hypergradient_learning_rate": 1e-4,
    },
    "HyperparameterSchedule": lambda: {
        "target": "dense*",
        "attribute": "kernel_regularizer.l2",
        "schedule": keras.optimizers.schedules.ExponentialDecay(0.1, 4, 0.5),
        "per": "step",
    },
    "InverseSquareRoot": lambda: {"peak": 0.1, "warmup_steps": 3},
    "JacobianPenalty": lambda: {"model": dense(), "seed": 0},
    "Join": lambda: {"schedules": [0.1, 0.2], "boundaries": [3]},
    "L0": lambda: {"layer": keras.layers.Dense(3)},
    "LARS": lambda: {"learning_rate": 0.01, "trust_coefficient": 1.0},
    # As many as the contract's fit has, so that the test is complete.
    "LearningRateFinder": lambda: {"steps": 6, "high": 0.1},
    "LinearToZero": lambda: {"initial_learning_rate": 0.1, "total_steps": 100},
    "Lookahead": lambda: {"inner": keras.optimizers.SGD(0.1), "sync_period": 2},
    "MomentumCycle": lambda: {"cycle": Cyclical(0.0, 1.0, step_size=2)},
    "ManifoldMixup": lambda: {
        "model": keras.Sequential(
            [keras.Input((6,)), keras.layers.Dense(6, name="hidden")]
        ),
        "layer_names": ["hidden"],
    },
    "MixUp": lambda: {"num_classes": 6},
    "MonteCarlo": lambda: {
        # Of Keras' own dropout, no state is saved.
        "layer": VariationalDropout(0.5, seed=0),
        "return_std": False,
    },
    "MinDiff": lambda: {"model": dense()},
    "Mosaic": lambda: {"num_classes": 6},
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
    "RDrop": lambda: {"model": dense()},
    # Half of the tokens, so that it shows in the contract's few.
    "RandomTokenDeletion": lambda: {"fraction": 0.5},
    "RandomTokenInsertion": lambda: {"fraction": 0.5},
    "RandomTokenReplacement": lambda: {"fraction": 0.5, "vocabulary_size": 40},
    "RandomTokenSwap": lambda: {"fraction": 0.5},
    "RandomAudioCrop": lambda: {"length": 300},
    "RandomBackgroundNoise": lambda: {"noises": sounds()},
    "RandomMix": lambda: {"layers": [MixUp(), CutMix()], "num_classes": 6},
    "RandomCrop": lambda: {"height": 8, "width": 7},
    # Half the size, so that the middle has no rounding errors.
    "RandomResizedCrop": lambda: {"height": 6, "width": 5},
    "REX": lambda: {"initial_learning_rate": 0.1, "total_steps": 100},
    # By default it hardly ever acts on as few images as the contract has.
    "RandomGrayscale": lambda: {"rate": 0.5},
    "RandomShortNoises": lambda: {"noises": sounds()},
    "Repeat": lambda: {"schedule": 0.1, "period": 3, "rate_factor": 0.9},
    "SAM": lambda: {"inner": keras.optimizers.SGD(0.1)},
    # The corrections shall show within the contract's few steps.
    "BatchRenormalization": lambda: {"warmup_steps": 1, "ramp_steps": 2},
    "GhostBatchNormalization": lambda: {"ghost_batch_size": 2},
    "WeightStandardization": lambda: {"layer": keras.layers.Dense(3)},
    # The contract's few steps shall reach the turn of the basis.
    "SOAP": lambda: {"precondition_frequency": 2},
    "Scheduled": lambda: {
        "regularizer": keras.regularizers.L2(0.1),
        "schedule": keras.optimizers.schedules.ExponentialDecay(1.0, 4, 0.5),
    },
    "Scale": lambda: {"schedule": 0.1, "factor": 0.5},
    "SharpnessAwareModel": lambda: {"model": dense()},
    "SynonymReplacement": lambda: {
        # Of each id the next two.
        "table": (np.arange(40)[:, None] + [1, 2]) % 35 + 5,
        "fraction": 0.5,
    },
    "TokenCutoff": lambda: {"fraction": 0.5},
    "TokenMasking": lambda: {"mask_id": 3, "fraction": 0.5},
    "SnapshotEnsemble": lambda: {"cycle": 2},
    "StepDecay": lambda: {
        "initial_learning_rate": 0.1,
        "decay_steps": 3,
        "decay_rate": 0.5,
    },
    "Thesaurus": lambda: {"entries": SYNONYMS},
    "TimeBasedDecay": lambda: {
        "initial_learning_rate": 0.1,
        "decay_rate": 0.1,
    },
    "Transformed": lambda: {
        "inner": keras.optimizers.SGD(0.1, momentum=0.5),
        "transformations": [GradientNormalization(), CautiousMask()],
    },
    "VirtualAdversarial": lambda: {"model": dense(), "seed": 0},
    "Warmup": lambda: {"schedule": 0.1, "warmup_steps": 10},
    "WordSynonyms": lambda: {"thesaurus": SYNONYMS},
    "WarmupStableDecay": lambda: {
        "peak": 0.1,
        "total_steps": 100,
        "warmup_steps": 10,
        "decay_steps": 20,
    },
    "Zoneout": lambda: {"layer": keras.layers.LSTMCell(3)},
}

COIN = "It draws which images change and no more: of one come two results."

ONE_LEVEL = "It brings clips to one level, in training and outside of it."

# (class, promise): why the class cannot keep it. A strict expected failure.
EXCEPTIONS = {
    ("RandomTokenInsertion", "does_not_depend_on_padding"): (
        "It takes the room of padding, and of more padding more of it."
    ),
    ("RandomTokenInsertion", "draws_for_each_element"): (
        "The text that is repeated has no padding, so there is no room."
    ),
    ("HypergradientDescent", "follows_a_schedule"): (
        "It learns the rate that a schedule would set."
    ),
    ("EmbeddingMixUp", "repeats_itself_by_its_seed"): (
        "It draws in its own train step alone, not in a call."
    ),
    ("ManifoldMixup", "repeats_itself_by_its_seed"): (
        "It draws in its own train step alone, not in a call."
    ),
    ("JacobianPenalty", "repeats_itself_by_its_seed"): (
        "It draws in a train step, not in a call."
    ),
    ("RandomAutoContrast", "draws_for_each_element"): COIN,
    ("RandomEqualize", "draws_for_each_element"): COIN,
    ("RandomGrayscale", "draws_for_each_element"): COIN,
    **{
        (name, promise): ONE_LEVEL
        for name in ("LoudnessNormalization", "PeakNormalization")
        for promise in (
            "acts_in_training",
            "draws_for_each_element",
            "is_identity_in_inference",
            "repeats_itself_by_its_seed",
            "works_in_tf_data",
        )
    },
    ("RandomAudioChannelShuffle", "draws_for_each_element"): COIN,
    ("RandomInvert", "draws_for_each_element"): COIN,
    ("RandomPolarity", "draws_for_each_element"): COIN,
    ("RandomReverse", "draws_for_each_element"): COIN,
    ("VirtualAdversarial", "repeats_itself_by_its_seed"): (
        "It draws in a train step, not in a call."
    ),
    ("WordDropout", "takes_integers_as_floats"): (
        "Integers are ids, of which it replaces some by a token."
    ),
}

# Classes whose predictions are drawn, which differ from backend to backend.
DRAW_AT_INFERENCE = {"Averaged", "MonteCarlo"}


def arguments_of(name):
    """The constructor arguments for a class, by its name."""
    return ARGUMENTS.get(name, dict)()

"""The techniques that bench_regularization.py compares, and networks for them.

A technique is a name, the strengths to choose from, and what it puts where in a
network. One table serves both what it costs and what it brings.
"""

import dataclasses
import typing

import keras

from keras_regopt import constraints, layers, regularizers

k = keras.layers


@dataclasses.dataclass
class Technique:
    """What a technique puts into a network, each a function of its strength.

    Args:
        group: The table that it stands in.
        strengths: The strengths to choose from, the middle one for the cost.
        penalty: Makes the regularizer of a kernel, given its rank.
        constraint: Makes the constraint of a kernel, given its size per unit.
        activity: Makes the activity regularizer of a hidden layer.
        output: Makes the activity regularizer of the logits.
        wrap: Gives the layer to use in place of one with a kernel.
        wraps_logits: Whether it does so with the last layer too.
        drop: Makes the layer behind an activation, given its rank, or `None`.
        branch: Makes the layer at the end of a residual branch.
        norm: Makes the layer before an activation.
        model: Gives the model to train, of the network.
        against: The technique of Keras that it stands in for, if any.
        only: `"images"` where it has no meaning elsewhere, `"classes"` where it
            needs a classification.
    """

    group: str
    strengths: tuple = (None,)
    penalty: typing.Callable | None = None
    constraint: typing.Callable | None = None
    activity: typing.Callable | None = None
    output: typing.Callable | None = None
    wrap: typing.Callable | None = None
    wraps_logits: bool = True
    drop: typing.Callable | None = None
    branch: typing.Callable | None = None
    norm: typing.Callable | None = None
    model: typing.Callable | None = None
    against: str | None = None
    only: str | None = None


def _group_axes(rank):
    """All but the last axis: all that enters a unit."""
    return list(range(rank - 1))


def _images(make):
    """A dropout of images alone."""
    return lambda s, rank: make(s) if rank == 4 else None


RATES = (1e-4, 1e-3, 1e-2)
DROPS = (0.1, 0.3, 0.5)
P, C, D, N, M = (
    "penalties",
    "constraints",
    "dropout",
    "normalization",
    "models",
)

NONE = "none"
TECHNIQUES = {
    NONE: Technique("none"),
    "Keras L2": Technique(
        P, RATES, penalty=lambda s, rank: keras.regularizers.L2(s)
    ),
    "L2": Technique(
        P, RATES, penalty=lambda s, rank: regularizers.L2(s), against="Keras L2"
    ),
    "L1": Technique(
        P, (1e-5, 1e-4, 1e-3), penalty=lambda s, rank: regularizers.L1(s)
    ),
    "ElasticNet": Technique(
        P, RATES, penalty=lambda s, rank: regularizers.ElasticNet(s)
    ),
    "GroupLasso": Technique(
        P,
        RATES,
        penalty=lambda s, rank: regularizers.GroupLasso(s, _group_axes(rank)),
    ),
    "SparseGroupLasso": Technique(
        P,
        RATES,
        penalty=lambda s, rank: regularizers.SparseGroupLasso(
            s, axis=_group_axes(rank)
        ),
    ),
    "L2SP": Technique(P, RATES, penalty=lambda s, rank: regularizers.L2SP(s)),
    "SRIP": Technique(P, RATES, penalty=lambda s, rank: regularizers.SRIP(s)),
    "SpectralNorm": Technique(
        P, RATES, penalty=lambda s, rank: regularizers.SpectralNorm(s)
    ),
    "ActivityL1": Technique(
        P, RATES, activity=lambda s: regularizers.ActivityL1(s)
    ),
    "ActivityL2": Technique(
        P, RATES, activity=lambda s: regularizers.ActivityL2(s)
    ),
    "ConfidencePenalty": Technique(
        P,
        (0.1, 0.3, 1.0),
        output=lambda s: regularizers.ConfidencePenalty(s, from_logits=True),
        only="classes",
    ),
    "SoftThreshold": Technique(
        C,
        (1e-6, 1e-5, 1e-4),
        constraint=lambda s, size: constraints.SoftThreshold(s),
    ),
    "GroupSoftThreshold": Technique(
        C,
        (1e-6, 1e-5, 1e-4),
        constraint=lambda s, size: constraints.GroupSoftThreshold(
            s * size**0.5
        ),
    ),
    "SpectralNormBall": Technique(
        C,
        (3.0, 1.5, 1.0),
        constraint=lambda s, size: constraints.SpectralNormBall(s),
    ),
    "Keras Dropout": Technique(D, DROPS, drop=lambda s, rank: k.Dropout(s)),
    "Keras SpatialDropout2D": Technique(
        D, DROPS, drop=_images(k.SpatialDropout2D), only="images"
    ),
    "Dropout": Technique(
        D,
        DROPS,
        drop=lambda s, rank: layers.Dropout(s),
        against="Keras Dropout",
    ),
    "SpatialDropout2D": Technique(
        D,
        DROPS,
        drop=_images(layers.SpatialDropout2D),
        against="Keras SpatialDropout2D",
        only="images",
    ),
    "DropBlock2D": Technique(
        D,
        DROPS,
        drop=_images(lambda s: layers.DropBlock2D(s, block_size=3)),
        against="Keras SpatialDropout2D",
        only="images",
    ),
    "StochasticDepth": Technique(
        D,
        DROPS,
        branch=lambda s: layers.StochasticDepth(s),
        against="Keras SpatialDropout2D",
    ),
    "DropConnect": Technique(
        D, DROPS, wrap=lambda s, layer: layers.DropConnect(layer, s)
    ),
    "ConcreteDropout": Technique(
        D,
        (1e-5, 1e-4, 1e-3),
        wrap=lambda s, layer: layers.ConcreteDropout(
            layer, dropout_regularizer=s
        ),
    ),
    "L0": Technique(
        D, (1e-5, 1e-4, 1e-3), wrap=lambda s, layer: layers.L0(layer, s)
    ),
    "Keras BatchNormalization": Technique(
        N, norm=lambda s: k.BatchNormalization(momentum=0.9)
    ),
    "GhostBatchNormalization": Technique(
        N,
        (16, 8),
        norm=lambda s: layers.GhostBatchNormalization(s, momentum=0.95),
        against="Keras BatchNormalization",
    ),
    "BatchRenormalization": Technique(
        N,
        (3.0,),
        norm=lambda s: layers.BatchRenormalization(
            s, momentum=0.9, warmup_steps=50, ramp_steps=200
        ),
        against="Keras BatchNormalization",
    ),
    "Keras GroupNormalization": Technique(
        N, norm=lambda s: k.GroupNormalization(8)
    ),
    # By itself it makes outputs as large as a layer is wide.
    "WeightStandardization and GroupNormalization": Technique(
        N,
        wrap=lambda s, layer: layers.WeightStandardization(layer),
        wraps_logits=False,
        norm=lambda s: k.GroupNormalization(8),
        against="Keras GroupNormalization",
    ),
    "JacobianPenalty": Technique(
        M,
        (1e-3, 1e-2, 1e-1),
        model=lambda s, model: regularizers.JacobianPenalty(model, s),
    ),
    "GradientPenalty": Technique(
        M,
        (1e-2, 1e-1, 1.0),
        model=lambda s, model: regularizers.GradientPenalty(model, s),
    ),
    "VirtualAdversarial": Technique(
        M,
        (0.3, 1.0, 3.0),
        model=lambda s, model: regularizers.VirtualAdversarial(
            model, epsilon=s, from_logits=True
        ),
        only="classes",
    ),
    # It needs two passes that differ.
    "RDrop with Dropout 0.3": Technique(
        M,
        (0.3, 1.0, 3.0),
        drop=lambda s, rank: k.Dropout(0.3),
        model=lambda s, model: regularizers.RDrop(model, s, from_logits=True),
        only="classes",
    ),
    "ManifoldMixup": Technique(
        M,
        (0.2, 1.0, 2.0),
        model=lambda s, model: layers.ManifoldMixup(
            model, ["hidden_1", "hidden_2"], alpha=s
        ),
        only="classes",
    ),
}

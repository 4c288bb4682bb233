"""Classes of several kinds that break what every class promises."""

import keras
from broken import Broken
from own_classes import (
    AdditiveNoise,
    InverseDecay,
    LossKeeper,
    Momentum,
    RandomShade,
    SquaredWeights,
)

import keras_regopt
from keras_regopt._search_space import Range
from keras_regopt.testing import common


class ConfigWithTensor(SquaredWeights):
    """Keeps its argument as a tensor, which JSON cannot hold."""

    def __init__(self, rate=0.01):
        super().__init__(rate)
        self.rate = keras.ops.convert_to_tensor(rate)


class ConfigWithTuple(AdditiveNoise):
    """Has a tuple in its configuration, which comes back as a list."""

    def get_config(self):
        return {**super().get_config(), "stddev": (self.stddev,)}


class ConfigOfWhatIsKept(AdditiveNoise):
    """Writes one minus its argument and reads it as the argument."""

    def get_config(self):
        return {**super().get_config(), "stddev": 1 - self.stddev}


class ConfigLacksArgument(Momentum):
    """Leaves its own argument out of the configuration."""

    def get_config(self):
        return keras.optimizers.Optimizer.get_config(self)


class ArgumentNotKept(keras_regopt.regularizers.ElasticNet):
    """Takes an argument and keeps it under another name.

    Args:
        strength: Strength of the penalty.
    """

    def __init__(self, strength=0.01):
        super().__init__(strength)


class LeavesArgumentOut(InverseDecay):
    """Has no word on one of its arguments.

    Args:
        rate: The first rate.
    """

    def __init__(self, rate=0.1, half=10):
        super().__init__(rate, half)


class SpeaksOfArgumentElsewhere(LossKeeper):
    """Keeps as many losses as `most: int` says, but has no list of them."""

    def __init__(self, most=5):
        super().__init__(most)


class TakesAnything(SquaredWeights):
    """Checks nothing until training."""

    def __init__(self, rate=0.01):
        self.rate = rate


class RefusesWithoutName(RandomShade):
    """Lets Python find out that an argument is no number."""

    def __init__(self, most=0.5, **kwargs):
        super().__init__(**kwargs)
        self.most = most * 1.0


class ShowsItsAddress(keras_regopt.regularizers.ElasticNet):
    """Has the `repr` that Python gives to everything."""

    __repr__ = object.__repr__


class ShowsNoArguments(keras_regopt.regularizers.ElasticNet):
    """Shows itself as if it had been made without any argument."""

    def __repr__(self):
        return f"{type(self).__name__}()"


class SwallowsUnknownArguments(LossKeeper):
    """Takes misspelt arguments without a word."""

    def __init__(self, most=5, **kwargs):
        super().__init__(most)


class SearchesWhatIsNoArgument(LossKeeper):
    """Has a range for an argument of another name."""

    search_space = {"size": Range(1, 5, whole=True)}


class SearchesElsewhere(LossKeeper):
    """Has a range in which its default is not."""

    search_space = {"most": Range(6, 9, whole=True)}


class SearchesTooFar(LossKeeper):
    """Has a range whose lower end it refuses."""

    search_space = {"most": Range(0, 9, whole=True)}


BROKEN = {
    common.can_be_searched: [
        Broken(SearchesWhatIsNoArgument, "`size`, which is no argument"),
        Broken(SearchesElsewhere, "the default most=5 is not in"),
        Broken(SearchesTooFar, "most=0 of `search_space`"),
    ],
    common.survives_its_config: [
        Broken(ConfigWithTensor, "not JSON serializable"),
        Broken(ConfigWithTuple, "the configuration is not plain JSON"),
        Broken(ConfigOfWhatIsKept, "the configuration changes"),
        Broken(ConfigLacksArgument, r"the configuration lacks \['momentum'\]"),
        Broken(ArgumentNotKept, "must keep its argument `strength`"),
    ],
    common.documents_every_argument: [
        Broken(LeavesArgumentOut, r"no entry under Args for \['half'\]"),
        Broken(SpeaksOfArgumentElsewhere, r"under Args for \['most'\]"),
    ],
    common.refuses_bad_arguments: [
        Broken(TakesAnything, "a meaningless `rate` is accepted"),
        Broken(RefusesWithoutName, "the error on a bad `most` does not name"),
        Broken(SwallowsUnknownArguments, "an unknown argument is accepted"),
    ],
    common.shows_its_arguments: [
        Broken(ShowsItsAddress, "is no call of ShowsItsAddress"),
        Broken(
            ShowsNoArguments, r"does not show \['l1_ratio'\]", {"l1_ratio": 0.3}
        ),
    ],
}

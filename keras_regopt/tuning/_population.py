"""Values that population-based training changes while a model trains."""

import dataclasses
from typing import Any

import keras

from keras_regopt import _train_step
from keras_regopt._search_space import Range
from keras_regopt._validate import fail
from keras_regopt.callbacks._base import Callback
from keras_regopt.callbacks.scheduling._scheduled_attribute import (
    schedule_attribute,
)
from keras_regopt.callbacks.scheduling._targets import find
from keras_regopt.tuning._draws import generator, uniform

LEARNING_RATE = "learning_rate"
# As in the paper.
_FACTORS = (0.8, 1.25)
_REDRAW = 0.25
# Where a model keeps what its compiled train step reads.
_ATTACHED = "_values_of_a_population"


class PopulationValues(Callback):
    """Holds attributes of layers, or the learning rate, at given values.

    A fit that is broken off leaves the compiled train step and its variables
    to the next fit of the same model, which may have other values.

    Args:
        values: Dict of `"learning_rate"`, or `"layer.attribute"` as in the
            logs of `HyperparameterSchedule`, and numbers.
    """

    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        own: Any = vars(self.model)
        if list(own.get(_ATTACHED, {})) == self._attributes():
            return
        own[_ATTACHED] = {
            name: self._attach(name) for name in self._attributes()
        }
        _train_step.remake_functions(self.model, train=True)

    def on_epoch_begin(self, epoch, logs=None):
        # Here, since a backup that the fit goes on from has been read by now.
        for name, attributes in vars(self.model)[_ATTACHED].items():
            for attribute in attributes:
                attribute.set(self.values[name])
        if LEARNING_RATE in self.values:
            self.model.optimizer.learning_rate = self.values[LEARNING_RATE]

    def on_train_end(self, logs=None):
        super().on_train_end(logs)
        own: Any = vars(self.model)
        for attributes in own.pop(_ATTACHED, {}).values():
            for attribute in attributes:
                attribute.end()
        _train_step.remake_functions(self.model)

    def _attributes(self):
        return [name for name in self.values if name != LEARNING_RATE]

    def _attach(self, name):
        return [
            schedule_attribute(
                self.model, owner, last, label, self.values[name]
            )
            for owner, last, label in _found(self.model, name)
        ]


def _found(model, name):
    """The objects that `"layer.attribute"` stands for."""
    target, _, attribute = name.partition(".")
    return find(model, [target], attribute)


@dataclasses.dataclass
class Explore:
    """Changes the values of a trial that goes on as a better one.

    Args:
        ranges: Dict of names and of each a `Range`.
        seed: Seed of the changes.
    """

    ranges: dict
    seed: int

    def __post_init__(self):
        self._generator = generator(self.seed, 0)

    def __call__(self, config):
        """Configuration of the trial, with the values of the better one."""
        values = config["trial"]["population"]
        changed = {
            name: self._changed(values[name], span)
            for name, span in self.ranges.items()
        }
        return {**config, "trial": {**config["trial"], "population": changed}}

    def _changed(self, value, span):
        if self._generator.random() < _REDRAW:
            return at(span, self._generator.random())
        factor = _FACTORS[int(self._generator.integers(2))]
        return float(min(max(value * factor, span.low), span.high))


def first_values(ranges, seed, number):
    """The values that a trial of a population begins with."""
    return {
        name: at(span, uniform(seed, number, "population", name))
        for name, span in ranges.items()
    }


def at(span, position):
    """The number at a position, in 0..1, of a range."""
    if span.log:
        value = span.low * (span.high / span.low) ** position
    else:
        value = span.low + position * (span.high - span.low)
    return float(min(max(value, span.low), span.high))


def check_population(owner, population):
    """Refuses what no training can change.

    Args:
        owner: The object to name in errors.
        population: The argument, or `None`.

    Returns:
        A dict, empty for `None`.

    Raises:
        ValueError: If it is no dict of names and ranges of numbers.
    """
    if population is None:
        return {}
    allowed = (
        "a dict of 'learning_rate' or 'layer.attribute', and of each a "
        "Range with whole=False"
    )
    good = isinstance(population, dict) and len(population) > 0
    if not good or not all(
        isinstance(name, str)
        and (name == LEARNING_RATE or all(name.partition(".")[::2]))
        and isinstance(span, Range)
        and not span.whole
        for name, span in population.items()
    ):
        fail(owner, "population", allowed, population)
    return population


def check_names(owner, population, model):
    """Refuses names that the model does not have.

    Args:
        owner: The object to name in errors.
        population: Dict of names and ranges.
        model: A compiled model.

    Raises:
        ValueError: If a name stands for no number of the model, or for the
            rate that a schedule sets.
    """
    for name in population:
        if name == LEARNING_RATE:
            _check_learning_rate(owner, population, model)
        # Other models may still make layers.
        elif model.built:
            try:
                _found(model, name)
            except ValueError as error:
                allowed = "of numbers that the model has"
                fail(owner, "population", allowed, name, str(error))


def _check_learning_rate(owner, population, model):
    """Refuses to set a rate that a schedule sets."""
    rate = model.optimizer.get_config()[LEARNING_RATE]
    # As a configuration, it is a dict or the schedule itself.
    schedule = keras.optimizers.schedules.LearningRateSchedule
    if isinstance(rate, (dict, schedule)):
        allowed = "without 'learning_rate', which a schedule sets in the model"
        fail(owner, "population", allowed, sorted(population))

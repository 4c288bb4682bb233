"""What all augmentations of sound, and their containers, have in common."""

import warnings

from keras_regopt._validate import fail
from keras_regopt.augmentation._kind import Kind
from keras_regopt.augmentation._told import warn_once

# Shapes of one clip by which the outputs of layers are compared.
LENGTHS = (16000, 12321)


class Waveforms(Kind):
    """Waveforms, with or without an axis of channels."""

    name = "waveforms"
    twin = "targets"

    def set_options(self, container, parts, options):
        super().set_options(container, parts, options)
        rates = {getattr(part, "sample_rate", None) for part in parts} - {None}
        if len(rates) > 1:
            warnings.warn(
                f"The layers of {type(container).__name__} have different "
                f"values of `sample_rate`, {sorted(rates)}. All of them get "
                "the same audio: set `sample_rate` of each to its rate.",
                stacklevel=5,
            )

    def look(self, layer, inputs, tensor):
        super().look(layer, inputs, tensor)
        if layer.mixes and not isinstance(inputs, dict):
            warn_once(
                layer,
                "bare clips",
                f"{type(layer).__name__} mixes these clips, but not their "
                "labels, which it did not get. Pass a dict, {'audio': x, "
                "'labels': y}, as `map_dataset(dataset, layer)` does by "
                "itself. To mix clips that have no labels, pass {'audio': x}.",
            )

    def probes(self, layer):
        return [(length, 2)[: layer.element_rank] for length in LENGTHS]


class Spectrograms(Kind):
    """Spectrograms, with the time or the bins first."""

    name = "spectrograms"

    def set_options(self, container, parts, options):
        super().set_options(container, parts, options)
        if len({part.last_axis_first for part in parts}) > 1:
            fail(container, "layers", "layers of one `bins_first`", parts)


WAVEFORMS = Waveforms()
SPECTROGRAMS = Spectrograms()

"""What moves along with sound: another waveform, and valid lengths."""

from keras_regopt.augmentation._batch import select
from keras_regopt.augmentation._compile import run_compiled
from keras_regopt.augmentation._layout import cast_within
from keras_regopt.augmentation._lengths import Lengths
from keras_regopt.augmentation._targets import Target


class Waveforms(Target):
    """Another waveform of the same shape, such as the clean speech."""

    hook = "apply_to_targets"
    is_set = False
    is_tensor = True

    def check(self, layer, value, data):
        shapes = tuple(value.shape), tuple(data.shape)
        pairs = zip(*shapes, strict=False)
        fits = all(None in pair or pair[0] == pair[1] for pair in pairs)
        if len(shapes[0]) != len(shapes[1]) or not fits:
            raise ValueError(
                f"`targets` in the inputs of {type(layer).__name__} must be a "
                f"waveform of the shape of the {layer.key}, {shapes[1]}. "
                f"Received: shape={shapes[0]}"
            )

    def moved(self, layer, value, parameters, chosen, shape):
        moved = run_compiled(layer, "transform_targets", value, parameters)
        return select(chosen, moved, cast_within(value, moved.dtype))


# By their keys in a dict of inputs.
TARGETS = {"targets": Waveforms(), "lengths": Lengths()}

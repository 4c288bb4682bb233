"""Augmentations that break one promise each on what is near the data."""

from broken import Broken
from own_classes import RandomShade

from keras_regopt.augmentation import AudioAugmentation, TokenAugmentation
from keras_regopt.testing import companions


class Fade(AudioAugmentation):
    """Makes clips softer, each by an amount of its own."""

    targets = frozenset({"targets"})

    def sample(self, shape, seed):
        (loss,) = self.uniforms(1, shape[0], seed)
        return {"loss": loss}

    def apply(self, inputs, parameters):
        return inputs * (1 - parameters["loss"][:, None, None])


class ShadesByTheBatch(RandomShade):
    """Takes the brightest value of the batch for the measure of light."""

    def apply(self, inputs, parameters):
        shaded = super().apply(inputs, parameters)
        return shaded / (1 + self.ops.mean(inputs))


class FadesToTheEnd(Fade):
    """Fades to the end of the array, not to that of the clip."""

    def apply(self, inputs, parameters):
        time = inputs.shape[1]
        place = self.ops.arange(time, dtype="float32") / time
        return super().apply(inputs, parameters) * place[:, None]


class DividesByThePeak(Fade):
    """Finds no peak in silence, and divides by it."""

    def apply(self, inputs, parameters):
        peak = self.ops.max(self.ops.abs(inputs), axis=(1, 2), keepdims=True)
        return super().apply(inputs, parameters) / peak


class LeavesTargets(Fade):
    """Says that it changes the targets, and does not."""

    def apply_to_targets(self, targets, parameters):
        return targets


class LosesLengths(Fade):
    """Says that more is valid than there is."""

    targets = frozenset({"targets", "lengths"})

    def apply_to_lengths(self, lengths, parameters, shape):
        return lengths + shape[1]


class FillsPadding(Fade):
    """Puts sound where there was padding."""

    def apply(self, inputs, parameters):
        return super().apply(inputs, parameters) + 0.5


class LeavesMasks(TokenAugmentation):
    """Drops the first token, and leaves the mask as it was."""

    def sample(self, shape, seed):
        return {}

    def resolve(self, inputs, parameters, context):
        size = inputs.shape[1]
        source = self.ops.arange(1, size + 1, dtype="int32")
        source = self.ops.where(source < size, source, -1)
        zeros = self.ops.zeros_like(inputs)
        source = self.ops.cast(zeros, "int32") + source
        return {**parameters, "source": source}


class LeavesNothing(LeavesMasks):
    """Drops all tokens, and says so."""

    targets = frozenset({"padding_mask", "token_labels"})

    def resolve(self, inputs, parameters, context):
        source = self.ops.zeros_like(inputs) - 1
        return {**parameters, "source": self.ops.cast(source, "int32")}


BROKEN = {
    companions.does_not_depend_on_its_neighbours: [
        Broken(ShadesByTheBatch, "it does"),
    ],
    companions.does_not_depend_on_padding: [
        Broken(FadesToTheEnd, "it does"),
    ],
    companions.bears_nothing: [
        Broken(DividesByThePeak, "nan"),
    ],
    companions.moves_targets_along: [
        Broken(LeavesTargets, "the targets do not become what they should"),
        Broken(LosesLengths, "the lengths are"),
        Broken(FillsPadding, "beyond the lengths there is"),
        Broken(LeavesMasks, "padding is not the padding of the mask"),
        Broken(LeavesNothing, "no token is left"),
    ],
}

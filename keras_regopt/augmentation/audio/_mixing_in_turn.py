"""What a `RandomMix` is for waveforms."""

from keras_regopt.augmentation._in_turn import InTurn
from keras_regopt.augmentation.audio._mixing import AudioMixing


class ClipsInTurn(InTurn, AudioMixing):
    """Mixes each clip by one of several layers."""

    def sample(self, shape, seed):
        return self.drawn(shape, seed)

    def resolve(self, inputs, parameters, context):
        parameters = super().resolve(inputs, parameters, context)
        pairs = zip(self.layers, parameters["layers"], strict=True)
        resolved = [layer.resolve(inputs, p, context) for layer, p in pairs]
        return self.combined({**parameters, "layers": resolved})

    def apply_to_lengths(self, lengths, parameters, shape):
        return self.in_turn_by("apply_to_lengths", lengths, parameters, shape)


# Messages name the class that a user knows.
ClipsInTurn.__name__ = "RandomMix"
AudioMixing.in_turn = ClipsInTurn

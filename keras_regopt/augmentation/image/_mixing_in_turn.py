"""What a `RandomMix` is for images."""

from keras_regopt.augmentation._batch import select
from keras_regopt.augmentation._in_turn import InTurn
from keras_regopt.augmentation.image._mixing import MixingAugmentation


class ImagesInTurn(InTurn, MixingAugmentation):
    """Mixes each image by one of several layers."""

    def __init__(self, layers, probabilities, per, **kwargs):
        super().__init__(layers, probabilities, per, **kwargs)
        self.blends = all(layer.blends for layer in layers)

    def sample(self, shape, seed):
        return self.combined(self.drawn(shape, seed))

    def apply_to_masks(self, masks, parameters):
        return self.in_turn_by("apply_to_masks", masks, parameters)

    def apply_to_boxes(self, boxes, parameters, shape):
        ops = self.ops
        count = ops.shape(boxes)[1] // self.mixed_count
        none = ops.zeros_like(boxes[:, count:])
        result = ops.concatenate([boxes[:, :count], none], axis=1)
        for number, layer in enumerate(self.layers):
            room = count * layer.mixed_count
            part = parameters["layers"][number]
            moved = layer.apply_to_boxes(boxes[:, :room], part, shape)
            none = ops.zeros_like(boxes[:, room:])
            moved = ops.concatenate([moved, none], axis=1)
            mine = parameters["choice"] == number
            result = select(mine, moved, result)
        return result


# Messages name the class that a user knows.
ImagesInTurn.__name__ = "RandomMix"
MixingAugmentation.in_turn = ImagesInTurn

"""An augmentation whose effects are easy to see."""

from keras_regopt.augmentation import ImageAugmentation


class Brighten(ImageAugmentation):
    """Adds 100 and moves what belongs to an image in recognizable ways."""

    targets = frozenset({"labels"})

    def sample(self, shape, seed):
        self.seen_shape = shape
        return {"amount": self.ops.full((shape[0],), 100.0)}

    def apply(self, inputs, parameters):
        self.seen_dtype = inputs.dtype
        return inputs + parameters["amount"][:, None, None, None]

    def apply_to_labels(self, labels, parameters):
        return labels + 1

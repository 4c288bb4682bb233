"""What of a model is trainable."""

from keras_regopt._keras import all_layers


class TrainableFlags:
    """What of a model is trainable, to be brought back later.

    Args:
        model: A built Keras model.
    """

    def __init__(self, model):
        self.model = model
        self._layers = [(x, x.trainable) for x in all_layers(model)]
        self._variables = [(v, v.trainable) for v in model.weights]

    def restore(self, frozen=()):
        """Makes everything trainable that was so.

        Args:
            frozen: Layers to freeze instead, with all that is inside.
        """
        # The outer layers come first, and set the inner ones as well.
        for layer, trainable in self._layers:
            layer.trainable = trainable
        for variable, trainable in self._variables:
            variable.trainable = trainable
        for layer in frozen:
            layer.trainable = False

    def __deepcopy__(self, memo):
        # It watches a model and does not own it.
        return self

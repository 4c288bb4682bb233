"""A training without a model, whose figures are given."""

import json

import numpy as np


class FakeModel:
    """Has one weight, which is set to the number of the epoch."""

    stop_training = False

    def __init__(self):
        self.weights = [np.array([-1.0])]

    def get_weights(self):
        return self.weights

    def set_weights(self, weights):
        self.weights = weights


def drive(callback, values, first_epoch=0, monitor="loss"):
    """Calls the callback as `fit` does; returns the model.

    A value is that of the monitor, or a dict with the logs of the epoch.
    """
    model = FakeModel()
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate(values, first_epoch):
        # In place, as a backend may hand out its own memory.
        model.weights[0][:] = epoch
        logs = {} if value is None else {monitor: value}
        callback.on_epoch_end(epoch, value if type(value) is dict else logs)
        if model.stop_training:
            break
    callback.on_train_end()
    return model


def in_parts(make, values, lengths):
    """Drives a new callback for every part, from the last one's state.

    But for the weights, the states go through JSON. Returns the last callback
    and its model.
    """
    state, epoch = make().state(), 0
    for length in lengths:
        weights = {"best_weights": state.pop("best_weights", None)}
        callback = make()
        callback.restore(json.loads(json.dumps(state)) | weights)
        part = values[epoch : epoch + length]
        model = drive(callback, part, epoch)
        state, epoch = callback.state(), epoch + length
        if model.stop_training or epoch >= len(values):
            break
    return callback, model


def stopping_epochs(criterion, losses, training_losses=None):
    """The epochs, counted from 1, after which a criterion would stop."""
    state = criterion.start()
    return [
        epoch
        for epoch, each in enumerate(
            zip(losses, training_losses or losses, strict=True), 1
        )
        if criterion.stops(state, *each)
    ]

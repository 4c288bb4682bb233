"""Callbacks that break one promise each."""

import copy
import threading

import keras
from broken import Broken
from own_classes import LossKeeper

from keras_regopt.testing import callbacks


class UsesUpItsArgument(LossKeeper):
    """Counts an argument down."""

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        self.most -= 1


class ServesOnce(LossKeeper):
    """Gives up at the end of a training what it needs in the next."""

    def on_train_end(self, logs=None):
        self.losses = None


class TensorsInState(LossKeeper):
    """Keeps tensors."""

    def value(self, loss):
        return keras.ops.convert_to_tensor(loss)


class HalfAState(LossKeeper):
    """Restores only a part of its state."""

    def restore(self, state):
        super().restore({"losses": state["losses"][1:]})


class SharesItsState(LossKeeper):
    """Hands out its own list."""

    def state(self):
        return {"losses": self.losses}


class ForgetsAtTheStart(LossKeeper):
    """Forgets when training begins what it had restored."""

    def on_train_begin(self, logs=None):
        self.losses = []


class HoldsALock(LossKeeper):
    """Holds something that cannot be copied."""

    def __init__(self, most=5):
        super().__init__(most)
        self.lock = threading.Lock()


class CopiesTheConfig(LossKeeper):
    """Is copied without what it has learned."""

    def __deepcopy__(self, memo):
        return type(self).from_config(copy.deepcopy(self.get_config(), memo))


BROKEN = {
    callbacks.serves_several_fits: [
        Broken(UsesUpItsArgument, "training changes the configuration"),
        Broken(ServesOnce, "'NoneType' object has no attribute 'clear'"),
    ],
    callbacks.hands_its_state_on: [
        Broken(TensorsInState, "is no plain value"),
        Broken(HalfAState, "restored, the state is"),
    ],
    callbacks.keeps_its_state_apart: [
        Broken(SharesItsState, "a later fit changed a saved state"),
    ],
    callbacks.survives_a_restart_of_training: [
        Broken(ForgetsAtTheStart, "when training begins"),
    ],
    callbacks.copies_deeply: [
        Broken(HoldsALock, "cannot pickle '_thread.lock' object"),
        Broken(CopiesTheConfig, "a copy has another state"),
    ],
}

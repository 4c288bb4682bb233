"""Stopping criteria that break one promise each."""

from broken import Broken
from own_classes import WorseThanBefore

from keras_regopt.testing import criteria


class StopsTheBest(WorseThanBefore):
    """Takes a fall for a rise."""

    def stops(self, state, loss, training_loss):
        return super().stops(state, None if loss is None else -2 * loss, None)


class DividesByTheLoss(WorseThanBefore):
    """Cannot stand a loss of zero."""

    def stops(self, state, loss, training_loss):
        super().stops(state, loss, training_loss)
        return loss is not None and 1 / loss < 0


class AnswersWithANumber(WorseThanBefore):
    """Counts instead of saying yes or no."""

    def stops(self, state, loss, training_loss):
        return int(super().stops(state, loss, training_loss))


class RemembersByItself(WorseThanBefore):
    """Keeps a part of what it has seen to itself."""

    epochs = 0

    def stops(self, state, loss, training_loss):
        self.epochs += 1
        return super().stops(state, loss, None) and self.epochs > 15


class SharesItsState(WorseThanBefore):
    """Begins every training with the same dict."""

    def __init__(self, by=0.5):
        super().__init__(by)
        self.only = super().start()

    def start(self):
        return self.only


class LearnsItsArgument(WorseThanBefore):
    """Changes its argument on the way."""

    def stops(self, state, loss, training_loss):
        stops = super().stops(state, loss, training_loss)
        if stops:
            self.by += 1e-9
        return stops


BROKEN = {
    criteria.lets_a_good_training_go_on: [
        Broken(StopsTheBest, "it stops at epoch . while all improves"),
    ],
    criteria.takes_every_loss: [
        Broken(DividesByTheLoss, "ZeroDivisionError"),
        Broken(AnswersWithANumber, "it answers .*1.* instead of True or False"),
    ],
    criteria.keeps_all_in_its_state: [
        Broken(RemembersByItself, "with a saved state it answers"),
    ],
    criteria.keeps_trainings_apart: [
        Broken(SharesItsState, "during another training it answers"),
        Broken(LearnsItsArgument, "a training changes its configuration"),
    ],
}

"""The promises of every stopping criterion."""

import json
import math

from keras_regopt.testing import common
from keras_regopt.testing._contract import require

# Validation and training losses of a training that overfits, badly enough for
# any criterion, in some epochs of which there is no validation.
OVERFITTING = [
    (None if epoch % 3 == 1 else abs(10 - epoch) + 1.0, 10 / (1 + epoch))
    for epoch in range(60)
]

# Unusual losses.
ODD = [
    (value, training)
    for value in (None, 0.0, -1.0, math.inf, 1e300, -math.inf)
    for training in (0.0, math.inf, -2.0)
] * 3


def lets_a_good_training_go_on(subject):
    """It never stops while both losses fall together."""
    good = [(1 / (1 + epoch),) * 2 for epoch in range(40)]
    answers = _answers(subject.make(), good)
    at = answers.index(True) if True in answers else None
    require(at is None, f"it stops at epoch {at} while all improves")


def takes_every_loss(subject):
    """Zeros, infinities and negative losses give an answer too."""
    answers = _answers(subject.make(), ODD)
    strange = [answer for answer in answers if type(answer) is not bool]
    require(not strange, f"it answers {strange} instead of True or False")


def keeps_all_in_its_state(subject):
    """With its state saved after every epoch, a new object goes on alike."""
    for losses in (OVERFITTING, ODD):
        expected = _answers(subject.make(), losses)
        answers, state = [], subject.make().start()
        for each in losses:
            criterion = subject.make()
            answers.append(criterion.stops(state, *_losses(criterion, each)))
            state = json.loads(json.dumps(state))
        require(
            answers == expected,
            f"with a saved state it answers {answers} instead of {expected}",
        )


def keeps_trainings_apart(subject):
    """One object serves two trainings at the same time."""
    alone = _answers(subject.make(), OVERFITTING)
    criterion = subject.make()
    config = criterion.get_config()
    state, other = criterion.start(), criterion.start()
    answers = []
    for each, odd in zip(OVERFITTING, ODD * 2, strict=False):
        answers.append(criterion.stops(state, *_losses(criterion, each)))
        criterion.stops(other, *_losses(criterion, odd))
    require(
        answers == alone,
        f"during another training it answers {answers}, not {alone}",
    )
    require(
        criterion.get_config() == config,
        f"a training changes its configuration to {criterion.get_config()}",
    )


def _losses(criterion, losses):
    loss, training_loss = losses
    return loss, training_loss if criterion.needs_training else None


def _answers(criterion, losses):
    state = criterion.start()
    return [
        criterion.stops(state, *_losses(criterion, each)) for each in losses
    ]


PROMISES = [
    *common.PROMISES,
    lets_a_good_training_go_on,
    takes_every_loss,
    keeps_all_in_its_state,
    keeps_trainings_apart,
]

import keras
import optax
from trajectories import assert_close, falling, optax_run, run

from keras_regopt.optimizers.transformations.gradient_sign import GradientSign
from keras_regopt.optimizers.transformations.transformed import Transformed


def test_follows_optax_for_twenty_steps_with_schedule_and_decay():
    schedule, optax_schedule = falling()
    inner = keras.optimizers.SGD(schedule, weight_decay=0.1)
    theirs = optax.chain(
        optax.scale_by_sign(),
        optax.add_decayed_weights(0.1),
        optax.scale_by_learning_rate(optax_schedule),
    )
    assert_close(run(Transformed(inner, [GradientSign()])), optax_run(theirs))


def test_follows_optax_in_front_of_momentum():
    inner = keras.optimizers.SGD(0.1, momentum=0.9)
    theirs = optax.chain(optax.scale_by_sign(), optax.sgd(0.1, momentum=0.9))
    assert_close(run(Transformed(inner, [GradientSign()])), optax_run(theirs))

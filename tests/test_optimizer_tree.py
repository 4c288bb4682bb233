import keras
import pytest
from keras_versions import multi_optimizer

from keras_regopt._optimizer_tree import (
    chain,
    has_members,
    inner_of,
    members_of,
    parts_of,
    walk,
)
from keras_regopt.optimizers import Lookahead

pytestmark = pytest.mark.any_backend


def test_goes_through_wrappers_of_both_kinds():
    sgd = keras.optimizers.SGD()
    lookahead = Lookahead(sgd, 2)
    scaled = keras.optimizers.LossScaleOptimizer(lookahead)
    assert list(chain(scaled)) == list(walk(scaled)) == [scaled, lookahead, sgd]
    assert [inner_of(o) for o in (scaled, sgd)] == [lookahead, None]
    assert parts_of(sgd) == []
    assert not has_members(scaled)


def test_goes_into_the_members_of_a_multi_optimizer():
    sgd, adam = keras.optimizers.SGD(), keras.optimizers.Adam()
    scaled = Lookahead(sgd, 2)
    several = multi_optimizer(adam, {".*kernel": scaled})
    layer = keras.layers.Dense(1)
    layer.build((None, 1))
    assert has_members(several)
    several.build(layer.trainable_variables)
    assert set(map(id, members_of(several))) == {id(adam), id(scaled)}
    assert {id(o) for o in walk(several)} == {
        id(o) for o in (several, adam, scaled, sgd)
    }
    assert list(chain(several)) == [several]


def test_there_may_be_no_optimizer():
    assert list(walk(None)) == list(chain(None)) == parts_of(None) == []

"""Layers that put something in the place of weights, under torch.compile."""

import keras
import numpy as np
import pytest

from keras_regopt.layers import L0, DropConnect, WeightStandardization

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="only torch has torch.compile"
)


# Of functions in Keras that have a cache, and of what torch looks at itself.
@pytest.mark.filterwarnings("ignore:Dynamo detected a call")
@pytest.mark.filterwarnings("ignore:The .grad attribute")
@pytest.mark.parametrize(
    ("cls", "training"),
    [(WeightStandardization, False), (DropConnect, True), (L0, False)],
)
def test_a_compiled_layer_is_the_one_that_is_not(cls, training):
    import torch

    torch.compiler.reset()
    seed = {} if cls is WeightStandardization else {"seed": 0}
    x = torch.tensor(np.random.default_rng(0).normal(size=(2, 4)))

    def outputs(how):
        keras.utils.set_random_seed(0)
        layer = cls(keras.layers.Dense(3), **seed)
        layer.build((None, 4))
        call = how(lambda x: layer(x, training=training))
        return keras.ops.convert_to_numpy(call(x.float()))

    alone = outputs(lambda call: call)
    compiled = outputs(lambda call: torch.compile(call, backend="aot_eager"))
    np.testing.assert_allclose(compiled, alone, rtol=1e-6)

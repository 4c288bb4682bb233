"""Steps under torch's compiler, besides the promises of the contract."""

import shutil

import keras
import numpy as np
import pytest

from keras_regopt.optimizers import SAM

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="only torch has torch.compile"
)


@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a compiler")
def test_weights_that_change_places_are_copied_in_compiled_code_too():
    import torch

    torch.compiler.reset()

    def trained(how):
        variable = keras.Variable(np.ones(3, "float32"))
        optimizer = SAM(keras.optimizers.SGD(0.1), rho=0.5)
        optimizer.build([variable])
        step = how(lambda gradient: optimizer.apply([gradient], [variable]))
        with torch.no_grad():
            for _ in range(2):
                step(torch.ones(3))
        return keras.ops.convert_to_numpy(variable)

    np.testing.assert_allclose(trained(lambda step: step), 0.9)
    np.testing.assert_allclose(trained(torch.compile), 0.9)

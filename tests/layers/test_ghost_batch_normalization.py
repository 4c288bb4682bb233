import keras
import numpy as np
import pytest
from keras_versions import since_keras

from keras_regopt.layers import GhostBatchNormalization
from keras_regopt.testing._backend import compiled, needs_compiler, to_numpy
from keras_regopt.testing._contract import NotApplicable


def batch(shape, seed=0):
    random = np.random.default_rng(seed)
    return (3 + 2 * random.normal(size=shape)).astype("float32")


def built(layer, x):
    """A layer whose weights are no longer those that it starts with."""
    layer.build(x.shape)
    random = np.random.default_rng(1)
    layer.set_weights([0.5 + random.random(w.shape) for w in layer.weights])
    return layer


@pytest.mark.any_case
@pytest.mark.parametrize(
    ("shape", "axis"), [((12, 5), -1), ((12, 3, 2, 5), -1), ((12, 5, 4), 1)]
)
@pytest.mark.parametrize("examples", [12, 15, 3])
def test_is_batch_normalization_of_one_part_after_the_other(
    shape, axis, examples
):
    x = batch((examples, *shape[1:]))
    ghost = built(GhostBatchNormalization(4, axis=axis, momentum=0.9), x)
    plain = built(keras.layers.BatchNormalization(axis, momentum=0.9), x)
    # What is left over goes into the last part.
    ends = [4, 8] if examples >= 12 else []
    expected = [
        to_numpy(plain(part, training=True)) for part in np.split(x, ends)
    ]
    outputs = to_numpy(ghost(x, training=True))
    np.testing.assert_allclose(outputs, np.concatenate(expected), atol=2e-5)
    for own, other in zip(ghost.weights, plain.weights, strict=True):
        np.testing.assert_allclose(own.numpy(), other.numpy(), rtol=1e-5)


@pytest.mark.any_backend
def test_leaves_out_of_the_statistics_what_is_masked():
    x = batch((4, 6, 5))
    mask = np.arange(6) < np.array([[6], [2], [4], [1]])
    ghost = built(GhostBatchNormalization(2, momentum=0.9), x)
    plain = built(keras.layers.BatchNormalization(momentum=0.9), x)
    expected = [
        to_numpy(plain(x[i : i + 2], training=True, mask=mask[i : i + 2]))
        for i in (0, 2)
    ]
    outputs = to_numpy(ghost(x, training=True, mask=mask))
    np.testing.assert_allclose(outputs, np.concatenate(expected), atol=2e-5)
    for own, other in zip(ghost.weights, plain.weights, strict=True):
        np.testing.assert_allclose(own.numpy(), other.numpy(), rtol=1e-5)


def test_infers_and_freezes_as_batch_normalization():
    x = batch((6, 5))
    ghost = built(GhostBatchNormalization(2), x)
    plain = built(keras.layers.BatchNormalization(), x)
    expected = to_numpy(plain(x))
    np.testing.assert_allclose(to_numpy(ghost(x)), expected, rtol=1e-6)
    ghost.trainable = False
    frozen = to_numpy(ghost(x, training=True))
    np.testing.assert_allclose(frozen, expected, rtol=1e-6)


def test_takes_batches_of_any_size_once_compiled():
    try:
        needs_compiler()
    except NotApplicable as reason:
        pytest.skip(str(reason))
    layer = built(GhostBatchNormalization(4), batch((8, 5)))
    moving = [v.numpy() for v in layer.non_trainable_variables]

    def step(x):
        with keras.StatelessScope(
            list(zip(layer.non_trainable_variables, moving, strict=True))
        ):
            return layer(x, training=True)

    run = compiled(step)
    for examples in (8, 3, 10):
        x = batch((examples, 5))
        np.testing.assert_allclose(
            to_numpy(run(x)), to_numpy(step(x)), atol=1e-5
        )


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"ghost_batch_size": 0}, "ghost_batch_size"),
        pytest.param(
            {"renorm": True},
            "renorm",
            marks=since_keras("3.14", "the argument"),
        ),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of GhostBatchNorm"):
        GhostBatchNormalization(**arguments)


@pytest.mark.any_backend
def test_refuses_to_normalize_each_example_by_itself():
    with pytest.raises(ValueError, match="`axis` of GhostBatchNorm"):
        GhostBatchNormalization(axis=0).build((4, 3))

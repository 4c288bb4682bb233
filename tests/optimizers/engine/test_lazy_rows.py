import keras
import numpy as np
import pytest
import torch

from keras_regopt.optimizers.algorithms.adagrad import Adagrad
from keras_regopt.optimizers.algorithms.adam import Adam
from keras_regopt.optimizers.algorithms.adam_w import AdamW
from keras_regopt.optimizers.algorithms.adamax import Adamax
from keras_regopt.optimizers.algorithms.ftrl import Ftrl
from keras_regopt.optimizers.algorithms.lion import Lion
from keras_regopt.optimizers.algorithms.rmsprop import RMSprop
from keras_regopt.optimizers.algorithms.sgd import SGD
from keras_regopt.testing._backend import data_parallel

ALL = [
    (SGD, {"momentum": 0.9}),
    (RMSprop, {"momentum": 0.9}),
    (Adagrad, {}),
    (Adam, {}),
    (AdamW, {"amsgrad": True}),
    (Adamax, {}),
    (Ftrl, {}),
    (Lion, {}),
]
ROWS = [[1, 4, 1], [0, 4, 4], [2, 1, 0], [5, 5, 5]]

on_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="gradients of embeddings are dense",
)


def gradient_values(step):
    random = np.random.default_rng(step)
    return random.normal(size=(3, 4)).astype("float32")


def lazy_run(optimizer, mode="eager", steps=12, dtype="float32"):
    import tensorflow as tf

    table = keras.Variable(np.ones((7, 4)), dtype=dtype)
    optimizer.build([table])

    def step(values, rows):
        gradient = tf.IndexedSlices(values, rows, tf.constant([7, 4]))
        optimizer.apply([gradient], [table])

    if mode != "eager":
        step = tf.function(step, jit_compile=mode == "jit")
    for i in range(steps):
        step(
            tf.cast(gradient_values(i), dtype),
            tf.constant(ROWS[i % len(ROWS)]),
        )
    return table


def row_run(make, steps=12):
    """One optimizer for each row, which makes steps when the row appears."""
    rows = [keras.Variable(np.ones(4, "float32")) for _ in range(7)]
    optimizers = [make() for _ in rows]
    for i in range(steps):
        sums = {}
        for row, values in zip(
            ROWS[i % len(ROWS)], gradient_values(i), strict=True
        ):
            sums[row] = sums.get(row, 0) + values
        for row, optimizer in enumerate(optimizers):
            # The step counts, whether the row appears or not.
            optimizer.iterations.assign(i)
            if row in sums:
                optimizer.apply(
                    [keras.ops.convert_to_tensor(sums[row])], [rows[row]]
                )
    return np.stack([r.numpy() for r in rows])


@pytest.mark.any_case
@on_tensorflow
@pytest.mark.parametrize("mode", ["eager", "graph", "jit"])
@pytest.mark.parametrize(("cls", "arguments"), ALL)
def test_rows_that_appear_make_the_steps_of_keras(cls, arguments, mode):
    table = lazy_run(cls(0.01, lazy=True, **arguments), mode)
    expected = row_run(
        lambda: getattr(keras.optimizers, cls.__name__)(0.01, **arguments)
    )
    np.testing.assert_allclose(table.numpy(), expected, rtol=1e-5, atol=1e-6)


@on_tensorflow
def test_follows_the_sparse_adam_of_torch():
    table = lazy_run(Adam(0.01, epsilon=1e-8, lazy=True), "graph")
    weight = torch.nn.Parameter(torch.ones(7, 4))
    optimizer = torch.optim.SparseAdam([weight], lr=0.01, eps=1e-8)
    with torch.sparse.check_sparse_tensor_invariants():
        for i in range(12):
            weight.grad = torch.sparse_coo_tensor(
                [ROWS[i % len(ROWS)]], torch.tensor(gradient_values(i)), (7, 4)
            )
            optimizer.step()
    np.testing.assert_allclose(
        table.numpy(), weight.detach().numpy(), rtol=1e-4, atol=2e-5
    )


@on_tensorflow
@pytest.mark.parametrize("mode", ["graph", "jit"])
def test_absent_rows_keep_weights_and_state(mode):
    optimizer = AdamW(0.01, weight_decay=0.5, l2=0.1, lazy=True)
    table = lazy_run(optimizer, mode)
    np.testing.assert_array_equal(table.numpy()[[3, 6]], 1.0)
    for state in optimizer.variables[2:]:
        np.testing.assert_array_equal(state.numpy()[[3, 6]], 0.0)
    assert not np.any(table.numpy()[[0, 1, 2, 4, 5]] == 1)


@on_tensorflow
@pytest.mark.parametrize("mode", ["graph", "jit"])
@pytest.mark.parametrize(
    "clipping", [{"clipnorm": 0.5}, {"global_clipnorm": 0.5}]
)
def test_clips_the_norm_of_summed_rows(clipping, mode):
    table = lazy_run(SGD(0.1, lazy=True, **clipping), mode)
    dense = lazy_run(SGD(0.1, **clipping))
    np.testing.assert_allclose(
        table.numpy(), dense.numpy(), rtol=1e-5, atol=1e-6
    )


@on_tensorflow
def test_dense_gradients_are_taken_as_ever():
    tables = []
    for optimizer in (Adam(0.01, lazy=True), keras.optimizers.Adam(0.01)):
        tables.append(keras.Variable(np.ones((7, 4), "float32")))
        for i in range(5):
            gradient = np.zeros((7, 4), "float32")
            gradient[:3] = gradient_values(i)
            optimizer.apply(
                [keras.ops.convert_to_tensor(gradient)], [tables[-1]]
            )
    np.testing.assert_allclose(*(t.numpy() for t in tables), rtol=1e-5)


def embedding_model(optimizer, jit=False):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((3,), dtype="int32"),
            keras.layers.Embedding(50, 4),
            keras.layers.Flatten(),
            keras.layers.Dense(1),
        ]
    )
    model.compile(optimizer, "mse", jit_compile=jit)
    random = np.random.default_rng(0)
    x, y = random.integers(0, 40, size=(32, 3)), random.normal(size=(32, 1))
    model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    return model


@on_tensorflow
@pytest.mark.parametrize("jit", [False, True])
def test_a_model_trains_with_lazy_rows(jit):
    model = embedding_model(Adam(0.01, lazy=True), jit)
    start = embedding_model(SGD(0.0))
    moved = np.any(model.weights[0].numpy() != start.weights[0].numpy(), 1)
    assert not np.any(moved[40:])
    assert np.mean(moved[:40]) > 0.8


@on_tensorflow
def test_replicas_make_the_same_steps_as_one():
    parallel = data_parallel(lambda: embedding_model(Adam(0.01, lazy=True)))
    alone = embedding_model(Adam(0.01, lazy=True))
    for a, b in zip(parallel.weights, alone.weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-6)


@on_tensorflow
def test_half_precision_tables_stay_half():
    table = lazy_run(Adam(0.01, lazy=True), "graph", dtype="bfloat16")
    assert table.value.dtype == "bfloat16"
    assert np.all(np.isfinite(keras.ops.cast(table, "float32").numpy()))


@pytest.mark.any_backend
@on_tensorflow
def test_refuses_gradient_accumulation():
    with pytest.raises(ValueError, match="`lazy` of SGD must be False with"):
        SGD(lazy=True, gradient_accumulation_steps=2)


@pytest.mark.skipif(
    keras.backend.backend() == "tensorflow", reason="only there it works"
)
def test_says_where_it_does_not_work():
    with pytest.raises(ValueError, match="where the gradients of embeddings"):
        Adam(lazy=True)

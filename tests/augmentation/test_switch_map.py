import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_regopt.augmentation._switch_map import switch_map

BACKEND = keras.backend.backend()
DATA = np.arange(20, dtype="float32").reshape(5, 4)
CHOICES = np.array([[0, 1], [2, 2], [1, 0], [0, 0], [2, 1]], "int32")
AMOUNTS = np.arange(10, dtype="float32").reshape(5, 2)

# The rows after the functions of `run`, one after the other.
EXPECTED = np.stack(
    [
        DATA[0] + 1,
        DATA[1] * 2 * 3,
        DATA[2] + 4,
        DATA[3],
        DATA[4] * 8 + 9,
    ]
)


def run(data, choices, amounts):
    return switch_map(
        data,
        choices,
        [
            lambda x, part: x,
            lambda x, part: x + part["amount"][:, None],
            lambda x, part: x * part["amount"][:, None],
        ],
        {"amount": amounts, "nothing": None},
    )


def tensors():
    return [keras.ops.convert_to_tensor(x) for x in (DATA, CHOICES, AMOUNTS)]


@pytest.mark.any_backend
def test_each_element_goes_through_its_own_functions_in_turn():
    result = keras.ops.convert_to_numpy(run(*tensors()))
    assert np.array_equal(result, EXPECTED)


def test_a_compiled_loop_gives_the_same():
    for jit_compile in (True, False):
        function = tf.function(run, jit_compile=jit_compile, autograph=False)
        with tf.device("CPU:0"):
            result = function(DATA, CHOICES, AMOUNTS)
        assert np.array_equal(result, EXPECTED)
    if BACKEND == "jax":
        import jax

        assert np.array_equal(jax.jit(run)(*tensors()), EXPECTED)


@pytest.mark.any_backend
def test_only_the_chosen_function_is_computed():
    ran = []

    def counted(number):
        def function(x):
            ran.append(number)
            return x

        return lambda x, part: tf.ensure_shape(
            tf.py_function(lambda x: function(x), [x], x.dtype), x.shape
        )

    functions = [counted(number) for number in range(3)]
    looped = tf.function(
        lambda: switch_map(
            tf.constant(DATA),
            tf.constant([[2], [0], [2], [2], [0]]),
            functions,
            {},
        ),
        autograph=False,
    )
    assert np.array_equal(looped(), DATA)
    assert sorted(ran) == [0, 0, 2, 2, 2]


def test_the_output_may_have_another_shape_and_dtype():
    def rows(data, choices):
        functions = [
            lambda x, part: keras.ops.cast(x[:, :2], "int32"),
            lambda x, part: keras.ops.cast(x[:, 2:], "int32"),
        ]
        return switch_map(data, choices, functions, {}, ((2,), "int32"))

    choices = np.array([[0], [1], [1], [0], [0]], "int32")
    expected = np.where(choices == 0, DATA[:, :2], DATA[:, 2:])
    result = rows(*map(keras.ops.convert_to_tensor, (DATA, choices)))
    assert np.array_equal(keras.ops.convert_to_numpy(result), expected)
    if BACKEND == "tensorflow":
        compiled = tf.function(rows, jit_compile=True, autograph=False)
        assert np.array_equal(compiled(DATA, choices), expected)

"""The promises of every layer."""

import contextlib
import sys
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np

from keras_regopt.testing import common
from keras_regopt.testing._backend import backend, gradient, to_numpy
from keras_regopt.testing._contract import NotApplicable, require
from keras_regopt.testing._quantization import quantizable, require_quantized
from keras_regopt.testing._samples import (
    layer_model,
    layer_shape,
    require_alike,
    usable_layer,
)
from keras_regopt.testing._saving import (
    exported_predictions,
    predictions,
    through_file,
)


def is_deterministic_in_inference(subject):
    """Without training, equal inputs give equal outputs."""
    layer, x = _layer_and_input(subject)
    first, second = to_numpy(layer(x)), to_numpy(layer(x, training=False))
    require(np.array_equal(first, second), "two calls differ")


def gives_the_promised_shape(subject):
    """A symbolic call gives the shape of the output, in training too."""
    layer, x = _layer_and_input(subject)
    promised = tuple(layer(keras.Input(batch_shape=x.shape)).shape)
    for training in (False, True):
        shape = tuple(layer(x, training=training).shape)
        require(
            shape == promised, f"the shape is {shape}, promised was {promised}"
        )
    symbolic = layer(keras.Input(x.shape[1:]))
    require(
        symbolic.shape[0] is None,
        f"an open batch size becomes {symbolic.shape[0]}",
    )


def passes_gradients(subject):
    """In training, the gradient by the input is finite and not all zero."""
    layer, x = _layer_and_input(subject)
    # One example is zero, where roots and quotients have no slope.
    x[0] = 0
    layer(x)
    slope = gradient(lambda x: keras.ops.sum(layer(x, training=True) ** 2), x)
    require(np.all(np.isfinite(slope)), f"the gradient is {slope}")
    require(np.any(slope != 0), "the gradient is zero everywhere")


def takes_integers_as_floats(subject):
    """Integers give what the same floats do, or are refused."""
    seed = {"seed": 0} if subject.takes("seed") else {}
    (first, x), (second, _) = (
        _layer_and_input(subject, **seed) for _ in range(2)
    )
    for layer in (first, second):
        layer(x)
    second.set_weights(first.get_weights())
    integers = np.round(3 * x).astype("int32")
    try:
        cast = to_numpy(second(integers, training=True))
    except Exception:
        # Each backend has a class of its own for operands that do not fit.
        return
    expected = to_numpy(first(integers.astype("float32"), training=True))
    worst = np.max(np.abs(cast - expected))
    require(worst < 1e-4, f"integers and the same floats differ by {worst}")


def trains_alike_compiled_or_not(subject):
    """`fit` gives the same losses eagerly, in a graph and compiled."""

    def train(mode):
        # Fixes the draws of a layer without a seed, too.
        keras.utils.set_random_seed(0)
        layer = usable_layer(subject.make())
        if mode == "jit" and not layer.supports_jit:
            return None
        model, x, y = layer_model(layer, layer_shape(layer), mode)
        history = model.fit(x, y, batch_size=2, shuffle=False, verbose=0)
        losses = history.history["loss"]
        draws = len(layer.variables) > len(layer.weights)
        if mode == "jit" and draws and backend() == "tensorflow":
            # Compiled by TensorFlow, the same seed gives other numbers.
            require(
                np.all(np.isfinite(losses)),
                f"the losses are {losses} in mode {mode}",
            )
            return None
        return losses

    require_alike(train)


def computes_in_mixed_precision(subject):
    """Under `mixed_float16` the output is float16 and the weights float32."""
    layer = usable_layer(subject.make(dtype="mixed_float16"))
    x = np.ones(layer_shape(layer), "float32")
    output = layer(x, training=True)
    dtype = keras.backend.standardize_dtype(output.dtype)
    require(dtype == "float16", f"the output is {dtype}")
    require(np.all(np.isfinite(to_numpy(output))), "the output is not finite")
    dtypes = {
        keras.backend.standardize_dtype(w.dtype)
        for w in layer.weights
        if keras.backend.is_float_dtype(w.dtype)
    }
    require(dtypes <= {"float32"}, f"the weights are {dtypes}")


def repeats_itself_by_its_seed(subject):
    """Two layers with one seed draw the same, two calls do not."""
    if not subject.takes("seed"):
        raise NotApplicable("it draws nothing: it has no `seed`")
    first, x = _layer_and_input(subject, seed=0)
    second, _ = _layer_and_input(subject, seed=0)
    for layer in (first, second):
        layer(x)
    # Its weights, if it has any, are drawn by their initializers.
    second.set_weights(first.get_weights())
    draws = [to_numpy(layer(x, training=True)) for layer in (first, second)]
    require(np.array_equal(*draws), "two layers with one seed differ")
    more = [to_numpy(first(x, training=True)) for _ in range(20)]
    require(
        any(not np.array_equal(draws[0], m) for m in more),
        "all calls draw the same",
    )


def reloads(subject):
    """A reloaded model predicts the same."""
    layer = usable_layer(subject.make())
    model, x, y = layer_model(layer, layer_shape(layer), "eager")
    model.fit(x, y, verbose=0)
    expected, predicted = (
        predictions(model, x),
        predictions(through_file(model), x),
    )
    require(
        np.allclose(expected, predicted, rtol=1e-5, atol=1e-6),
        "the reloaded model predicts otherwise",
    )


def quantizes(subject):
    """With its kernels in int8, a model predicts nearly the same.

    So it does after a reload. Layers without a kernel promise nothing here.
    """
    layer = usable_layer(subject.make())
    model, x, _ = layer_model(layer, layer_shape(layer))
    parts = quantizable(layer)
    if not parts:
        raise NotApplicable("it holds no kernel that Keras quantizes")
    require_quantized(model, x, parts)


def serves_several_threads(subject):
    """Threads that share the layer get the answers to their own inputs."""
    layer, x = _layer_and_input(subject)
    layer(x)
    if not layer.weights:
        raise NotApplicable("it has no weights that threads could share")
    inputs = [keras.ops.convert_to_tensor(x * (i + 1)) for i in range(4)]
    expected = [to_numpy(layer(own, training=False)) for own in inputs]

    def wrong_answers(thread):
        answers = [layer(inputs[thread], training=False) for _ in range(5)]
        return sum(
            not np.allclose(to_numpy(a), expected[thread], atol=1e-5)
            for a in answers
        )

    with often_switched(), ThreadPoolExecutor(4) as pool:
        wrong = sum(pool.map(wrong_answers, range(4)))
    require(wrong == 0, f"{wrong} of 20 answers to four threads are wrong")
    after = to_numpy(layer(inputs[0], training=False))
    require(
        np.allclose(after, expected[0], atol=1e-5),
        "after four threads, the answers are wrong",
    )


@contextlib.contextmanager
def often_switched():
    """Lets Python's threads take over from one another at every chance."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def exports(subject):
    """The SavedModel predicts as the model does."""
    layer = usable_layer(subject.make())
    model, x, _ = layer_model(layer, layer_shape(layer))
    expected, exported = predictions(model, x), exported_predictions(model, x)
    require(
        np.allclose(expected, exported, rtol=1e-4, atol=1e-5),
        "the exported model predicts otherwise",
    )


def _layer_and_input(subject, **changes):
    layer = usable_layer(subject.make(**changes))
    shape = layer_shape(layer)
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    return layer, x


PROMISES = [
    *common.PROMISES,
    is_deterministic_in_inference,
    gives_the_promised_shape,
    passes_gradients,
    trains_alike_compiled_or_not,
    computes_in_mixed_precision,
    repeats_itself_by_its_seed,
    takes_integers_as_floats,
    reloads,
    quantizes,
    serves_several_threads,
    exports,
]

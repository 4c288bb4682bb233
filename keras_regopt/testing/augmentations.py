"""The promises of every random augmentation, of any kind of data."""

import warnings

import keras
import numpy as np

from keras_regopt.testing import common, companions
from keras_regopt.testing._backend import to_numpy
from keras_regopt.testing._contract import NotApplicable, require
from keras_regopt.testing._elements import (
    distinct,
    elements_of,
    fed,
    input_for,
    layer_and_elements,
)
from keras_regopt.testing._samples import compile_arguments, modes
from keras_regopt.testing._saving import (
    exported_predictions,
    predictions,
    through_file,
)


def is_identity_in_inference(subject):
    """`model(x)`, `predict`, `evaluate` and `training=False` change nothing.

    A layer that changes the size of images must do so there too, but always
    alike.
    """
    layer, x = layer_and_elements(subject)
    model, expected = _model(layer), _in_inference(layer, x)
    for called, output in {
        "model(x)": to_numpy(model(keras.ops.convert_to_tensor(x))),
        "predict": model.predict(fed(x), verbose=0),
        "training=False": to_numpy(layer(x, training=False)),
    }.items():
        require(np.array_equal(output, expected), f"{called} augments")
    if layer.holds_strings:
        # There is no loss of strings.
        return
    loss = model.evaluate(x, expected, verbose=0)
    require(loss == 0, f"evaluate augments: the loss is {loss}")


def is_identity_when_exported(subject):
    """The SavedModel returns its inputs, but for their size."""
    layer, x = layer_and_elements(subject)
    output = exported_predictions(_model(layer), x)
    require(
        np.array_equal(output, _in_inference(layer, x)),
        "the exported model augments",
    )


def acts_in_training(subject):
    """`fit`, `training=True` and eager calls of augmentations augment."""
    layer, x = layer_and_elements(subject)
    rest = _in_inference(layer, x)
    for mode in [] if layer.holds_strings else modes():
        if mode == "jit" and not layer.supports_jit:
            continue
        model = _model(layer, mode)
        with warnings.catch_warnings():
            # Keras warns of a model without weights.
            warnings.simplefilter("ignore")
            loss = model.fit(x, rest, verbose=0).history["loss"][0]
        require(np.isfinite(loss) and loss > 0, f"fit, mode {mode}: {loss}")
    # Keras would make floats of ids for a model that does not know its input.
    container = keras.Sequential([input_for(layer, x), layer])
    for called, output in {
        "a call with training=True": layer(x, training=True),
        "a plain eager call": layer(x),
        "a call of a container of augmentations": container(x),
    }.items():
        require(
            not np.array_equal(to_numpy(output), rest), f"{called} does not act"
        )


def works_in_tf_data(subject):
    """A `tf.data` map augments elements or, to mix, batches, of any size."""
    import tensorflow as tf

    layer = subject.make()
    x = elements_of(layer)
    rest = x
    if not layer.holds_strings:
        rest = _in_inference(layer, x)
    # Most layers of sounds must know their length, and say so.
    sizes = 2 if layer.key == "images" else 0

    def of_any_size(data):
        """The same tensor, of whose size the graph knows nothing."""
        axes = layer.mixes + sizes
        shape = [None] * axes + data.shape[axes:]
        return tf.raw_ops.PlaceholderWithDefault(input=data, shape=shape)

    data = tf.data.Dataset.from_tensor_slices(x)
    if layer.mixes:
        data = data.batch(3).map(of_any_size).map(layer)
    else:
        data = data.map(of_any_size).map(layer).batch(3)
    output = np.concatenate(list(data.as_numpy_iterator()))
    require(output.shape == rest.shape, f"the shape is {output.shape}")
    require(not np.array_equal(output, rest), "the map does not augment")


def draws_for_each_element(subject):
    """Equal elements of a batch become different ones, unless mixed."""
    if subject.make().mixes:
        raise NotApplicable("Equal elements stay equal when they are mixed")
    layer, x = layer_and_elements(subject, seed=0)
    output = to_numpy(layer(np.repeat(x[:1], 16, axis=0), training=True))
    require(distinct(output) > 2, "all elements are augmented alike")


def repeats_itself_by_its_seed(subject):
    """Two layers with one seed draw the same, two calls do not."""
    first, x = layer_and_elements(subject, seed=0)
    second = subject.make(seed=0)
    draws = [to_numpy(layer(x, training=True)) for layer in (first, second)]
    require(np.array_equal(*draws), "two layers with one seed differ")
    again = to_numpy(first(x, training=True))
    require(not np.array_equal(draws[0], again), "two calls draw the same")


def goes_on_after_a_reload(subject):
    """A saved layer draws next what the original draws next."""
    layer, x = layer_and_elements(subject, seed=0)
    model = _model(layer)
    layer(x, training=True)
    reloaded = through_file(model)
    require(
        np.array_equal(
            predictions(model, fed(x)), predictions(reloaded, fed(x))
        ),
        "the reloaded model predicts otherwise",
    )
    outputs = [
        to_numpy(m.layers[1](x, training=True)) for m in (model, reloaded)
    ]
    require(np.array_equal(*outputs), "the state of the seed is lost")


def changes_no_input(subject):
    """Neither the caller's arrays nor the caller's dict are edited."""
    layer, x = layer_and_elements(subject)
    data = {layer.key: x, "labels": np.arange(len(x))}
    layer(data, training=True)
    require(
        np.array_equal(x, elements_of(layer)),
        f"the caller's {layer.key} changed",
    )
    require(
        data[layer.key] is x and set(data) == {layer.key, "labels"},
        "the caller's dict changed",
    )


def leaves_labels_alone(subject):
    """Large ids pass a half-precision layer as they are, unless mixed."""
    if subject.make().mixes:
        raise NotApplicable("It mixes the labels, too")
    ids = np.array([999, 2049, 70001, 3, 4, 5])
    layer, x = layer_and_elements(subject, dtype="mixed_float16")
    output = layer({layer.key: x, "labels": ids}, training=True)
    labels = keras.ops.convert_to_numpy(output["labels"])
    require(np.array_equal(labels, ids), f"{ids} became {labels}")


def keeps_to_its_dtypes(subject):
    """Floats leave in the compute dtype, all else in its own."""
    key = subject.make().key
    for policy, dtype_in, expected in DTYPES.get(key, FLOATS):
        layer, x = layer_and_elements(subject, dtype=policy)
        for training in (True, False):
            output = layer(x.astype(dtype_in), training=training)
            dtype = keras.backend.standardize_dtype(output.dtype)
            require(
                dtype == expected,
                f"{dtype_in} became {dtype} under the policy {policy}",
            )


def gives_the_promised_shape(subject):
    """Shapes stay as `compute_output_shape` says, the batch size open."""
    layer, x = layer_and_elements(subject)
    promised = tuple(layer.compute_output_shape(x.shape))
    shape = tuple(layer(x, training=True).shape)
    require(shape == promised, f"the shape is {shape}, promised {promised}")
    if not layer.mixes:
        single = tuple(layer(x[0], training=True).shape)
        require(single == promised[1:], f"one element has the shape {single}")
    symbolic = layer(input_for(layer, x)).shape
    require(symbolic[0] is None, f"an open batch size became {symbolic[0]}")


# Policies, the dtypes of the data and those of the results.
FLOATS = (
    ("float32", "float32", "float32"),
    ("mixed_float16", "float32", "float16"),
)
DTYPES = {
    "images": (*FLOATS, ("float32", "uint8", "uint8")),
    "token_ids": (
        ("float32", "int32", "int32"),
        ("mixed_float16", "int16", "int16"),
    ),
    "texts": (("mixed_float16", object, "string"),),
}


def _in_inference(layer, x):
    """The output of a layer in inference: `x`, or another size."""
    rest = to_numpy(layer(x, training=False))
    if rest.shape == x.shape:
        require(np.array_equal(rest, x), "a call with training=False augments")
    return rest


def _model(layer, mode=None):
    """A model that augments its input, with another layer behind."""
    inputs = input_for(layer, elements_of(layer))
    outputs = keras.layers.Identity()(layer(inputs))
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mse", **compile_arguments(mode))
    return model


PROMISES = [
    *common.PROMISES,
    is_identity_in_inference,
    is_identity_when_exported,
    acts_in_training,
    works_in_tf_data,
    draws_for_each_element,
    repeats_itself_by_its_seed,
    goes_on_after_a_reload,
    changes_no_input,
    leaves_labels_alone,
    keeps_to_its_dtypes,
    gives_the_promised_shape,
    *companions.PROMISES,
]

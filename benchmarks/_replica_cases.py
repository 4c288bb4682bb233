"""Small trainings, each with one object of this package in it.

The objects come from the registry, their arguments from the tests' samples.
"""

import os
import tempfile
from functools import partial

import keras
import numpy as np
from _replica_case import BATCH, Case, made, samples

from keras_regopt._registry import registered
from keras_regopt.augmentation import RandomAugmentation, map_dataset
from keras_regopt.layers import Zoneout
from keras_regopt.layers._wrapper import Wrapper
from keras_regopt.regularizers import L2
from keras_regopt.testing._contract import Subject
from keras_regopt.testing._samples import layer_shape, usable_layer

IMAGES = (12, 10, 3)


def cases(kind):
    """The cases of one of `KINDS`."""
    return list(KINDS[kind]())


def _keras_layers():
    """Keras' own, to tell its limits from ours."""
    for name, make in {
        "Keras Dropout": lambda: keras.layers.Dropout(0.5, seed=0),
        "Keras BatchNormalization": keras.layers.BatchNormalization,
        "Keras BatchNormalization, synchronized": _synchronized,
    }.items():
        yield Case(name, _around(make), (6,))


def _synchronized():
    # Keras has it on TensorFlow alone; JAX computes over all devices anyway.
    together = keras.backend.backend() == "tensorflow"
    return keras.layers.BatchNormalization(synchronized=together)


def _layers():
    yield from _keras_layers()
    for cls in registered(keras.layers.Layer):
        others = (keras.Model, RandomAugmentation, keras.Regularizer)
        if issubclass(cls, others):
            continue
        make = partial(_layer, cls)
        shape = layer_shape(make())[1:]
        yield Case(cls.__name__, _around(make), shape)
        if issubclass(cls, Wrapper) and not issubclass(cls, Zoneout):
            # One number for each weight: units there are in single layers.
            other = {"per": "weight"} if Subject(cls).takes("per") else {}
            make = partial(_around_normalized, cls, other)
            name = f"{cls.__name__}, batch normalization within"
            yield Case(name, _around(make), (6,))


def _layer(cls):
    layer = usable_layer(made(cls))
    if hasattr(layer, "adapt"):
        # To more examples than there are features.
        random = np.random.default_rng(1)
        shape = (64, *layer_shape(layer)[1:])
        layer.adapt(random.normal(size=shape).astype("float32"))
    return layer


def _around_normalized(cls, arguments):
    return made(cls, layer=_normalized(), **arguments)


def _normalized():
    """Whose replicas wait for one another in the middle of a call."""
    return keras.Sequential(
        [keras.layers.Dense(3, use_bias=False), _synchronized()]
    )


def _around(make):
    def model():
        layer = make()
        parts = [layer, keras.layers.Flatten(), keras.layers.Dense(1)]
        return keras.Sequential([keras.Input(layer_shape(layer)[1:]), *parts])

    return model


def _models():
    for cls in registered(keras.Model):
        subject = Subject(cls, samples.arguments_of(cls.__name__))
        if subject.arguments["model"].input_shape[1:] == IMAGES:
            yield Case(cls.__name__, partial(made, cls), IMAGES, (6,))
            continue
        for within in ("", "dropout", "batch normalization"):
            name = f"{cls.__name__}, {within} within".replace(",  within", "")
            yield Case(
                name,
                partial(_around_net, cls, within),
                (6,),
                (6,),
                wrap=_with_group if cls.__name__ == "MinDiff" else _as_it_is,
            )


def _around_net(cls, within):
    return made(cls, model=_net(within))


def _as_it_is(x, y):
    return x, y


def _with_group(x, y):
    # The same for each half and quarter of a batch.
    return {"inputs": x, "group": np.arange(len(x)) % 2}, y


def _net(within):
    between = {
        "": [],
        "dropout": [keras.layers.Dropout(0.2, seed=1)],
        "batch normalization": [_synchronized()],
    }[within]
    hidden = keras.layers.Dense(8, "tanh", name="hidden")
    return keras.Sequential(
        [keras.Input((6,)), hidden, *between, keras.layers.Dense(6, "softmax")]
    )


def _augmentations(mixing=False):
    for cls in registered(RandomAugmentation):
        if issubclass(cls, keras.Model):
            continue
        # Of a container, what is in it tells.
        mixes = made(cls).mixes
        if mixing and not mixes:
            continue
        make = partial(_with_augmentation, cls)
        name = f"{cls.__name__}, in the model"
        yield Case(name, make, IMAGES, high=255.0)
        if mixes:
            yield Case(
                f"{cls.__name__}, mapped over the data",
                _image_model,
                IMAGES,
                (6,),
                high=255.0,
                draws=True,
                wrap=partial(_mapped, cls),
            )


def _with_augmentation(cls):
    return _image_model(made(cls, seed=0))


def _image_model(*layers):
    outputs = 1 if layers else 6
    return keras.Sequential(
        [
            keras.Input(IMAGES),
            *layers,
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            keras.layers.Dense(outputs),
        ]
    )


def _mapped(cls, x, y):
    import tensorflow as tf

    layer = made(cls, seed=0)
    labels = np.argmax(y, axis=1)
    pairs = tf.data.Dataset.from_tensor_slices((x, labels)).batch(BATCH)
    return map_dataset(pairs, layer), None


def _regularizers():
    for cls in registered(keras.Regularizer):
        yield Case(cls.__name__, partial(_penalized, cls), (4,))


def _penalized(cls):
    arguments = {"kernel_regularizer": made(cls)}
    if cls.on_activities and _adds_up(cls):
        arguments["activity_regularizer"] = made(cls)
    return _dense(**arguments)


def _adds_up(cls):
    """Whether twice the examples have twice the penalty.

    Else those of the replicas do not add up to that of the batch, as with
    the norm of a column.
    """
    x = np.random.default_rng(2).normal(size=(8, 4)).astype("float32")
    one, two = (made(cls)(array) for array in (x, np.concatenate([x, x])))
    return np.isclose(float(two), 2 * float(one), rtol=1e-3)


def _constraints():
    for cls in registered(keras.constraints.Constraint):
        yield Case(cls.__name__, partial(_constrained, cls), (4,))


def _constrained(cls):
    return _dense(kernel_constraint=made(cls))


def _optimizers():
    for cls in registered(keras.optimizers.Optimizer):
        optimizer = partial(made, cls)
        yield Case(cls.__name__, _dense, (4,), optimizer=optimizer)


def _callbacks():
    for cls in registered(keras.callbacks.Callback):
        yield Case(
            cls.__name__,
            # For those that log a penalty or change its strength.
            _with_penalty,
            (4,),
            callbacks=partial(_callbacks_of, cls),
            epochs=3,
        )


def _with_penalty():
    return _dense(kernel_regularizer=L2(1e-3))


def _callbacks_of(cls):
    changes = {}
    if Subject(cls).takes("backup_dir"):
        directory = tempfile.mkdtemp()
        changes["backup_dir"] = os.path.join(directory, "backup")
    return [made(cls, **changes)]


def _dense(**arguments):
    hidden = keras.layers.Dense(4, activation="tanh", name="dense", **arguments)
    return keras.Sequential(
        [
            keras.Input((4,)),
            hidden,
            keras.layers.Dense(1, use_bias=False, name="top"),
        ]
    )


KINDS = {
    "models": _models,
    "layers": _layers,
    "mixing": partial(_augmentations, mixing=True),
    "callbacks": _callbacks,
    "regularizers": _regularizers,
    "constraints": _constraints,
    "optimizers": _optimizers,
    "augmentations": _augmentations,
}

"""What the examples of the docs take as given: small models and data.

A page may use each name of `given(page)` as it is. Beside these it stands for
itself: it imports what it uses, but for `keras`, `np` and `tf`.
"""

import keras
import numpy as np

import keras_regopt


def given(page):
    """The names that a page may use before it has made them.

    Args:
        page: The name of the page, such as `"tuning"`.

    Returns:
        A dict. Files that the page reads are written, too.
    """
    names = {"keras": keras, "np": np}
    return {**names, **_PAGES.get(page, dict)()}


def arrays(classes=2):
    """Forty examples, and as many for each use of them."""
    random = np.random.default_rng(0)
    x = random.normal(size=(40, 8)).astype("float32")
    y = np.arange(40) % classes
    parts = {f"{n}_{p}": v for p in PARTS for n, v in (("x", x), ("y", y))}
    return {"x": x, "y": y, "x_new": x, **parts}


PARTS = ("train", "dev", "val", "test")
CONCEPTS = (
    "bias_variance",
    "descent",
    "fairness",
    "gradient_checking",
    "momentum",
    "monitoring",
    "normalizing_inputs",
    "plateaus",
    "splits",
)


def classifier(classes=1):
    """A compiled classifier of `arrays()`; of two classes by one output."""
    inner = [keras.Input((8,)), keras.layers.Dense(4, "relu")]
    if classes == 1:
        last, loss = keras.layers.Dense(1, "sigmoid"), "binary_crossentropy"
    else:
        last = keras.layers.Dense(classes, "softmax")
        loss = "sparse_categorical_crossentropy"
    model = keras.Sequential([*inner, last])
    model.compile("adam", loss, metrics=["accuracy"])
    return model


def fill_in_ellipses(model):
    """Lets `fit(...)` and `compile(optimizer, ...)` run as they are written."""
    fit, compile = model.fit, model.compile
    x, y = arrays()["x"], arrays()["y"]

    def fit_as_shown(data=None, *args, **kwargs):
        if data is not ...:
            return fit(data, *args, **kwargs)
        return fit(x, y, **{"validation_data": (x, y), **kwargs})

    def compile_as_shown(optimizer, loss):
        compile(optimizer, "mse" if loss is ... else loss)

    model.fit, model.compile = fit_as_shown, compile_as_shown


def _augmentation():
    import tensorflow as tf

    random = np.random.default_rng(0)
    images = random.integers(0, 255, (12, 28, 28, 1)).astype("uint8")
    boxes = np.tile([[2.0, 3.0, 12.0, 15.0]], (12, 1, 1))
    pairs = tf.data.Dataset.from_tensor_slices((images, np.arange(12) % 10))
    layers = keras_regopt.augmentation
    return {
        **{name: getattr(layers, name) for name in layers.__all__},
        "tf": tf,
        "network": [
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            keras.layers.Dense(10, "softmax"),
        ],
        "images": images,
        "batch": {
            "images": images,
            "bounding_boxes": {
                "boxes": boxes,
                "labels": np.zeros((12, 1), "int32"),
            },
        },
        "train": pairs,
        "validation": pairs,
        "ds": pairs.map(lambda image, label: image),
        "files": pairs,
        "read": lambda image, label: (image, tf.one_hot(label, 10)),
        "ds_before": pairs.batch(4),
    }


def _audio():
    import tensorflow as tf

    random = np.random.default_rng(0)
    waves = random.uniform(-0.5, 0.5, (6, 1600)).astype("float32")
    pairs = tf.data.Dataset.from_tensor_slices((waves, np.arange(6)))
    return {"clips": pairs, "waves": pairs.map(lambda wave, label: wave)}


def _callbacks():
    blocks = [
        keras.layers.Dense(4, "relu", name=name)
        for name in ["embedding", *(f"block_{i}" for i in range(12))]
    ]
    model = keras.Sequential(
        [
            keras.Input((8,)),
            *blocks,
            keras.layers.Dropout(0.1, name="dropout"),
            keras.layers.Dense(4, kernel_regularizer="l2", name="dense"),
            keras.layers.Dense(1, name="head"),
        ]
    )
    model.compile("sgd", "mse")
    fill_in_ellipses(model)
    return {
        **arrays(),
        "model": model,
        "schedule": keras_regopt.schedules.CosineDecay(0.1, 10),
        "steps_per_epoch": 2,
        "val": tuple(arrays()[name] for name in "xy"),
    }


def _diagnosis():
    groups = np.arange(40) // 2 % 2
    return {
        **arrays(),
        "model": classifier(),
        "group": groups,
        # Of the parts of `split`.
        "origin_dev": groups[:8],
        "in_group_test": groups[:8],
    }


def _checks():
    classes = np.arange(60) % 3
    x = np.eye(3)[classes] + np.random.default_rng(0).normal(size=(60, 3))
    return {
        "x": x.astype("float32"),
        "y": classes,
        "x_dev": x[:20].astype("float32"),
        "y_dev": classes[:20],
        "origin_dev": np.arange(20) % 2,
        "model": keras.Sequential(
            [keras.Input((3,)), keras.layers.Dense(3, "softmax")]
        ),
    }


def _searched():
    return {"build": _built, **arrays()}


def _built(hp):
    model = classifier()
    model.optimizer.learning_rate = hp.Float("rate", 1e-4, 1e-2)
    return model


def _concepts():
    """The pages of docs/concepts that use a model or data."""
    data, model = arrays(), classifier()
    parts = {part: (data[f"x_{part}"], data[f"y_{part}"]) for part in PARTS}
    return {**data, **parts, "model": model, "origin_dev": np.arange(40) % 2}


def _regularizers():
    groups = np.arange(40) // 2 % 2
    return {
        **arrays(),
        "pretrained": classifier(),
        "classifier": classifier(),
        "in_group": groups,
        "in_group_dev": groups,
    }


def _saving():
    model = classifier()
    model.fit(arrays()["x"], arrays()["y"], verbose=0)
    model.save("model.keras")
    return {}


_PAGES = {
    "README": _saving,
    "audio": _audio,
    "augmentation": _augmentation,
    "callbacks": _callbacks,
    **dict.fromkeys(CONCEPTS, _concepts),
    "constraints": lambda: {"model": classifier()},
    "checks": _checks,
    "cross_validation": _searched,
    "diagnosis": _diagnosis,
    "layers": arrays,
    "optimizers": lambda: {"model": classifier()},
    "regularizers": _regularizers,
    "saving": _saving,
    "search": _searched,
    "schedules": lambda: {**arrays(), "batch_size": 8, "epochs": 5},
    "testing": lambda: {"MyOptimizer": keras_regopt.optimizers.SGD},
    "tuning": lambda: arrays(classes=10),
}

"""Trains real nets a few steps with the optimizers, saves, reloads, goes on.

For each net, optimizer, precision and way of running: the losses are finite,
and the step after a reload is the one that the saved model makes. Prints a
Markdown table, a line as soon as it is known.

    KERAS_BACKEND=torch python benchmarks/audit_real_nets.py --nets transformer
"""

import argparse
import functools
import itertools
import os
import sys
import tempfile
import time
import warnings

import keras
import numpy as np

from keras_regopt import optimizers

SIZE = 64
CLASSES = 10
BATCH = 4
LENGTH, WORDS = 16, 50


def image_net(name):
    make = getattr(keras.applications, name)
    return make(weights=None, input_shape=(SIZE, SIZE, 3), classes=CLASSES)


def transformer():
    ids = keras.Input((LENGTH,), dtype="int32")
    x = keras.layers.Embedding(WORDS, 32)(ids)
    for _ in range(2):
        seen = keras.layers.LayerNormalization()(x)
        x = x + keras.layers.MultiHeadAttention(4, 8)(seen, seen)
        wide = keras.layers.Dense(64, "gelu")(
            keras.layers.LayerNormalization()(x)
        )
        x = x + keras.layers.Dense(32)(wide)
    x = keras.layers.GlobalAveragePooling1D()(x)
    outputs = keras.layers.Dense(CLASSES, dtype="float32")(x)
    return keras.Model(ids, keras.layers.Softmax(dtype="float32")(outputs))


def keras_hub_text():
    import keras_hub

    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=WORDS,
        num_layers=2,
        num_heads=2,
        hidden_dim=32,
        intermediate_dim=64,
        max_sequence_length=LENGTH,
        # Its layers come back from a file with this rate, not with 0.
        dropout=0.0,
    )
    ids = keras.Input((LENGTH,), dtype="int32")
    ones = keras.ops.ones_like(ids)
    pooled = backbone(
        {"token_ids": ids, "padding_mask": ones, "segment_ids": ones * 0}
    )["pooled_output"]
    outputs = keras.layers.Dense(CLASSES, "softmax", dtype="float32")(pooled)
    return keras.Model(ids, outputs)


NETS = {
    "transformer": transformer,
    "keras_hub": keras_hub_text,
    **{
        name: lambda name=name: image_net(name)
        for name in (
            "MobileNetV3Small",
            "ResNet50",
            "EfficientNetV2B0",
            "ConvNeXtTiny",
        )
    },
}

OPTIMIZERS = {
    "Adam": lambda model: optimizers.Adam(1e-3),
    "AdamW, layer-wise": lambda model: optimizers.AdamW(
        1e-3, groups=optimizers.layerwise_decay(model, 0.9)
    ),
    "SAM": lambda model: optimizers.SAM(optimizers.Adam(1e-3)),
    "Lookahead(RAdam)": lambda model: optimizers.Lookahead(
        optimizers.RAdam(1e-3), sync_period=2
    ),
    "ScheduleFreeAdamW": lambda model: optimizers.ScheduleFreeAdamW(1e-3),
    "Prodigy": lambda model: optimizers.Prodigy(),
    "SOAP": lambda model: optimizers.SOAP(
        1e-3, precondition_frequency=2, max_precondition_dim=128
    ),
    "LAMB": lambda model: optimizers.LAMB(1e-3),
}

DTYPES = ("float32", "mixed_float16", "mixed_bfloat16")


def data(net):
    random = np.random.default_rng(0)
    y = random.integers(0, CLASSES, 2 * BATCH)
    if net in ("transformer", "keras_hub"):
        return random.integers(0, WORDS, (2 * BATCH, LENGTH)), y
    x = random.uniform(0, 255, (2 * BATCH, SIZE, SIZE, 3))
    return x.astype("float32"), y


def fit(model, x, y, epochs):
    history = model.fit(
        x, y, batch_size=BATCH, epochs=epochs, shuffle=False, verbose=0
    )
    return history.history["loss"]


def audited(net, optimizer, dtype, jit):
    """What came of one combination, a few words; "ok" if all is well."""
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(dtype)
    model = without_dropout(NETS[net]())
    model.compile(
        OPTIMIZERS[optimizer](model),
        "sparse_categorical_crossentropy",
        jit_compile=jit,
    )
    x, y = data(net)
    losses = fit(model, x, y, epochs=2)
    if not np.all(np.isfinite(losses)):
        return f"loss {losses}"
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.keras")
        model.save(path)
        reloaded = keras.saving.load_model(path)
    if reloaded.jit_compile != model.jit_compile:
        return "comes back with another `jit_compile`"
    before = [np.array(keras.ops.convert_to_numpy(w)) for w in model.weights]
    after = []
    for each in (model, reloaded):
        # Two batches, of which SAM needs both for a step.
        fit(each, x, y, epochs=1)
        after.append(
            [
                keras.ops.convert_to_numpy(w).astype("float32")
                for w in each.weights
            ]
        )
    return compared(before, *after)


def without_dropout(model):
    """The model, whose dropout is off: Keras does not save what it draws."""
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    return model


def compared(before, going_on, reloaded):
    """Whether the step after the reload is the one that was due."""
    apart = max(
        np.abs(a - b).max() for a, b in zip(going_on, reloaded, strict=True)
    )
    way = max(
        np.abs(a - b).max() for a, b in zip(before, going_on, strict=True)
    )
    if not np.isfinite(apart):
        return "weights not finite"
    return "ok" if apart <= 1e-3 * way else f"off {apart:.1g} of {way:.1g}"


@functools.cache
def keras_fails(net, dtype, jit):
    """How a step with Keras' own optimizer fails; `None` if it does not."""
    keras.config.set_dtype_policy(dtype)
    try:
        model = NETS[net]()
        model.compile(
            "adam", "sparse_categorical_crossentropy", jit_compile=jit
        )
        fit(model, *data(net), epochs=1)
    except Exception as error:
        return first_words(error)
    return None


def first_words(error):
    return " ".join(str(error).split())[:120]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, known in (
        ("nets", NETS),
        ("optimizers", OPTIMIZERS),
        ("dtypes", DTYPES),
        ("jit", ("no", "yes")),
    ):
        parser.add_argument(
            f"--{name}", nargs="*", choices=list(known), default=list(known)
        )
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"Keras {keras.__version__}, {keras.backend.backend()}\n")
    print("| net | optimizer | precision | jit | result | s |")
    print("| --- | --- | --- | --- | --- | --- |")
    bad = 0
    for net, dtype, jit, optimizer in itertools.product(
        given.nets, given.dtypes, given.jit, given.optimizers
    ):
        start = time.time()
        try:
            result = audited(net, optimizer, dtype, jit == "yes")
        except ModuleNotFoundError as error:
            result = f"skipped: {error.name} is not installed"
        except Exception as error:
            result = f"{type(error).__name__}: {first_words(error)}"
            if first_words(error) == keras_fails(net, dtype, jit == "yes"):
                result = f"skipped: Keras' Adam fails likewise: {result}"
        bad += not result.startswith(("ok", "skipped"))
        seconds = time.time() - start
        cells = (net, optimizer, dtype, jit, result, f"{seconds:.0f}")
        print("| " + " | ".join(cells) + " |", flush=True)
        keras.backend.clear_session()
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()

import itertools

import keras
import numpy as np
import pytest
import torch
from averaged_fit import AtEpochEnds, Steps, assert_same, fit, quick
from keras.optimizers import SGD
from linear_fit import BATCHES, X, Y, by_kernel_and_bias

from keras_regopt.callbacks import (
    EMA,
    GradientNormLogger,
    GradualUnfreezing,
    WeightAveraging,
)
from keras_regopt.optimizers import (
    SAM,
    Adam,
    AdamW,
    ExponentialMovingAverage,
    Lookahead,
    ScheduleFreeSGD,
    layerwise_decay,
)

# Where the weights of each layer are among those of the model.
BOTTOM, MIDDLE, TOP = slice(0, 2), slice(2, 4), slice(4, 6)


def layered_model(optimizer=None, **options):
    keras.utils.set_random_seed(5)
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(4, activation="tanh", name="bottom"),
            keras.layers.Dense(3, activation="tanh", name="middle"),
            keras.layers.Dense(1, name="top"),
        ]
    )
    optimizer = optimizer(model) if optimizer else SGD(0.05, momentum=0.9)
    model.compile(optimizer, "mse", **{**quick(), **options})
    return model


def torch_twin(model):
    """The model in torch, with its layers from the input to the output."""
    layers = []
    weights = [torch.tensor(w) for w in model.get_weights()]
    for kernel, bias in zip(weights[::2], weights[1::2], strict=True):
        layer = torch.nn.Linear(*kernel.shape)
        layer.weight.data, layer.bias.data = kernel.T.clone(), bias.clone()
        layers.append(layer)
    return layers


def test_follows_torch_through_the_unfreezing():
    model = layered_model(run_eagerly=False)
    layers = torch_twin(model)
    parameters = [p for layer in layers for p in layer.parameters()]
    descent = torch.optim.SGD(parameters, 0.05, momentum=0.9)
    for epoch in range(6):
        unfrozen = 1 + epoch // 2
        for depth, layer in enumerate(reversed(layers)):
            layer.requires_grad_(depth < unfrozen)
        for batch in BATCHES:
            x = torch.tensor(X[batch])
            x = layers[1](layers[0](x).tanh()).tanh()
            loss = (layers[2](x) - torch.tensor(Y[batch])).square().mean()
            descent.zero_grad()
            loss.backward()
            descent.step()
    fit(model, GradualUnfreezing(2), epochs=6, validate=True)
    expected = [p.detach().numpy().T for p in parameters]
    for ours, theirs in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-6)


def moved(before, after):
    return [
        any(
            not np.array_equal(a, b)
            for a, b in zip(before[part], after[part], strict=True)
        )
        for part in (BOTTOM, MIDDLE, TOP)
    ]


ONCE = pytest.mark.any_backend


@pytest.mark.any_case
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda model: "adam", marks=ONCE),
        lambda model: SGD(0.05, use_ema=True),
        lambda model: SGD(0.05, gradient_accumulation_steps=2),
        pytest.param(
            lambda model: AdamW(0.01, groups=layerwise_decay(model, 1 / 2.6)),
            marks=ONCE,
        ),
        lambda model: Lookahead(Adam(0.01), sync_period=2),
        pytest.param(
            lambda model: ExponentialMovingAverage(SGD(0.05)), marks=ONCE
        ),
        pytest.param(
            lambda model: keras.optimizers.LossScaleOptimizer(Adam(0.01)),
            marks=ONCE,
        ),
    ],
)
def test_any_optimizer_trains_what_is_unfrozen(make):
    model, ends = layered_model(make), AtEpochEnds()
    start = model.get_weights()
    fit(model, GradualUnfreezing(), ends)
    slots = len(model.optimizer.variables)
    seen = [start, *ends.seen]
    assert [moved(*pair) for pair in itertools.pairwise(seen)] == [
        [False, False, True],
        [False, True, True],
        [True, True, True],
        [True, True, True],
    ]
    whole = layered_model(make)
    fit(whole, epochs=1)
    assert len(whole.optimizer.variables) == slots


@pytest.mark.any_case
@pytest.mark.parametrize(
    "make", [lambda m: ScheduleFreeSGD(0.05), lambda m: SAM(SGD(0.05))]
)
def test_an_optimizer_that_switches_weights_trains_a_part(make):
    model, ends = layered_model(make), AtEpochEnds()
    start = model.get_weights()
    fit(model, GradualUnfreezing(), ends)
    assert moved(start, ends.seen[0]) == [False, False, True]


@pytest.mark.any_backend
def test_discriminative_rates_are_those_of_the_groups():
    def make(model):
        return AdamW(0.01, weight_decay=0.0, groups=layerwise_decay(model, 0.5))

    model, steps = layered_model(make), Steps()
    fit(model, GradualUnfreezing(groups=["bottom|middle|top"]), steps, epochs=1)
    first, second = steps.seen[:2]
    # The first step of Adam is the rate, whatever the gradient.
    for part, rate in ((BOTTOM, 0.0025), (MIDDLE, 0.005), (TOP, 0.01)):
        for old, new in zip(first[part], second[part], strict=True):
            np.testing.assert_allclose(np.abs(new - old), rate, rtol=0.02)


@pytest.mark.any_backend
def test_goes_on_by_the_number_of_the_epoch():
    whole, parts = layered_model(), layered_model()
    fit(whole, GradualUnfreezing(), epochs=4)
    for epoch in range(4):
        part = GradualUnfreezing()
        fit(parts, part, epochs=epoch + 1, first_epoch=epoch)
        assert part.state() == {"unfrozen": min(epoch + 1, 3)}
    assert_same(parts.get_weights(), whole.get_weights())


def flags(model):
    return [v.trainable for v in model.weights] + [
        layer.trainable for layer in model._flatten_layers()
    ]


class Flags(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.batches, self.elsewhere = [], []

    def look(self, *arguments, **options):
        self.elsewhere.append(flags(self.model))

    on_test_begin = on_epoch_end = on_train_end = look

    def on_train_batch_end(self, batch, logs=None):
        self.batches.append(len(self.model.trainable_variables))


@pytest.mark.any_backend
def test_the_model_is_frozen_during_the_batches_alone():
    model, seen = layered_model(), Flags()
    # Once built, the optimizer knows what is frozen now by itself.
    model.optimizer.build(model.trainable_variables)
    model.get_layer("middle").kernel.trainable = False
    before = flags(model)
    fit(model, GradualUnfreezing(), seen, validate=True, epochs=3)
    assert seen.batches == [2, 2, 3, 3, 5, 5]
    assert seen.elsewhere == [before] * 7


@pytest.mark.any_backend
def test_after_the_end_everything_is_trained_again():
    model = layered_model()
    fit(model, GradualUnfreezing(), epochs=1)
    start = model.get_weights()
    fit(model, epochs=1)
    assert moved(start, model.get_weights()) == [True, True, True]


@pytest.mark.any_backend
def test_after_an_error_the_next_fit_or_unfreeze_finds_all_of_it():
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    model, unfreezing = layered_model(), GradualUnfreezing()
    before = flags(model)
    stop = keras.callbacks.LambdaCallback(on_train_batch_end=interrupt)
    for again in range(2):
        with pytest.raises(KeyboardInterrupt):
            fit(model, unfreezing, stop, epochs=again + 1)
        assert len(model.trainable_variables) == 2
    unfreezing.unfreeze()
    assert flags(model) == before


@pytest.mark.any_backend
def test_a_checkpoint_of_a_frozen_model_reloads_with_its_optimizer(tmp_path):
    model = layered_model(lambda m: Adam(0.01))
    path = str(tmp_path / "{epoch}.keras")
    checkpoint = keras.callbacks.ModelCheckpoint(path)
    fit(model, GradualUnfreezing(), checkpoint, epochs=1)
    reloaded = keras.saving.load_model(path.format(epoch=1))
    ours = [v.numpy() for v in reloaded.optimizer.variables]
    theirs = [v.numpy() for v in model.optimizer.variables]
    assert_same(ours, theirs)
    for each in (model, reloaded):
        fit(each, GradualUnfreezing(), epochs=3, first_epoch=1)
    for a, b in zip(model.get_weights(), reloaded.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_frozen_batch_normalization_keeps_its_statistics():
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.BatchNormalization(name="below"),
            keras.layers.Dense(1, name="head"),
        ]
    )
    model.compile(SGD(0.05), "mse", **quick())
    ends, start = AtEpochEnds(), model.get_weights()
    fit(model, GradualUnfreezing(), ends, epochs=2)
    assert_same(ends.seen[0][:4], start[:4])
    for before, after in zip(start[:4], ends.seen[1][:4], strict=True):
        assert not np.array_equal(before, after)


@pytest.mark.any_backend
def test_groups_are_patterns_of_names_at_any_depth():
    body = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(2, name="block_0"),
            keras.layers.Dense(2, name="block_1"),
        ],
        name="body",
    )
    model = keras.Sequential(
        [keras.Input((2,)), body, keras.layers.Dense(1, name="head")]
    )
    model.compile(SGD(0.05), "mse", **quick())
    seen, ends = Flags(), AtEpochEnds()
    start = model.get_weights()
    # The head is in no group.
    unfreezing = GradualUnfreezing(groups=["block_0", "block_[1-9]"])
    fit(model, unfreezing, seen, ends, epochs=2)
    assert seen.batches == [4, 4, 6, 6]
    assert moved(start, ends.seen[0]) == [False, True, True]


def test_averages_what_is_unfrozen_in_the_middle_of_a_training():
    averaging = WeightAveraging(EMA(0.5), overwrite=False)
    alone, steps = layered_model(), Steps()
    fit(alone, GradualUnfreezing(), steps, epochs=3)
    model = layered_model()
    fit(model, GradualUnfreezing(), averaging, epochs=3, validate=True)
    assert_same(model.get_weights(), alone.get_weights())
    averaging.use_averages()
    shares = EMA(0.5).weights_of_samples(6)
    for i, ours in enumerate(model.get_weights()):
        expected = sum(
            share * seen[i]
            for share, seen in zip(shares, steps.seen[1:], strict=True)
        )
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.skipif(
    keras.backend.backend() == "torch", reason="Keras runs torch eagerly."
)
def test_the_train_function_is_compiled_once_for_each_unfreezing():
    traces = []

    class Traced(keras.layers.Dense):
        def call(self, x, training=None):
            traces.append(training)
            return super().call(x)

    model = keras.Sequential(
        [keras.Input((2,)), Traced(2, name="a"), Traced(1, name="b")]
    )
    model.compile(SGD(0.05), "mse", run_eagerly=False)
    counts = []
    look = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: counts.append(len(traces))
    )
    fit(model, GradualUnfreezing(2), look, epochs=5)
    assert counts[0] == counts[1] < counts[2] == counts[3] == counts[4]


def test_a_model_that_is_compiled_anew_goes_on_unfreezing():
    def anew(epoch, logs):
        if epoch == 1:
            model.compile(SGD(0.03), "mse", **quick())
            model.optimizer.build(model.trainable_variables)

    model, twin = layered_model(), layered_model()
    recompiling = keras.callbacks.LambdaCallback(on_epoch_begin=anew)
    fit(model, recompiling, GradualUnfreezing(), epochs=2)
    fit(twin, GradualUnfreezing(), epochs=1)
    twin.compile(SGD(0.03), "mse", **quick())
    fit(twin, GradualUnfreezing(), epochs=2, first_epoch=1)
    assert_same(model.get_weights(), twin.get_weights())


@pytest.mark.any_backend
def test_an_optimizer_that_knows_a_part_is_refused():
    model = layered_model()
    model.get_layer("bottom").trainable = False
    fit(model, epochs=1)
    model.get_layer("bottom").trainable = True
    with pytest.raises(ValueError, match="Compile the model again"):
        fit(model, GradualUnfreezing())


@pytest.mark.any_backend
def test_an_optimizer_that_needs_all_gradients_is_refused():
    def several(model):
        return by_kernel_and_bias()

    with pytest.raises(ValueError, match="which a MultiOptimizer cannot"):
        fit(layered_model(several), GradualUnfreezing())


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (["bottom", "head"], "The layers are: .*bottom, middle, top"),
        (["bottom|middle", "middle|top"], "patterns that share no weight"),
    ],
)
def test_groups_that_do_not_fit_the_model_are_refused(groups, message):
    with pytest.raises(ValueError, match=message):
        fit(layered_model(), GradualUnfreezing(groups=groups))


@pytest.mark.any_backend
def test_a_model_with_nothing_to_train_is_refused():
    model = layered_model()
    unfreezing = GradualUnfreezing()
    model.trainable = False
    unfreezing.set_model(model)
    with pytest.raises(ValueError, match="has something to train"):
        unfreezing.on_train_begin()


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("epochs_per_group", 0),
        ("groups", "top"),
        ("groups", []),
        ("groups", ["("]),
        ("groups", [3]),
        ("groups", ["top", "top"]),
    ],
)
def test_a_bad_argument_is_refused(argument, value):
    with pytest.raises(
        ValueError, match=f"`{argument}` of GradualUnfreezing must be"
    ):
        GradualUnfreezing(**{argument: value})


@pytest.mark.parametrize("order", [1, -1])
def test_trains_beside_a_logger_of_gradient_norms(order):
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(2), keras.layers.Dense(1)]
    )
    model.compile(keras.optimizers.SGD(0.1), "mse")
    callbacks = [GradualUnfreezing(), GradientNormLogger()][::order]
    history = model.fit(
        np.ones((8, 2)),
        np.ones((8, 1)),
        epochs=2,
        verbose=0,
        callbacks=callbacks,
    ).history
    norms = [k for k in history if "norm" in k]
    assert norms
    assert all(np.isfinite(history[k]).all() for k in norms)
    # Nothing is left for a training without them.
    assert "train_step" not in vars(model)

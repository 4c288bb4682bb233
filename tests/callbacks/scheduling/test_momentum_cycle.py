import keras
import numpy as np
import pytest
import torch
from keras_versions import multi_optimizer
from linear_fit import X, Y, fit, linear_model

from keras_regopt import optimizers as ours
from keras_regopt.callbacks import MomentumCycle
from keras_regopt.schedules import Cyclical, OneCycle, Scale

STEPS = 20


def torch_model(start):
    model = torch.nn.Linear(2, 1).double()
    with torch.no_grad():
        model.weight.copy_(torch.tensor(start[0].T))
        model.bias.copy_(torch.tensor(start[1]))
    return model


def torch_weights(make, start, rate=None):
    """Weights after each step of a torch optimizer and its scheduler.

    `rate` holds the learning rate, so that the momentum alone is cycled.
    """
    model = torch_model(start)
    optimizer, scheduler = make(model.parameters())
    seen = []
    for step in range(STEPS):
        batch = slice(0, 2) if step % 2 == 0 else slice(2, 4)
        if rate is not None:
            optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        errors = model(torch.tensor(X[batch]).double()) - torch.tensor(Y[batch])
        errors.square().mean().backward()
        optimizer.step()
        if step < STEPS - 1:
            scheduler.step()
        weight = model.weight.detach().numpy().T.copy()
        seen.append([weight, model.bias.detach().numpy().copy()])
    return seen


class EachStep(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        if keras.backend.backend() == "jax":
            self.model.jax_state_sync()
        self.seen.append([np.array(w) for w in self.model.get_weights()])


def require_alike(seen, expected):
    for ours_now, theirs_now in zip(seen, expected, strict=True):
        for mine, theirs in zip(ours_now, theirs_now, strict=True):
            np.testing.assert_allclose(mine, theirs, atol=1e-5)


def torch_one_cycle(optimizer, **options):
    return torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 0.05, total_steps=STEPS, cycle_momentum=True, **options
    )


ADAMS = {
    "keras": lambda rate: keras.optimizers.Adam(rate, epsilon=1e-12),
    "ours": lambda rate: ours.Adam(rate, epsilon=1e-12),
    "wrapped": lambda rate: keras.optimizers.LossScaleOptimizer(
        ours.Lookahead(
            keras.optimizers.Adam(rate, epsilon=1e-12), slow_step_size=1.0
        ),
        initial_scale=8.0,
    ),
}
BACKEND = keras.backend.backend()
COMPILED = [] if BACKEND == "torch" else [("ours", True)]


@pytest.mark.any_case
@pytest.mark.parametrize(
    ("kind", "jit_compile"), [(kind, "auto") for kind in ADAMS] + COMPILED
)
def test_adam_under_one_cycle_steps_as_that_of_torch(kind, jit_compile):
    model = linear_model(
        ADAMS[kind](OneCycle(0.05, STEPS)), jit_compile=jit_compile
    )
    start, each = model.get_weights(), EachStep()
    fit(model, MomentumCycle(), each, epochs=STEPS // 2)

    def theirs(parameters):
        optimizer = torch.optim.Adam(parameters, eps=1e-12)
        return optimizer, torch_one_cycle(optimizer)

    require_alike(each.seen, torch_weights(theirs, start))


SGDS = {
    "keras": keras.optimizers.SGD,
    "nesterov": lambda rate, momentum: ours.SGD(rate, momentum, nesterov=True),
}


@pytest.mark.parametrize("kind", SGDS)
def test_the_momentum_of_sgd_takes_the_values_of_torch_in_each_step(kind):
    # At one rate: Keras keeps the rate inside of the velocity, torch does not.
    model = linear_model(SGDS[kind](0.05, momentum=0.9))
    start, each = model.get_weights(), EachStep()
    cycle = OneCycle(1.0, STEPS).unit_cycle()
    fit(model, MomentumCycle(0.5, 0.9, cycle), each, epochs=STEPS // 2)

    def theirs(parameters):
        optimizer = torch.optim.SGD(
            parameters, lr=0.05, momentum=0.9, nesterov=kind == "nesterov"
        )
        options = {"base_momentum": 0.5, "max_momentum": 0.9}
        return optimizer, torch_one_cycle(optimizer, **options)

    require_alike(each.seen, torch_weights(theirs, start, rate=0.05))


def momenta(make, steps):
    optimizer = torch.optim.SGD(
        [torch.nn.Parameter(torch.zeros(1))], momentum=1
    )
    scheduler, values = make(optimizer), []
    for step in range(steps):
        if step:
            optimizer.step()
            scheduler.step()
        values.append(optimizer.param_groups[0]["momentum"])
    return values


@pytest.mark.any_backend
@pytest.mark.parametrize("three_phase", [False, True])
@pytest.mark.parametrize("anneal", ["cosine", "linear"])
def test_the_values_are_those_of_torch_for_every_one_cycle(three_phase, anneal):
    theirs = momenta(
        lambda o: torch.optim.lr_scheduler.OneCycleLR(
            o,
            0.1,
            total_steps=33,
            three_phase=three_phase,
            anneal_strategy={"cosine": "cos", "linear": "linear"}[anneal],
        ),
        33,
    )
    rate = OneCycle(0.1, 33, three_phase=three_phase, anneal=anneal)
    ours = MomentumCycle()
    values = [float(ours._value(rate.unit_cycle(), s)) for s in range(33)]
    np.testing.assert_allclose(values, theirs, atol=1e-6)


@pytest.mark.any_backend
@pytest.mark.parametrize("mode", ["triangular", "triangular2", "exp_range"])
def test_the_values_are_those_of_torch_for_every_cyclical_rate(mode):
    theirs = momenta(
        lambda o: torch.optim.lr_scheduler.CyclicLR(
            o,
            0.1,
            0.6,
            7,
            mode=mode,
            gamma=0.97,
            base_momentum=0.8,
            max_momentum=0.9,
        ),
        40,
    )
    rate = Cyclical(0.1, 0.6, 7, mode, gamma=0.97)
    ours = MomentumCycle(0.8, 0.9)
    values = [float(ours._value(rate.unit_cycle(), s)) for s in range(40)]
    np.testing.assert_allclose(values, theirs, atol=1e-6)


@pytest.mark.any_backend
def test_all_members_of_a_multi_optimizer_are_cycled():
    def multi():
        return multi_optimizer(
            keras.optimizers.Adam(OneCycle(0.05, STEPS), epsilon=1e-12),
            {
                ".*kernel": ours.Adam(
                    Scale(OneCycle(0.1, STEPS), 0.5), epsilon=1e-12
                )
            },
        )

    model = linear_model(multi())
    start, each = model.get_weights(), EachStep()
    fit(model, MomentumCycle(), each, epochs=STEPS // 2)

    def theirs(parameters):
        optimizer = torch.optim.Adam(parameters, eps=1e-12)
        return optimizer, torch_one_cycle(optimizer)

    require_alike(each.seen, torch_weights(theirs, start))


@pytest.mark.any_backend
def test_a_saved_model_and_the_time_afterwards_have_the_own_value(tmp_path):
    path = tmp_path / "during.keras"
    optimizer = keras.optimizers.SGD(OneCycle(0.05, 8), momentum=0.7)
    model = linear_model(optimizer)
    saver = keras.callbacks.ModelCheckpoint(path)
    fit(model, MomentumCycle(), saver, epochs=2)
    assert optimizer.momentum == 0.7
    assert "apply" not in vars(optimizer)
    during = keras.saving.load_model(path)
    assert during.optimizer.get_config() == optimizer.get_config()

    # What comes next is a training with the own momentum.
    for each in (model, during):
        fit(each, epochs=1)
    for one, other in zip(model.weights, during.weights, strict=True):
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(one), keras.ops.convert_to_numpy(other)
        )


@pytest.mark.any_backend
def test_what_an_error_left_behind_ends_with_the_next_training():
    def interrupt(epoch, logs):
        raise KeyboardInterrupt

    optimizer = keras.optimizers.SGD(OneCycle(0.05, 8), momentum=0.7)
    model = linear_model(optimizer, run_eagerly=BACKEND != "jax")
    callback = MomentumCycle()
    interrupting = keras.callbacks.LambdaCallback(on_epoch_end=interrupt)
    with pytest.raises(KeyboardInterrupt):
        fit(model, callback, interrupting, epochs=1)
    assert optimizer.momentum == 0.7
    # With the callback or without it.
    for callbacks in ([callback], []):
        assert "apply" in vars(optimizer)
        fit(model, *callbacks, epochs=1)
        assert "apply" not in vars(optimizer)
        with pytest.raises(KeyboardInterrupt):
            fit(model, callback, interrupting, epochs=1)


def test_a_model_that_is_compiled_anew_goes_on_with_its_new_cycle():
    def compiled(model):
        rate = OneCycle(0.05, STEPS)
        model.compile(keras.optimizers.SGD(rate, momentum=0.5), "mse")
        model.optimizer.build(model.trainable_variables)
        model.make_train_function()

    def anew(epoch, logs):
        if epoch == 1:
            compiled(model)

    def cyclical():
        return keras.optimizers.SGD(Cyclical(0.01, 0.1, 4), momentum=0.9)

    model = linear_model(cyclical())
    model.set_weights([np.ones((2, 1)), np.zeros(1)])
    twin = keras.models.clone_model(model)
    twin.set_weights(model.get_weights())
    first = model.optimizer
    recompiling = keras.callbacks.LambdaCallback(on_epoch_begin=anew)
    fit(model, MomentumCycle(), recompiling, epochs=3)
    for optimizer in (first, model.optimizer):
        assert "apply" not in vars(optimizer)

    twin.compile(cyclical(), "mse")
    fit(twin, MomentumCycle(), epochs=1)
    compiled(twin)
    fit(twin, MomentumCycle(), epochs=2)
    require_alike([model.get_weights()], [twin.get_weights()])


@pytest.mark.skipif(
    BACKEND == "torch",
    reason="Keras runs torch eagerly, without a trace to count",
)
def test_the_step_is_traced_as_often_as_without():
    traces = []

    class Counting(keras.optimizers.SGD):
        def update_step(self, gradient, variable, learning_rate):
            traces.append(variable)
            super().update_step(gradient, variable, learning_rate)

    def count(*callbacks):
        traces.clear()
        optimizer = Counting(OneCycle(0.05, STEPS), momentum=0.9)
        fit(linear_model(optimizer, jit_compile=True), *callbacks, epochs=3)
        return len(traces)

    assert count() == count(MomentumCycle()) > 0


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        (lambda: keras.optimizers.SGD(OneCycle(0.1, 9)), "`momentum` or a"),
        (lambda: ours.Adagrad(OneCycle(0.1, 9)), "Received: .*Adagrad"),
        (lambda: ours.ScheduleFreeAdamW(0.1), "between the steps too"),
        (lambda: keras.optimizers.Adam(0.1), "`cycle` of MomentumCycle must"),
        (
            lambda: keras.optimizers.Adam(
                keras.optimizers.schedules.PolynomialDecay(0.1, 3, cycle=True)
            ),
            "is PolynomialDecay",
        ),
    ],
)
def test_refuses_what_it_cannot_cycle(optimizer, message):
    model = linear_model(optimizer())
    with pytest.raises(ValueError, match=message):
        fit(model, MomentumCycle(), epochs=1)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"low": 0}, "low"),
        ({"high": 1.0}, "high"),
        ({"high": 0.2}, "high"),
        ({"cycle": 0.5}, "cycle"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of MomentumCycle must be"):
        MomentumCycle(**arguments)

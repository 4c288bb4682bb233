"""What regularization techniques cost: measured and written as a page."""

from _pages import filled, table, versions
from _random_layers import DROP_INS, KERAS, OURS, RELU
from _regularization_techniques import NONE, TECHNIQUES
from _workers import Workers

BACKENDS = ("tensorflow", "jax", "torch")
MODES = ("TF graph", "TF jit", "JAX", "torch")
NETWORKS = ("conv", "dense")
# After three turns within this part of their median, a contender has no more.
SPREAD = 0.03
LOOP, CALL = ("passes", "loop"), ("passes", "MonteCarlo")
# The techniques of Keras, which are there to compare with.
PEERS = [name for name in TECHNIQUES if name.startswith("Keras")]


def measured_costs(rounds):
    """A dict: (technique, network, mode) to seconds, and to bytes of memory."""
    workers = Workers(BACKENDS, "_regularization_cost")
    found = {}
    for network in NETWORKS:
        groups = {t.group for t in TECHNIQUES.values()} - {NONE}
        for group in sorted(groups):
            names = [NONE] + [
                name
                for name, technique in TECHNIQUES.items()
                if technique.group == group
                and not (network == "dense" and technique.only == "images")
            ]
            times = workers.measure(
                {name: name for name in names},
                network,
                rounds=rounds,
                spread=SPREAD,
            )
            peaks = workers.peaks()
            for name, mode in times:
                if name == NONE:
                    continue
                seconds, memory = (
                    ratio(result, (name, mode), (NONE, mode))
                    for result in (times, peaks)
                )
                against = TECHNIQUES[name].against
                peer = against and ratio(times, (name, mode), (against, mode))
                found[name, network, mode] = seconds, memory, peer
                print(name, network, mode, seconds, memory, peer, flush=True)
    times = workers.measure(
        {LOOP[1]: LOOP, CALL[1]: CALL}, "", rounds=rounds, spread=SPREAD
    )
    for mode in MODES:
        found[CALL[1], "", mode] = (
            ratio(times, (LOOP[1], mode), (CALL[1], mode)),
            None,
            None,
        )
    return found


def measured_alone(rounds):
    """A dict: (layer, mode) to (ours to Keras', ours to a ReLU)."""
    workers = Workers(BACKENDS, "_random_layers")
    found = {}
    for name in DROP_INS:
        pairs = [(name, OURS), (name, KERAS), (RELU, None)]
        times = workers.measure(
            {pair: pair for pair in pairs}, rounds=rounds, spread=SPREAD
        )
        for mode in MODES:
            found[name, mode] = tuple(
                ratio(times, (pairs[0], mode), (other, mode))
                for other in pairs[1:]
            )
            print(name, mode, *found[name, mode], flush=True)
    return found


# At most this, of the time of Keras' layer.
ALONE_TARGETS = {"TF graph": 0.5, "TF jit": 0.02, "JAX": 0.15, "torch": 0.8}


def alone_section(found):
    """The table of the layers that stand in for Keras'."""
    introduction = """
    The layers that stand in for Keras', alone: a call in training with its
    gradient, of 32 x 32 x 32 x 64 floats, as a part of the time that Keras'
    layer takes, and in brackets as a multiple of a ReLU's."""
    rows = []
    for name in DROP_INS:
        cells = []
        for mode in MODES:
            to_keras, to_relu = found[name, mode]
            if to_keras is None:
                cells.append("fails")
                continue
            most = ALONE_TARGETS[mode] if name == "Dropout" else 1.1
            cells.append(
                f"{verdict(f'{to_keras:.3f}', to_keras <= most)} "
                f"({to_relu:.1f})"
            )
        rows.append([name, *cells])
    parts = ["## Random layers alone", filled(introduction)]
    return "\n\n".join([*parts, table(["layer", *MODES], rows)])


def ratio(results, one, other):
    one, other = results.get(one), results.get(other)
    return one / other if one and other else None


# What draws a number for each input or weight.
DRAWS = ("Dropout", "DropBlock2D", "DropConnect", "ConcreteDropout")


# At most this, in a mode or in all, on a network: a technique to its base.
def targets(name, mode):
    """The bound on the ratio that is to be met, and to what, or `None`."""
    technique = TECHNIQUES[name]
    if technique.penalty and name not in PEERS and mode == "TF jit":
        return 1.15, NONE
    if name in DRAWS and mode in ("TF jit", "JAX"):
        return 1.15, NONE
    if name in DRAWS and mode == "TF graph":
        return 1.3, NONE
    if name in ("StochasticDepth", "SpatialDropout2D"):
        return 1.1, technique.against
    if name == "GhostBatchNormalization":
        return 1.3, technique.against
    return None


def cost_page(found, alone):
    introduction = f"""
    A whole train step (`train_on_batch`, SGD, batches of 32) with a technique
    everywhere in the network, as a multiple of the same step without it: CPU
    time, one thread, medians of turns that all contenders take in one run, each
    backend in a process of its own. "TF graph" is what `fit` runs on a CPU if
    nothing else is asked for, "TF jit" is `jit_compile=True`. In brackets, what
    the step takes of memory beyond what lies there before it, as a multiple
    too. `make bench-regularization` repeats it;
    {versions("keras", "tensorflow", "jax", "torch")}.

    The networks: a residual net of three convolutions with 32 and 64 filters on
    images of 32 x 32, and one of 20 dense layers of 256 units, in which the
    weights are many for the work that a batch makes: the harder test for what
    acts on weights."""
    parts = ["# What regularization costs", filled(introduction)]
    for network, title in (
        ("conv", "Convolutions"),
        ("dense", "Dense layers"),
    ):
        rows = [
            [name, *(cost_cell(found, name, network, mode) for mode in MODES)]
            for name in TECHNIQUES
            if any((name, network, mode) in found for mode in MODES)
        ]
        parts += [f"## {title}", table(["technique", *MODES], rows)]
    parts.append(alone_section(alone))
    parts += ["## Targets", table(*target_rows(found)), filled(REASONS)]
    return "\n\n".join(parts) + "\n"


REASONS = """
    Where a target is missed: a penalty on the weights of wide layers reads them
    all once more, and its gradient once more, for a batch of 32 that computes
    little with them; with `l2=` and `l1=`, the optimizers of this package carry
    it within the update instead.

    The layers that draw normal numbers take longer than Keras' on torch
    (GaussianNoise 1.2 to 1.4, GaussianDropout 1.5 to 1.7): the numbers that are
    the same on every backend take 32 operations over blocks, 14 for the hash
    and 18 for the quantile, where torch's own generator is one compiled
    loop."""


def cost_cell(found, name, network, mode):
    seconds, memory, _ = found.get((name, network, mode), (None,) * 3)
    if seconds is None:
        return "fails"
    return f"{seconds:.2f}" + (f" ({memory:.2f})" if memory else "")


def target_rows(found):
    head = ["what", "to", "target", "network", *MODES]
    rows = {}
    for (name, network, mode), (seconds, _, peer) in found.items():
        if name == CALL[1]:
            key = (
                f"{name}, 20 samples",
                "a loop of 20 calls",
                "5 x faster",
                "",
            )
            shown = verdict(f"{seconds:.1f} x", seconds >= 5)
        elif targets(name, mode):
            most, base = targets(name, mode)
            value = seconds if base == NONE else peer
            if value is None:
                continue
            key = (name, base, f"≤ {most}", network)
            shown = verdict(f"{value:.2f}", value <= most)
        else:
            continue
        rows.setdefault(key, {})[mode] = shown
    return head, [
        [*key, *(cells.get(mode, "") for mode in MODES)]
        for key, cells in rows.items()
    ]


def verdict(text, met):
    return f"{text}: {'met' if met else '**missed**'}"

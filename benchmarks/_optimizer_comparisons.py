"""What bench_optimizers.py compares: lists of shapes, steps, targets."""

import dataclasses


def resnet50():
    """The shapes of the 161 weights of torchvision's ResNet-50."""
    kernels, channels = [(7, 7, 3, 64)], 64
    for blocks, width in ((3, 64), (4, 128), (6, 256), (3, 512)):
        for block in range(blocks):
            kernels.append((1, 1, channels, width))
            kernels.append((3, 3, width, width))
            kernels.append((1, 1, width, 4 * width))
            if block == 0:
                kernels.append((1, 1, channels, 4 * width))
            channels = 4 * width
    # Each convolution is followed by the scale and offset of a normalization.
    shapes = [s for k in kernels for s in (k, k[-1:], k[-1:])]
    return [*shapes, (channels, 1000), (1000,)]


# The first three in columns of their own, since every step runs on them.
LISTS = {
    "one 4M": [(2000, 2000)],
    "ResNet-50": resnet50(),
    "400 x 1k": [(32, 32)] * 400,
    "embedding": [(500_000, 32)],
    "50 layers": [(256, 256)] * 50,
    "one 1M": [(1000, 1000)],
    "100 x 1k": [(32, 32)] * 100,
}
# Small ones in the place of large ones.
QUICK = {"one 1M": "one 4M", "100 x 1k": "400 x 1k"}
COLUMNS = list(LISTS)[:3]
MODES = ("TF graph", "TF jit", "JAX", "torch")


@dataclasses.dataclass
class Step:
    """A comparison.

    Args:
        contenders: A dict: name to (place, class, arguments). The first is the
            base that the others stand against.
        moved: Bytes a parameter that the step must read and write: weight and
            gradient, each average in and out; a second pass where all of a
            norm must be known before.
        targets: A dict: mode to the ratio of ours to the base that is to be
            reached, or to one for each list.
        lists: The lists it runs on.
        kind: `"dense"`, `"rows"` (sparse gradients) or `"train"`.
    """

    contenders: dict
    moved: int | None = None
    targets: dict = dataclasses.field(default_factory=dict)
    lists: list = dataclasses.field(default_factory=lambda: COLUMNS)
    kind: str = "dense"

    @property
    def base(self):
        return next(iter(self.contenders))

    def target(self, contender, mode, of):
        target = self.targets.get(mode) if contender == "ours" else None
        if isinstance(target, tuple):
            return target[self.lists.index(QUICK.get(of, of))]
        return target


def alike(name, **arguments):
    """Keras' class and ours of the same name."""
    return {
        "Keras": ("Keras", name, arguments),
        "ours": ("ours", name, arguments),
    }


def optax(name, **arguments):
    return {"optax": ("optax", name, arguments)}


def torch(name, *forms, **arguments):
    return {
        f"torch {form}": ("torch", name, {**arguments, form: True})
        for form in forms
    }


def plain(name, moved, targets=None, forms=(), more=None, **arguments):
    """Ours against the same, written down plainly on Keras' base class."""
    contenders = {
        "plain": ("plain", name, {}),
        "ours": ("ours", name, arguments),
    }
    contenders |= torch(name, *forms) | (more or {})
    return Step(contenders, moved, NOT_SLOWER | (targets or {}))


# On the three lists, or on all.
NOT_SLOWER = {
    "TF graph": 0.5,
    "TF jit": 1.0,
    "JAX": 1.0,
    "torch": (1.0, 1.0, 0.5),
}
ADAM = NOT_SLOWER | {"TF graph": 0.35, "TF jit": (1.0, 1.0, 0.4)}
NORMS = NOT_SLOWER | {"TF graph": 0.5, "TF jit": 0.6}
LAMB = NORMS | {"JAX": 0.6, "torch": 0.35}
PENALTY = dict.fromkeys(NOT_SLOWER, 1.1)
# Of the time of torch's own class, where it takes lists of tensors.
OF_FOREACH = 1.3

STEPS = {
    "SGD": Step(alike("SGD") | optax("sgd"), 12, NOT_SLOWER),
    "SGD momentum": Step(
        alike("SGD", momentum=0.9)
        | optax("sgd", momentum=0.9)
        | torch("SGD", "fused", "foreach", momentum=0.9),
        20,
        NOT_SLOWER,
    ),
    "RMSprop": Step(
        alike("RMSprop") | optax("rmsprop") | torch("RMSprop", "foreach"),
        20,
        NOT_SLOWER,
    ),
    "Adagrad": Step(
        alike("Adagrad")
        | optax("adagrad")
        | torch("Adagrad", "fused", "foreach"),
        20,
        NOT_SLOWER,
    ),
    "Adam": Step(
        alike("Adam")
        | {"TensorFlow's kernel": ("TensorFlow", "KernelAdam", {})}
        | optax("adam")
        | torch("Adam", "fused", "foreach"),
        28,
        ADAM,
    ),
    "AdamW": Step(
        alike("AdamW") | optax("adamw") | torch("AdamW", "fused", "foreach"),
        28,
        ADAM,
    ),
    "AdamW, global_clipnorm": Step(
        alike("AdamW", global_clipnorm=1.0)
        | optax("adamw", clip=1.0)
        | torch("AdamW", "fused", "foreach", clip=1.0),
        32,
        NORMS,
    ),
    "LAMB": Step(
        {"Keras": ("Keras", "Lamb", {}), "ours": ("ours", "LAMB", {})}
        | optax("lamb"),
        40,
        LAMB,
    ),
    "Nadam": Step(
        alike("Nadam") | optax("nadam") | torch("NAdam", "foreach"),
        28,
        NOT_SLOWER,
    ),
    "Adamax": Step(
        alike("Adamax") | optax("adamax") | torch("Adamax", "foreach"),
        28,
        NOT_SLOWER,
    ),
    "Lion": Step(alike("Lion") | optax("lion"), 20, NOT_SLOWER),
    "Ftrl": Step(alike("Ftrl"), 28, NOT_SLOWER),
    # Torch's class of the name factors in another way.
    "Adafactor": Step(alike("Adafactor") | optax("adafactor"), 20, NOT_SLOWER),
    "LARS": plain("LARS", 28, NORMS, more=optax("lars")),
    "AdaBelief": plain("AdaBelief", 28),
    "Yogi": plain("Yogi", 28),
    "RAdam": plain("RAdam", 28, forms=["foreach"]),
    "ADOPT": plain("ADOPT", 28),
    "AdEMAMix": plain("AdEMAMix", 36),
    "Adan": plain("Adan", 44),
    "NovoGrad": plain("NovoGrad", 24),
    "MARS": plain("MARS", 44),
    "DoG": plain("DoG", 24),
    "Prodigy": plain("Prodigy", 52),
    "MSAM": plain("MSAM", 28),
    "ScheduleFreeSGD": plain("ScheduleFreeSGD", 20),
    "ScheduleFreeAdamW": plain("ScheduleFreeAdamW", 28),
    "ProximalSGD": plain("ProximalSGD", 12, l1=1e-4),
    "ProximalAdam": plain("ProximalAdam", 28, l1=1e-4),
    "SOAP / Adam": Step(
        {"ours Adam": ("ours", "Adam", {}), "ours": ("ours", "SOAP", {})},
        28,
        lists=["400 x 1k"],
    ),
    "Adam(l2=) / Adam": Step(
        {
            "ours without": ("ours", "Adam", {}),
            "ours": ("ours", "Adam", {"l2": 1e-4}),
        },
        28,
        PENALTY,
        lists=["ResNet-50"],
    ),
    "Lookahead(Keras Adam) / Keras Adam": Step(
        {
            "Keras": ("Keras", "Adam", {}),
            "ours": ("ours", "Lookahead", {"inner": ("Keras", "Adam", {})}),
        },
        36,
        lists=["ResNet-50"],
    ),
    "Adam(lazy=True)": Step(
        {
            "Keras": ("Keras", "Adam", {}),
            "ours": ("ours", "Adam", {"lazy": True}),
            "torch SparseAdam": ("torch", "SparseAdam", {}),
        },
        targets={"TF graph": 0.1},
        lists=["embedding"],
        kind="rows",
    ),
    "SGD momentum(lazy=True)": Step(
        alike("SGD", momentum=0.9)
        | {"ours": ("ours", "SGD", {"momentum": 0.9, "lazy": True})},
        targets={"TF graph": 0.1},
        lists=["embedding"],
        kind="rows",
    ),
    "Adam(l2=), whole train step": Step(
        {
            "ours without": ("ours", "Adam", {}),
            "ours": ("ours", "Adam", {"l2": 1e-4}),
            "kernel_regularizer": (
                "ours",
                "Adam",
                {"kernel_regularizer": 1e-4},
            ),
            "Keras without": ("Keras", "Adam", {}),
            "Keras, kernel_regularizer": (
                "Keras",
                "Adam",
                {"kernel_regularizer": 1e-4},
            ),
        },
        targets=PENALTY,
        lists=["50 layers"],
        kind="train",
    ),
}

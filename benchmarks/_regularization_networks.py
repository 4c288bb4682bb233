"""The networks of bench_regularization.py, with techniques in them."""

import keras

k = keras.layers


class Builder:
    """Builds networks with techniques in them.

    Args:
        chosen: A list of pairs of a `Technique` and a strength.
        seed: Seed of the initial weights, which are the same whatever the
            techniques are.
    """

    def __init__(self, chosen, seed=0):
        self.chosen = chosen
        self.seed = seed
        self.kernels = 0

    def made(self, role, *arguments):
        """What the techniques make for a role, a list."""
        made = [
            getattr(technique, role)(strength, *arguments)
            for technique, strength in self.chosen
            if getattr(technique, role)
        ]
        return [thing for thing in made if thing is not None]

    def one(self, role, *arguments):
        return next(iter(self.made(role, *arguments)), None)

    def with_kernel(
        self, cls, *arguments, fan_in, rank, is_last=False, **options
    ):
        """A layer with a kernel, its penalties and constraints."""
        self.kernels += 1
        layer = cls(
            *arguments,
            kernel_initializer=keras.initializers.HeNormal(
                100 * self.seed + self.kernels
            ),
            kernel_regularizer=self.one("penalty", rank),
            kernel_constraint=self.one("constraint", fan_in),
            **options,
        )
        for technique, strength in self.chosen:
            if technique.wrap and (technique.wraps_logits or not is_last):
                layer = technique.wrap(strength, layer)
        return layer

    def finish(self, x, name=None):
        """Normalization, activation and dropout behind a layer."""
        for layer in self.made("norm"):
            x = layer(x)
        x = k.Activation(
            "relu", activity_regularizer=self.one("activity"), name=name
        )(x)
        for layer in self.made("drop", len(x.shape)):
            x = layer(x)
        return x

    def residual(self, x, branch):
        for layer in self.made("branch"):
            branch = layer(branch)
        return k.Add()([x, branch])

    def logits(self, x, units):
        layer = self.with_kernel(
            k.Dense,
            units,
            fan_in=x.shape[-1],
            rank=2,
            is_last=True,
            activity_regularizer=self.one("output"),
        )
        return layer(x)

    def wrapped(self, model):
        for technique, strength in self.chosen:
            if technique.model:
                model = technique.model(strength, model)
        return model


def convolutional(chosen, shape, units, filters, seed=0):
    """A small residual net for images."""
    builder = Builder(chosen, seed)

    def conv(x, count):
        layer = builder.with_kernel(
            k.Conv2D,
            count,
            3,
            padding="same",
            fan_in=9 * x.shape[-1],
            rank=4,
        )
        return layer(x)

    inputs = keras.Input(shape)
    x = builder.finish(conv(inputs, filters))
    x = builder.residual(x, builder.finish(conv(x, filters), "hidden_1"))
    x = k.MaxPooling2D(2)(x)
    x = builder.finish(conv(x, 2 * filters), "hidden_2")
    x = k.Flatten()(k.MaxPooling2D(2)(x))
    x = builder.with_kernel(k.Dense, 64, fan_in=x.shape[-1], rank=2)(x)
    model = keras.Model(inputs, builder.logits(builder.finish(x), units))
    return builder.wrapped(model)


def dense(chosen, shape, units, width, depth, seed=0):
    """A residual net of dense layers."""
    builder = Builder(chosen, seed)

    def layer(x):
        made = builder.with_kernel(k.Dense, width, fan_in=x.shape[-1], rank=2)
        return made(x)

    inputs = keras.Input(shape)
    x = builder.finish(layer(inputs))
    for number in range(depth - 1):
        name = f"hidden_{number + 1}"
        x = builder.residual(x, builder.finish(layer(x), name))
    model = keras.Model(inputs, builder.logits(x, units))
    return builder.wrapped(model)

import itertools
from collections.abc import Sequence

import numpy as np

from keras_regopt._beta import at_quantile, beta_quantiles
from keras_regopt._registry import register
from keras_regopt._validate import in_range, integer, positive_int
from keras_regopt.augmentation._switch_map import switch_map
from keras_regopt.augmentation.image._policy import PolicyAugmentation
from keras_regopt.augmentation.image._values import as_floats

LARGEST_SEVERITY = 10
DEEPEST = 3


@register
class AugMix(PolicyAugmentation):
    """Blends each image with several of its own random augmentations.

    Makes a classifier robust against noise, blur, weather and other damage
    that it was not trained on, since the blends look natural and differ much.
    For each image, `mixture_width` chains of operations are run from the image
    on, and

    `result = (1 - m) * image + m * (w_1 * chain_1 + w_2 * chain_2 + ...)`

    with `m` from Beta(alpha, alpha) and the `w` from Dirichlet(alpha, ...).
    All is drawn for each image by itself, and from `seed` alone. (The loss of
    the paper also asks that a model says the same of an image and two of its
    blends: pass a batch through the layer twice for that.)

    Amounts go up to, at severity `s`:

    - `autocontrast`, `equalize`: no amount
    - `posterize`: 4 bits are kept, less the whole part of 0.4 s
    - `rotate`: 3 s degrees
    - `solarize`: the highest 25.6 s levels are inverted
    - `shear_x`, `shear_y`: 0.03 s pixels for each pixel along the other axis
    - `translate_x`, `translate_y`: s / 30 widths or heights
    - `color`, `contrast`, `brightness`, `sharpness`: factor 0.1 + 0.18 s

    The last four are not drawn unless asked for: they are like the damage
    that robust classifiers are tested on. The amount of an operation is drawn
    between 1 % of the greatest and that of `severity`. Bounding boxes, masks
    and keypoints stay where they are: they fit the image in the blend, but
    not the chains that moved it.

    Args:
        severity: Number from 1 to 10, how strong the operations are. Defaults
            to `3`.
        mixture_width: Number of chains, at least 1. Defaults to `3`.
        chain_depth: Number of operations in a chain, at least 1. Defaults to
            `None`: 1, 2 or 3, drawn for each chain.
        alpha: Parameter of the two distributions, above 0: the larger, the
            more even the weights. Defaults to `1.0`.
        operations: List of the names of the operations to draw from; a name
            that comes twice is drawn twice as often. Defaults to `None`, all
            of the list but those of its last line.
        value_range: The pair of the lowest and the highest value that a pixel
            can have. Defaults to `(0, 255)`.
        interpolation: `"bilinear"` or another one of `RandomAffine`. Defaults
            to `"bilinear"`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `fill_mode` and `fill_value` (black unless set) for what the
            geometric operations show beyond the edge; see
            `PolicyAugmentation`. `rate` (the probability that an image
            changes at all) and `data_format`, and `name` and `dtype` of a
            Keras layer.

    Input shape:
        `(height, width, channels)` or `(batch, height, width, channels)`, or
        with the channels first, or a dict; see `ImageAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If an argument is not among the values above.

    Examples:
        >>> layer = AugMix(severity=3, seed=0)
        >>> layer(np.zeros((4, 32, 32, 3), "uint8")).shape == (4, 32, 32, 3)
        True

    References:
        Hendrycks, Mu, Cubuk, Zoph, Gilmer and Lakshminarayanan 2020, AugMix:
        a simple data processing method to improve robustness and uncertainty
        (arXiv 1912.02781).
    """

    # They fit the image in the blend.
    targets = frozenset()

    ranges = {
        "autocontrast": (0, 0, False),
        "equalize": (0, 0, False),
        "posterize": (4, 0, False),
        "rotate": (0, 30, True),
        "solarize": (256, 0, False),
        "shear_x": (0, 0.3, True),
        "shear_y": (0, 0.3, True),
        "translate_x": (0, 1 / 3, True),
        "translate_y": (0, 1 / 3, True),
        "color": (-0.9, 0.9, False),
        "contrast": (-0.9, 0.9, False),
        "brightness": (-0.9, 0.9, False),
        "sharpness": (-0.9, 0.9, False),
        "identity": (0, 0, False),
    }
    usual = tuple(ranges)[:9]
    usual_fill = 0

    def __init__(
        self,
        *,
        severity: float = 3,
        mixture_width: int = 3,
        chain_depth: int | None = None,
        alpha: float = 1.0,
        operations: Sequence[str] | None = None,
        value_range: tuple[float, float] = (0, 255),
        interpolation: str = "bilinear",
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(
            value_range=value_range,
            interpolation=interpolation,
            seed=seed,
            **kwargs,
        )
        self.severity = in_range(
            self, "severity", severity, 1, LARGEST_SEVERITY
        )
        self.mixture_width = positive_int(self, "mixture_width", mixture_width)
        self.chain_depth = integer(
            self, "chain_depth", chain_depth, low=1, optional=True
        )
        self.alpha = in_range(self, "alpha", alpha, above=0)
        self.operations = self._known(operations)
        self._blend = beta_quantiles(self.alpha)
        # A fraction of what is left, chain after chain, is Dirichlet's.
        self._cuts = [
            beta_quantiles(self.alpha, self.alpha * left)
            for left in range(self.mixture_width - 1, 0, -1)
        ]

    def sample(self, shape, seed):
        ops = self.ops
        batch, width = shape[0], self.mixture_width
        depth = self.chain_depth or DEEPEST
        chains, operations = width * depth, len(self._names) - 1
        count = 2 * width + 3 * chains
        (draws,) = self.uniforms(1, batch * count, seed)
        draws = ops.reshape(draws, (count, batch))
        blend = at_quantile(self._blend, draws[0], ops)
        # One draw more than there are cuts tells how many images there are.
        weights = self._weights(draws[1 : width + 1])
        ends = np.cumsum([width, width, chains, chains, chains])
        depths, *steps = (
            ops.transpose(
                ops.reshape(draws[start:end], (width, -1, batch)), (2, 0, 1)
            )
            for start, end in itertools.pairwise(ends.tolist())
        )
        operation = self._drawn_number(steps[0], operations)
        if self.chain_depth is None:
            # What is beyond the depth of a chain is the identity.
            acts = ops.arange(depth) <= self._drawn_number(depths, DEEPEST)
            operation = ops.where(acts, operation, operations)
        severity = 0.1 + (self.severity - 0.1) * steps[1]
        amount = self._amounts(
            operation, severity / LARGEST_SEVERITY, steps[2], shape
        )
        # Bits are counted down by whole numbers.
        counted = np.array([name == "posterize" for name in self._names])
        amount = ops.where(
            self._of(operation, counted), ops.ceil(amount), amount
        )
        return {
            "operation": operation,
            "amount": amount,
            "weights": weights,
            "blend": blend,
        }

    def _weights(self, draws):
        """Numbers that add up to 1, one a chain, of shape (batch, chains)."""
        weights, left = [], self.ops.ones_like(draws[0])
        for index, cut in enumerate(self._cuts):
            part = at_quantile(cut, draws[index], self.ops)
            weights.append(left * part)
            left = left * (1 - part)
        return self.ops.stack([*weights, left], axis=1)

    def _on_levels(self, images, parameters):
        # Image by image, so that no batch of chains has to be held.
        return switch_map(
            images,
            self.ops.zeros((self.ops.shape(images)[0], 1), "int32"),
            [self._mixed_with_chains],
            {name: p[:, None] for name, p in parameters.items()},
            output=(images.shape[1:], as_floats(images[:0]).dtype),
        )

    def _mixed_with_chains(self, images, parameters):
        ops = self.ops
        shape = ops.shape(images)
        image = as_floats(images)
        blend = ops.cast(parameters["blend"], image.dtype)[:, None, None, None]

        def with_chain(chain, total):
            part = {
                name: ops.take(parameters[name], chain, axis=1)
                for name in ("operation", "amount", "weights")
            }
            weight = ops.cast(part.pop("weights"), image.dtype)
            result = super(AugMix, self)._on_levels(images, part)
            # The loop asks for a shape as well known as it was.
            result = as_floats(ops.reshape(result, shape))
            return total + blend * weight[:, None, None, None] * result

        # A loop, so that the operations are compiled once for all chains.
        return ops.fori_loop(
            0, self.mixture_width, with_chain, (1 - blend) * image
        )

    @property
    def _names(self):
        return (*(self.operations or self.usual), "identity")

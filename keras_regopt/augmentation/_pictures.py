"""How values, masks and labels are shown: scales, classes, colors and words."""

import colorsys

import numpy as np

# Okabe and Ito's colors, told apart by color-blind readers.
COLORS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")

# The next colors each turn the hue by this, so that none come close soon.
GOLDEN = 0.618034

# Data made for 0 to 1 may overshoot a little, after a bicubic resizing say.
LARGEST_UNIT = 1.5


def color_of(number):
    """The color of a class, another one for each up to a few dozens."""
    if number < len(COLORS):
        return COLORS[number]
    return colorsys.hsv_to_rgb((number * GOLDEN) % 1, 0.9, 0.8)


def range_of(images, known):
    """Which values are to be shown black and white.

    Args:
        images: An array.
        known: The `value_range` of the layer, or `None`.

    Returns:
        That of the layer if the images fit it, or else the narrowest of the
        usual ranges that they fit, or else that which they span.
    """
    if images.dtype == bool:
        return 0, 1
    low, high = (float(f(images)) for f in (np.min, np.max))
    units = [(0, 1), (-1, 1)] * np.issubdtype(images.dtype, np.floating)
    usual = [*units, (0, 255), (0, 65535)]
    if known is not None:
        small = max(-low, high) <= LARGEST_UNIT and known[1] > LARGEST_UNIT
        # What is nearly black under the range of the layer has another one.
        usual = [*units, known, *usual] if small else [known, *usual]
    for least, most in usual:
        slack = LARGEST_UNIT - 1 if most == 1 else 1e-3 * (most - least)
        if low >= least - slack * (least < 0) and high <= most + slack:
            return least, most
    return (low, high) if low < high else (low, low + 1)


def classes_of(mask):
    """The number of the class of each pixel, 0 for none.

    Args:
        mask: Array of shape `(height, width)` or, with an axis of channels,
            `(height, width, channels)`: numbers of classes, the fraction of one
            class, or one channel a class. If the channels add up to 1, the
            first one is the background.

    Returns:
        An array of integers of shape `(height, width)`.
    """
    mask = np.asarray(mask)
    if mask.ndim == 3 and mask.shape[-1] > 1:
        mask = mask.astype("float64")
        chosen = mask.argmax(axis=-1)
        if np.allclose(mask.sum(axis=-1), 1, atol=1e-3):
            return chosen
        return np.where(mask.max(axis=-1) > 0, chosen + 1, 0)
    mask = mask[..., 0] if mask.ndim == 3 else mask
    return np.round(mask.astype("float64")).astype("int64")


def words_of(label, class_names=None):
    """What is written above an image.

    Args:
        label: Its label: a number, a string, a vector of fractions, or a dict
            of such.
        class_names: Sequence of names by class number, or a dict of such by
            the keys of `label`, or `None`.
    """
    if isinstance(label, dict):
        lines = []
        for key, part in label.items():
            names = class_names
            if isinstance(names, dict):
                names = names.get(key)
            lines.append(f"{key}: {words_of(part, names)}")
        return "\n".join(lines)
    if np.ndim(label) == 0:
        return _name_of(label, class_names)
    if np.ndim(label) > 1:
        return ""
    if len(label) == 1:
        return _name_of(label[0], class_names)
    if np.asarray(label).dtype.kind not in "biuf":
        return ", ".join(_name_of(part, class_names) for part in label)
    # One-hot, or several classes with their fractions.
    shown = [i for i in np.argsort(-label)[:3] if label[i] >= 0.005]
    names = [_name_of(i, class_names) for i in shown]
    if len(names) == 1:
        return names[0]
    return "\n".join(
        f"{name}: {100 * label[i]:.0f} %"
        for i, name in zip(shown, names, strict=True)
    )


def _name_of(label, class_names):
    label = label.item() if hasattr(label, "item") else label
    if isinstance(label, bytes):
        return label.decode(errors="replace")
    if isinstance(label, str):
        return label
    if class_names is not None and label in range(len(class_names)):
        return str(class_names[int(label)])
    return f"{label:g}" if isinstance(label, float) else str(label)


def number_of(label):
    """The number of the class of a box, for its color."""
    label = np.ravel(label)
    if label.dtype.kind not in "biuf":
        return 0
    return int(label.argmax() if len(label) > 1 else label[0])

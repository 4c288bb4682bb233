"""The operations of policies as Pillow does them, to compare with."""

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

ENHANCERS = {
    "brightness": ImageEnhance.Brightness,
    "color": ImageEnhance.Color,
    "contrast": ImageEnhance.Contrast,
    "sharpness": ImageEnhance.Sharpness,
}


def affine_of(name, amount):
    return {
        "shear_x": (1, amount, 0, 0, 1, 0),
        "shear_y": (1, 0, 0, amount, 1, 0),
        "translate_x": (1, 0, amount, 0, 1, 0),
        "translate_y": (1, 0, 0, 0, 1, amount),
    }.get(name)


def operated(image, name, amount, fill=128, resample=Image.Resampling.NEAREST):
    """An array of bytes, after an operation of an amount in its own unit."""
    image, fill = Image.fromarray(image), (fill,) * 3
    if affine_of(name, amount):
        method, data = Image.Transform.AFFINE, affine_of(name, amount)
        image = image.transform(
            image.size, method, data, resample, fillcolor=fill
        )
    elif name == "rotate":
        image = image.rotate(amount, resample, fillcolor=fill)
    elif name in ENHANCERS:
        image = ENHANCERS[name](image).enhance(amount)
    elif name == "posterize":
        image = ImageOps.posterize(image, round(amount))
    elif name == "solarize":
        image = ImageOps.solarize(image, amount)
    elif name != "identity":
        image = getattr(ImageOps, name)(image)
    return np.asarray(image)

"""What bench_images.py compares: our layers, and what does the same elsewhere.

Each is made by a function of a `Kit`, so that no peer need be installed to
read the table.
"""

from collections.abc import Callable
from typing import NamedTuple


class Kit:
    """A library of augmentations, with the images that await it.

    Args:
        library: The module that has the layers.
        size: Height and width of the images.
        values: Lowest and highest value of the images.
    """

    def __init__(self, library, size, values):
        self._library = library
        self.size = size
        self.values = values

    def __getattr__(self, name):
        return getattr(self._library, name)


class Comparison(NamedTuple):
    ours: Callable
    keras: Callable | None = None
    albumentations: Callable | None = None
    torchvision: Callable | None = None
    kornia: Callable | None = None
    # How many times faster in tf.data ours is to be than Keras there and than
    # albumentations, at 224 pixels; and than albumentations at 32.
    keras_target: float | None = None
    target: float | None = None
    small_target: float | None = None
    labels: bool = False


MAIN = {
    "geometry": Comparison(
        lambda k: k.RandomAffine("horizontal", 0.05, 0.1, 0.1),
        # The container of Keras that runs in tf.data on every backend.
        lambda k: k.Pipeline(
            [
                k.RandomFlip("horizontal"),
                k.RandomRotation(0.05),
                k.RandomZoom(0.1),
                k.RandomTranslation(0.1, 0.1),
            ]
        ),
        lambda k: k.Compose(
            [
                k.HorizontalFlip(p=0.5),
                k.Affine(
                    rotate=(-18, 18),
                    scale=(0.9, 1.1),
                    translate_percent=(-0.1, 0.1),
                    border_mode=2,  # cv2.BORDER_REFLECT
                    p=1,
                ),
            ]
        ),
        lambda k: k.Compose(
            [
                k.RandomHorizontalFlip(),
                k.RandomAffine(
                    18,
                    translate=(0.1, 0.1),
                    scale=(0.9, 1.1),
                    interpolation=k.InterpolationMode.BILINEAR,
                ),
            ]
        ),
        lambda k: k.AugmentationSequential(
            k.RandomHorizontalFlip(),
            k.RandomAffine(18, translate=(0.1, 0.1), scale=(0.9, 1.1), p=1.0),
        ),
        keras_target=8,
        target=1.3,
        small_target=10,
    ),
    "colour": Comparison(
        lambda k: k.RandomColor(0.2, 0.2, 0.2, 0.05, value_range=k.values),
        lambda k: k.RandomColorJitter(k.values, 0.2, 0.2, 0.2, 0.05),
        lambda k: k.ColorJitter(hue=0.05, p=1),
        lambda k: k.ColorJitter(0.2, 0.2, 0.2, 0.05),
        lambda k: k.ColorJitter(0.2, 0.2, 0.2, 0.05, p=1.0),
        keras_target=11,
        target=1.3,
        small_target=10,
    ),
    "RandAugment": Comparison(
        lambda k: k.RandAugment(num_ops=2, value_range=k.values),
        lambda k: k.RandAugment(k.values, num_ops=2),
        torchvision=lambda k: k.RandAugment(2),
        keras_target=14,
    ),
    "flip": Comparison(
        lambda k: k.RandomAffine("horizontal", 0, 0, 0),
        lambda k: k.RandomFlip("horizontal"),
        lambda k: k.HorizontalFlip(p=0.5),
        lambda k: k.RandomHorizontalFlip(),
        lambda k: k.RandomHorizontalFlip(),
        keras_target=30,
        target=0.9,
    ),
    "brightness": Comparison(
        lambda k: k.RandomColor(0.2, 0, 0, 0, value_range=k.values),
        lambda k: k.RandomBrightness(0.2, value_range=k.values),
        lambda k: k.ColorJitter((0.8, 1.2), (1, 1), (1, 1), (0, 0), p=1),
        lambda k: k.ColorJitter(0.2),
        lambda k: k.ColorJitter(0.2, p=1.0),
    ),
    "erasing": Comparison(
        lambda k: k.RandomErasing(value_range=k.values),
        # So that it erases in each image.
        lambda k: k.RandomErasing(
            (1.0, 1.0), fill_value=0.0, value_range=k.values
        ),
        lambda k: k.Erasing(p=1),
        lambda k: k.RandomErasing(1.0),
        lambda k: k.RandomErasing(p=1.0),
        keras_target=16,
        target=1,
    ),
    "MixUp": Comparison(
        lambda k: k.MixUp(),
        lambda k: k.MixUp(),
        keras_target=3.5,
        labels=True,
    ),
    "CutMix": Comparison(
        lambda k: k.CutMix(),
        lambda k: k.CutMix(),
        keras_target=11,
        labels=True,
    ),
}

# What is not here, and not above, is measured by itself.
OTHERS = {
    "RandomPerspective": Comparison(
        lambda k: k.RandomPerspective(),
        lambda k: k.RandomPerspective(),
        lambda k: k.Perspective(p=1),
    ),
    "RandomCrop": Comparison(
        lambda k: k.RandomCrop(k.size * 7 // 8, k.size * 7 // 8),
        lambda k: k.RandomCrop(k.size * 7 // 8, k.size * 7 // 8),
        lambda k: k.RandomCrop(k.size * 7 // 8, k.size * 7 // 8),
    ),
    "RandomResizedCrop": Comparison(
        lambda k: k.RandomResizedCrop(k.size, k.size),
        None,
        lambda k: k.RandomResizedCrop((k.size, k.size)),
    ),
    "RandomPadCrop": Comparison(
        lambda k: k.RandomPadCrop(k.size // 8),
        None,
        lambda k: k.Compose(
            [
                k.PadIfNeeded(k.size * 5 // 4, k.size * 5 // 4),
                k.RandomCrop(k.size, k.size),
            ]
        ),
    ),
    "RandomElastic": Comparison(
        lambda k: k.RandomElastic(),
        lambda k: k.RandomElasticTransform(value_range=k.values),
        lambda k: k.ElasticTransform(p=1),
    ),
    "RandomSolarize": Comparison(
        lambda k: k.RandomSolarize((0.5, 0.5), value_range=k.values),
        lambda k: k.Solarization(0.0, 0.5, value_range=k.values),
        lambda k: k.Solarize(p=1),
    ),
    "RandomPosterize": Comparison(
        lambda k: k.RandomPosterize(4, value_range=k.values),
        lambda k: k.RandomPosterization(4, value_range=k.values),
        lambda k: k.Posterize(p=1),
    ),
    "RandomAutoContrast": Comparison(
        lambda k: k.RandomAutoContrast(value_range=k.values, rate=1),
        lambda k: k.AutoContrast(value_range=k.values),
        lambda k: k.AutoContrast(method="pil", p=1),
    ),
    "RandomEqualize": Comparison(
        lambda k: k.RandomEqualize(value_range=k.values, rate=1),
        lambda k: k.Equalization(value_range=k.values),
        lambda k: k.Equalize(p=1),
    ),
    "RandomInvert": Comparison(
        lambda k: k.RandomInvert(value_range=k.values, rate=1),
        lambda k: k.RandomInvert(value_range=k.values),
        lambda k: k.InvertImg(p=1),
    ),
    "RandomGamma": Comparison(
        lambda k: k.RandomGamma(value_range=k.values),
        None,
        lambda k: k.RandomGamma(p=1),
    ),
    "RandomGrayscale": Comparison(
        lambda k: k.RandomGrayscale(rate=1),
        lambda k: k.RandomGrayscale(1.0),
        lambda k: k.ToGray(p=1),
    ),
    "RandomChannelShuffle": Comparison(
        lambda k: k.RandomChannelShuffle(),
        None,
        lambda k: k.ChannelShuffle(p=1),
    ),
    "RandomChannelDrop": Comparison(
        lambda k: k.RandomChannelDrop(),
        None,
        lambda k: k.ChannelDropout(p=1),
    ),
    "RandomGaussianNoise": Comparison(
        lambda k: k.RandomGaussianNoise(value_range=k.values),
        None,
        lambda k: k.GaussNoise((0.05, 0.05), p=1),
    ),
    "RandomSaltPepper": Comparison(
        lambda k: k.RandomSaltPepper(value_range=k.values),
        None,
        lambda k: k.SaltAndPepper(p=1),
    ),
    "RandomISONoise": Comparison(
        lambda k: k.RandomISONoise(value_range=k.values),
        None,
        lambda k: k.ISONoise(p=1),
    ),
    "RandomGaussianBlur": Comparison(
        lambda k: k.RandomGaussianBlur(),
        lambda k: k.RandomGaussianBlur(
            kernel_size=7, sigma=1.0, value_range=k.values
        ),
        lambda k: k.GaussianBlur(sigma_limit=(0.1, 2.0), p=1),
    ),
    "RandomMotionBlur": Comparison(
        lambda k: k.RandomMotionBlur(),
        None,
        lambda k: k.MotionBlur(p=1),
    ),
    "RandomSharpness": Comparison(
        lambda k: k.RandomSharpness(value_range=k.values),
        lambda k: k.RandomSharpness(0.5, value_range=k.values),
        lambda k: k.Sharpen(p=1),
    ),
    "RandomJPEG": Comparison(
        lambda k: k.RandomJPEG(value_range=k.values),
        None,
        lambda k: k.ImageCompression(quality_range=(30, 95), p=1),
    ),
    "GridMask": Comparison(
        lambda k: k.GridMask(),
        None,
        lambda k: k.GridDropout(p=1),
    ),
    "Mosaic": Comparison(lambda k: k.Mosaic(), labels=True),
    "RandomMix": Comparison(
        lambda k: k.RandomMix([k.MixUp(), k.CutMix()]), labels=True
    ),
    "Apply": Comparison(lambda k: k.Apply(k.RandomSharpness())),
    "Choice": Comparison(
        lambda k: k.Choice([k.RandomColor(), k.RandomGaussianNoise()])
    ),
    "Compose": Comparison(
        lambda k: k.Compose(
            [k.RandomAffine(), k.RandomPerspective(), k.RandomColor()]
        )
    ),
    "AugMix": Comparison(
        lambda k: k.AugMix(value_range=k.values),
        lambda k: k.AugMix(value_range=k.values),
    ),
}
COMPARISONS = {**MAIN, **OTHERS}

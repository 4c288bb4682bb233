import keras

from keras_regopt._beta import at_quantile, beta_quantiles
from keras_regopt._registry import register
from keras_regopt._validate import in_range
from keras_regopt.augmentation._mixing import (
    mixed,
    partners,
    per_element,
    sources,
)
from keras_regopt.augmentation.image._mixing import MixingAugmentation, area


@register
class MixUp(MixingAugmentation):
    """Blends each image of a batch with another one, and their labels alike.

    A model that is trained on what lies between images changes slowly between
    them: it is less sure of itself where it should be, and bears wrong labels
    better. With a weight that each image draws for itself,

        image' = weight * image + (1 - weight) * partner
        label' = weight * label + (1 - weight) * label of the partner
        weight ~ Beta(alpha, alpha)

    The partners are a random ring through the batch: every image is the
    partner of one other, and none its own. (The authors' code shuffles the
    batch, where an image may meet itself.)

    Pass a dict of `images` and `labels`; a bare tensor is mixed with a warning.
    Integer labels become one-hot if `num_classes` is set, in
    training and in inference, so use a loss that takes vectors, such as
    `CategoricalCrossentropy`. Labels of floats, and integers of shape
    `(batch, classes)`, are mixed as they are: one-hot, soft, multi-label,
    binary, or targets of a regression.

    Masks of floats are blended as the images are; of masks of integers, the
    one of the heavier image stays. Each image gets the boxes of both, its own
    first, so there is room for twice as many; what is not needed, or all of
    it where nothing is mixed, is padding at the end, zeros with the label -1.
    Boxes carry no weights.

    Args:
        alpha: Parameter of the beta distribution, a number > 0; the larger,
            the more even the mixtures. Defaults to `0.2`, as in the paper for
            ImageNet. Detectors use 1.5.
        num_classes: Number of classes, at least 2, for labels that are
            integers. Defaults to `None`: labels are floats.
        bounding_box_format: Format of the boxes in the inputs, one of Keras'
            formats, such as `"xyxy"`. Defaults to `None`: no boxes.
        min_visibility: Share, from 0 to 1, that an image must have in the
            mixture, or else its boxes are dropped. Defaults to `0.0`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that an image is mixed at all) and
            `data_format`, and `name` and `dtype` of a Keras layer.

    Input shape:
        `(batch, height, width, channels)`, or with the channels first, or a
        dict; see `ImageAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If an argument is out of bounds, if images come one by
            one, or if labels are integers and `num_classes` is not set.

    Examples:
        >>> layer = MixUp(alpha=1.0, num_classes=2, seed=0)
        >>> data = {"images": np.zeros((2, 4, 4, 1)), "labels": [0, 1]}
        >>> labels = keras.ops.convert_to_numpy(layer(data)["labels"])
        >>> labels.sum(axis=1).tolist()
        [1.0, 1.0]

    References:
        Zhang et al. 2018, mixup: Beyond empirical risk minimization (arXiv
        1710.09412); Zhang et al. 2019, Bag of freebies for training object
        detection neural networks (arXiv 1902.04103), for boxes.
    """

    blends = True

    def __init__(
        self,
        alpha: float = 0.2,
        *,
        num_classes: int | None = None,
        bounding_box_format: str | None = None,
        min_visibility: float = 0.0,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(
            num_classes=num_classes,
            bounding_box_format=bounding_box_format,
            seed=seed,
            **kwargs,
        )
        self.alpha = in_range(self, "alpha", alpha, above=0)
        self.min_visibility = in_range(
            self, "min_visibility", min_visibility, 0, 1
        )
        self._quantiles = beta_quantiles(self.alpha)

    def sample(self, shape, seed):
        order, quantile = self.uniforms(2, shape[0], seed)
        weight = at_quantile(self._quantiles, quantile, self.ops)
        return {
            "sources": sources(order, 2),
            "weights": self.ops.stack([weight, 1 - weight], axis=1),
        }

    def apply(self, inputs, parameters):
        return mixed(inputs, parameters)

    def apply_to_masks(self, masks, parameters):
        ops = self.ops
        if keras.backend.is_float_dtype(
            keras.backend.standardize_dtype(masks.dtype)
        ):
            return self.apply_to_labels(masks, parameters)
        stays = per_element(parameters["weights"][:, 0] >= 0.5, masks)
        return ops.where(stays, masks, partners(masks, parameters))

    def placed(self, boxes, parameters, shape):
        weights = self.ops.expand_dims(parameters["weights"], axis=-1)
        return boxes, weights * area(boxes)

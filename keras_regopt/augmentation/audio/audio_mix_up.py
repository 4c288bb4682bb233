from keras_regopt._beta import at_quantile, beta_quantiles
from keras_regopt._registry import register
from keras_regopt._validate import in_range
from keras_regopt.augmentation._lengths import within
from keras_regopt.augmentation._mixing import mixed, partners, sources
from keras_regopt.augmentation.audio._mixing import AudioMixing


@register
class AudioMixUp(AudioMixing):
    """Blends each clip of a batch with another one, and their labels alike.

    A model that is trained on what lies between sounds changes slowly between
    them: it is less sure of itself where it should be, and bears wrong labels
    better. With a weight that each clip draws for itself,

        clip' = weight * clip + (1 - weight) * partner
        label' = weight * label + (1 - weight) * label of the partner
        weight ~ Beta(alpha, alpha)

    The partners are a random ring through the batch: every clip is the
    partner of one other, and none its own. Of each, only what is within its
    `lengths` is heard, and the mixture is as long as the longer one. `targets`
    are blended as the clips are.

    Pass a dict of `audio` and `labels`. Integer labels become one-hot if
    `num_classes` is set, in training and in inference, so use a loss that
    takes vectors, such as `CategoricalCrossentropy`. Labels of floats, and
    integers of shape `(batch, classes)`, are mixed as they are.

    Args:
        alpha: Parameter of the beta distribution, a number > 0; the larger,
            the more even the mixtures. Defaults to `0.2`.
        num_classes: Number of classes, at least 2, for labels that are
            integers. Defaults to `None`: labels are floats.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that a clip is mixed at all),
            `channels`, and `name` and `dtype` of a Keras layer; see
            `AudioAugmentation`.

    Input shape:
        `(batch, time)`, with `channels=True` `(batch, time, channels)`, or a
        dict; see `AudioAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If an argument is out of bounds, if clips come one by one,
            or if labels are integers and `num_classes` is not set.

    Examples:
        >>> layer = AudioMixUp(alpha=1.0, num_classes=2, seed=0)
        >>> data = {"audio": np.zeros((2, 8), "float32"), "labels": [0, 1]}
        >>> labels = keras.ops.convert_to_numpy(layer(data)["labels"])
        >>> labels.sum(axis=1).tolist()
        [1.0, 1.0]

    References:
        Zhang et al. 2018, mixup: Beyond empirical risk minimization (arXiv
        1710.09412).
    """

    def __init__(
        self,
        alpha: float = 0.2,
        num_classes: int | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(num_classes=num_classes, seed=seed, **kwargs)
        self.alpha = in_range(self, "alpha", alpha, above=0)
        self._quantiles = beta_quantiles(self.alpha)

    def sample(self, shape, seed):
        order, quantile = self.uniforms(2, shape[0], seed)
        weight = at_quantile(self._quantiles, quantile, self.ops)
        return {
            "sources": sources(order, 2),
            "weights": self.ops.stack([weight, 1 - weight], axis=1),
        }

    def apply(self, inputs, parameters):
        ops = self.ops
        heard = within(parameters["lengths"], ops.shape(inputs)[1])
        return mixed(ops.where(heard[..., None], inputs, 0.0), parameters)

    def apply_to_lengths(self, lengths, parameters, shape):
        return self.ops.maximum(lengths, partners(lengths, parameters))

from keras_regopt._beta import at_quantile, beta_quantiles
from keras_regopt._registry import register
from keras_regopt._validate import in_range
from keras_regopt.augmentation._mixing import partners, sources
from keras_regopt.augmentation.audio._mixing import AudioMixing
from keras_regopt.augmentation.audio.functional._spans import in_spans, spans


@register
class AudioCutMix(AudioMixing):
    """Puts a span of another clip into each clip of a batch.

    The span is at the same time in both. Labels are mixed by the share of the
    time that each clip keeps. A model must then go by more than the most
    telling part of a sound, and hears no two at once, as in `AudioMixUp`.
    With a weight that each clip draws for itself,

        label' = weight * label + (1 - weight) * label of the partner
        weight ~ Beta(alpha, alpha)

    and `1 - weight` of the clip is of the partner, at a place that is drawn
    evenly. The partners are a random ring through the batch: every clip is
    the partner of one other, and none its own. Where inputs hold `lengths`,
    the span lies within what is valid of both, so it may be shorter, and
    labels are mixed by what is heard. `targets` are cut as the clips are.

    Pass a dict of `audio` and `labels`. Integer labels become one-hot if
    `num_classes` is set, in training and in inference, so use a loss that
    takes vectors, such as `CategoricalCrossentropy`. Labels of floats, and
    integers of shape `(batch, classes)`, are mixed as they are.

    Args:
        alpha: Parameter of the beta distribution, a number > 0. Defaults to
            `1.0`: every share is as likely.
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
        >>> layer = AudioCutMix(num_classes=2, seed=0)
        >>> clips = np.array([[0.0] * 50, [1.0] * 50], "float32")
        >>> mixed = layer({"audio": clips, "labels": [0, 1]})
        >>> heard = keras.ops.convert_to_numpy(mixed["audio"]).mean(axis=1)
        >>> labels = keras.ops.convert_to_numpy(mixed["labels"])
        >>> np.allclose(heard, labels[:, 1])
        True

    References:
        Yun et al. 2019, CutMix: Regularization strategy to train strong
        classifiers with localizable features (arXiv 1905.04899).
    """

    def __init__(
        self,
        alpha: float = 1.0,
        num_classes: int | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(num_classes=num_classes, seed=seed, **kwargs)
        self.alpha = in_range(self, "alpha", alpha, above=0)
        self._quantiles = beta_quantiles(self.alpha)

    def sample(self, shape, seed):
        order, quantile, place = self.uniforms(3, shape[0], seed)
        weight = at_quantile(self._quantiles, quantile, self.ops)
        return {
            "sources": sources(order, 2),
            "size": 1 - weight,
            "place": place,
        }

    def resolve(self, inputs, parameters, context):
        ops = self.ops
        parameters = super().resolve(inputs, parameters, context)
        lengths = parameters["lengths"]
        room = ops.minimum(lengths, partners(lengths, parameters))
        whole = ops.cast(ops.maximum(lengths, 1), "float32")
        # Of the length of the own clip, but within both.
        most = ops.cast(ops.maximum(room, 1), "float32")
        share = ops.minimum(parameters["size"] * whole / most, 1.0)
        start, end = spans(share[:, None], parameters["place"][:, None], room)
        pasted = (end - start)[:, 0] / whole
        weights = ops.stack([1 - pasted, pasted], axis=1)
        return {**parameters, "start": start, "end": end, "weights": weights}

    def apply(self, inputs, parameters):
        ops = self.ops
        count = ops.shape(inputs)[1]
        pasted = in_spans(count, parameters["start"], parameters["end"])
        return ops.where(
            pasted[..., None], partners(inputs, parameters), inputs
        )

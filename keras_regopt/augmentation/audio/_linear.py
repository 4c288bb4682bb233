from keras_regopt.augmentation.audio._base import AudioAugmentation
from keras_regopt.augmentation.audio.functional._levels import (
    per_clip,
    within,
)
from keras_regopt.augmentation.audio.functional._spectra import (
    convolve,
    fft_size,
    product,
)


class LinearAugmentation(AudioAugmentation):
    """Base of the augmentations that are a gain or a frequency response.

    A subclass writes `sample` and `response`, and sets `tail` if the response
    is no mere gain. Neighbours in a pipeline become one: their responses are
    multiplied, and the waveform is transformed once.

    Only valid samples change. The response must not be heard before the
    sound that it is of, or padding would leak into what is valid.

    Args:
        **kwargs: `rate`, `seed`, `channels` and `value_range` of
            `AudioAugmentation`, and `name` and `dtype` of a Keras layer.
    """

    # For how many samples the response rings on; none means that it is the
    # same at all frequencies.
    tail = 0

    def response(self, parameters, size):
        """The frequency response for each clip.

        Args:
            parameters: What `sample` returned.
            size: The size of the transform, as `fft_size` returns it.

        Returns:
            Its real and its imaginary part, of shape `(batch, size // 2 + 1)`
            or, of a gain, `(batch, 1)`.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must write "
            "`response(self, parameters, size)`."
        )

    def apply(self, inputs, parameters):
        ops = self.ops
        time = ops.shape(inputs)[1]
        if self.tail:
            size = fft_size(time + self.tail)
            response = self.response(parameters, size)
            result = convolve(inputs, response, size)
        else:
            gain, _ = self.response(parameters, 0)
            result = inputs * per_clip(gain)
        changes = within(parameters["lengths"], time)
        if "chosen" in parameters:
            chosen = per_clip(parameters["chosen"])
            changes = ops.logical_and(changes, chosen)
        return ops.where(changes, result, inputs)

    def draw(self, shape, training, seed=None, among=None):
        parameters, chosen = super().draw(shape, training, seed, among)
        if chosen is None:
            return parameters, None
        # Merged with others, a layer has its own choice and no other.
        return {**parameters, "chosen": chosen}, None

    def merging_key(self):
        if type(self).apply is not LinearAugmentation.apply:
            return None
        dtype = self.dtype_policy.name
        return "response", dtype, self.channels, self.value_range

    def merged_with(self, others):
        return _MergedResponse([self, *others])


class _MergedResponse(LinearAugmentation):
    """Several layers that follow one another, as one response."""

    def __init__(self, leaves):
        first = leaves[0]
        super().__init__(
            channels=first.channels,
            value_range=first.value_range,
            dtype=first.dtype_policy,
        )
        self.leaves = leaves
        self.tail = sum(leaf.tail for leaf in leaves)

    def merged_parameters(self, parameters):
        merged = {"leaves": parameters}
        if all("chosen" in drawn for drawn in parameters):
            merged["chosen"] = parameters[0]["chosen"]
            for drawn in parameters[1:]:
                merged["chosen"] = self.ops.logical_or(
                    merged["chosen"], drawn["chosen"]
                )
        return merged

    def response(self, parameters, size):
        ops = self.ops
        result = None
        drawn = parameters["leaves"]
        for leaf, own in zip(self.leaves, drawn, strict=True):
            real, imaginary = leaf.response(own, size)
            if "chosen" in own:
                chosen = own["chosen"][:, None]
                real = ops.where(chosen, real, 1.0)
                imaginary = ops.where(chosen, imaginary, 0.0)
            one = real, imaginary
            result = one if result is None else product(result, one)
        return result

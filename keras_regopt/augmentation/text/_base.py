from collections.abc import Sequence

import keras

from keras_regopt._validate import fail, integer
from keras_regopt.augmentation._base import RandomAugmentation
from keras_regopt.augmentation.text._kind import STRINGS, TOKENS
from keras_regopt.augmentation.text._targets import TARGETS, taken


class TokenAugmentation(RandomAugmentation):
    """Base of the random augmentations of token ids.

    Takes integers of shape `(length,)`, or batches of them; or a dict with the
    key `token_ids`, such as the preprocessors of KerasHub return. In such a
    dict, `padding_mask` says which tokens are none, and goes with the tokens
    where they move, as `segment_ids`, `token_labels` and `token_weights` do,
    which hold one value a token. Every other key passes untouched.

    A subclass writes `sample`, and `resolve`, which returns the parameters
    with, at the least, `"source"`: which token each position takes, an int32
    tensor of shape `(batch, length)`, where -1 is padding. Where that is not
    all, it writes `apply`, too.

    Args:
        padding_id: The id of padding, which never changes. Defaults to `0`.
        special_ids: Sequence of ids, such as those that begin and end a text,
            that never change. Defaults to `()`.
        **kwargs: `rate` and `seed` of `RandomAugmentation`, and `name` and
            `dtype` of a Keras layer.

    Raises:
        ValueError: If an argument is not among these values.
    """

    key = "token_ids"
    kind = TOKENS
    element_rank = 1
    target_kinds = {**RandomAugmentation.target_kinds, **TARGETS}
    context_keys = ("padding_mask",)
    computes_in_floats = False
    resolves_costly = True

    def __init__(
        self,
        *,
        padding_id: int = 0,
        special_ids: Sequence[int] = (),
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.padding_id = integer(self, "padding_id", padding_id, low=0)
        self.special_ids = _ids(self, "special_ids", special_ids)

    @property
    def compute_dtype(self):
        """The dtype of ids, to which a `Sequential` casts its inputs."""
        return "int32"

    @property
    def variable_dtype(self):
        """The same, so that Keras casts nothing within a call."""
        return "int32"

    def read(self, inputs):
        data = super().read(inputs)
        dtype = keras.backend.standardize_dtype(data[self.key].dtype)
        if keras.backend.is_float_dtype(dtype) or dtype == "bool":
            raise ValueError(
                f"The {self.key} of {type(self).__name__} must be integers. "
                f"Received: dtype={dtype}. Begin a model with "
                "`keras.Input(shape, dtype='int32')`, or Keras makes floats of "
                "them."
            )
        return data

    def free(self, ids, context):
        """Which tokens may change: neither padding nor special ones.

        Args:
            ids: Integer tensor of shape `(batch, length)`.
            context: A dict that may hold `padding_mask`.

        Returns:
            A boolean tensor of the same shape.
        """
        ops = self.ops
        free = ops.not_equal(ids, self.padding_id)
        if "padding_mask" in context:
            # The mask knows better, where padding is not of one id.
            free = ops.cast(context["padding_mask"], "bool")
        for special in self.special_ids:
            free = ops.logical_and(free, ops.not_equal(ids, special))
        return free

    def apply(self, inputs, parameters):
        return taken(inputs, parameters["source"], self.padding_id)

    def apply_to_tokens(self, values, parameters, filler):
        """What becomes of what belongs to the tokens of a batch.

        Args:
            values: Tensor of shape `(batch, length)`, with one value a token.
            parameters: What `resolve` returned.
            filler: The value of new padding.

        Returns:
            A tensor like `values`.
        """
        return taken(values, parameters["source"], filler)


class StringAugmentation(RandomAugmentation):
    """Base of the random augmentations of strings.

    Takes one string, or a batch of them, or a dict with the key `texts`.
    Every other key passes untouched. Only TensorFlow has strings: on the other
    backends, map the layer over a `tf.data.Dataset`.

    To `sample` and `apply`, strings are a tensor of TensorFlow of shape
    `(batch,)`.

    Args:
        **kwargs: `rate` and `seed` of `RandomAugmentation`, and `name` and
            `dtype` of a Keras layer.
    """

    key = "texts"
    kind = STRINGS
    element_rank = 0
    holds_strings = True
    computes_in_floats = False

    @property
    def compute_dtype(self):
        """The dtype of strings, of which a `Sequential` makes its inputs."""
        return "string"

    @property
    def variable_dtype(self):
        """The same, so that Keras casts nothing within a call."""
        return "string"


def _ids(owner, argument, values):
    """A list of distinct ids, from a sequence of integers."""
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        fail(owner, argument, "a sequence of integers >= 0", values)
    return [integer(owner, argument, value, low=0) for value in values]

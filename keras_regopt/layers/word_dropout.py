from collections.abc import Sequence

import keras
from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import fail, in_range, integer
from keras_regopt.layers._base import Layer
from keras_regopt.layers._sampling import dropout_factors, uniforms


@register
class WordDropout(Layer):
    """Drops whole words of a text, as token ids or as embeddings.

    On integers, before an `Embedding`, each id is replaced by `token` with
    probability `rate`, but for the ids in `keep`: what a decoder cannot read
    off the word before it must draw from the rest. On floats, after an
    `Embedding`, the vectors of whole words become zero instead, and the others
    are divided by `1 - rate`, so that their sum and mean keep their size. The
    words are drawn independently, in every call. At inference the layer is the
    identity.

    Args:
        rate: Probability that a word is dropped, in [0, 1). Defaults to `0.1`.
        token: The id that replaces a dropped one, at least 0. Has no
            meaning on embeddings. Defaults to `1`, which Keras'
            `TextVectorization` gives to unknown words.
        keep: List of the ids that are never dropped. Has no meaning on
            embeddings, where the mask says what counts. Defaults to `(0,)`,
            the padding.
        seed: Integer that makes the draws repeatable, or `None`. Defaults to
            `None`.
        **kwargs: Keras' arguments of every layer, such as `name` and `dtype`.

    Input shape:
        Integers `(batch, words)`, or floats `(batch, words, ...)`.

    Output shape:
        As the input, and of its kind of numbers.

    Examples:
        >>> layer = WordDropout(rate=0.5, seed=0)
        >>> ids = np.array([[7, 8, 9, 7, 0, 0], [5, 6, 0, 0, 0, 0]])
        >>> new = keras.ops.convert_to_numpy(layer(ids, training=True))
        >>> bool(((new == ids) | (new == 1)).all()), bool((new == ids).all())
        (True, False)

    References:
        Bowman et al. 2016, Generating sentences from a continuous space
        (arXiv 1511.06349), on ids; Iyyer et al. 2015, Deep unordered
        composition rivals syntactic methods for text classification, on
        embeddings, whose average over the words left is the mean here, up to
        noise.
    """

    def __init__(
        self,
        rate: float = 0.1,
        token: int = 1,
        keep: Sequence[int] = (0,),
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.rate = in_range(self, "rate", rate, low=0, below=1)
        self.token = integer(self, "token", token, low=0)
        if not isinstance(keep, (list, tuple)):
            fail(self, "keep", "a list of ids", keep)
        self.keep = [integer(self, "keep", i, low=0) for i in keep]
        self._take_seed(seed)
        self.input_spec = keras.layers.InputSpec(min_ndim=2)
        self.supports_masking = True
        self.built = True

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        dtype = keras.backend.standardize_dtype(inputs.dtype)
        if keras.backend.is_float_dtype(dtype):
            return self._without_vectors(inputs)
        return self._without_ids(inputs)

    def _without_vectors(self, vectors):
        shape = (*ops.shape(vectors)[:2], *(1,) * (len(vectors.shape) - 2))
        return vectors * dropout_factors(self, shape, vectors.dtype)

    def _without_ids(self, ids):
        dropped = uniforms(self, ops.shape(ids)) < self.rate
        for token in self.keep:
            dropped = ops.logical_and(dropped, ids != token)
        return ops.where(dropped, ops.cast(self.token, ids.dtype), ids)

    def compute_output_shape(self, input_shape):
        return input_shape

    def compute_output_spec(self, inputs, training=False):
        is_float = keras.backend.is_float_dtype(inputs.dtype)
        dtype = self.compute_dtype if is_float else inputs.dtype
        return keras.KerasTensor(inputs.shape, dtype)

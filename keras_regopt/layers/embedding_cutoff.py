import keras
from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import in_range, one_of
from keras_regopt.layers._base import Layer
from keras_regopt.layers._embeddings import token_mask
from keras_regopt.layers._sampling import check_floats, uniforms


@register
class EmbeddingCutoff(Layer):
    """Blanks a part of the embeddings of each text.

    Behind an `Embedding`, it makes a model decide by the rest: by other
    tokens, or by other features of all tokens. What is cut off becomes zero,
    and nothing is scaled up. At least one token, or one feature, stays. What
    the mask hides is not cut, and the mask does not change. At inference the
    layer is the identity.

    Args:
        fraction: How much is cut off, in [0, 1). Defaults to `0.1`.
        mode: What is cut off: `"tokens"`, each with the probability
            `fraction`; `"span"`, one span of neighbouring tokens, of that
            fraction of the text; or `"features"`, each dimension of all
            embeddings of a text with the probability `fraction`. Defaults to
            `"tokens"`.
        seed: Integer that makes the draws repeatable, or `None`. Defaults to
            `None`.
        **kwargs: Keras' arguments of every layer, such as `name` and `dtype`.

    Input shape:
        `(batch, tokens, dimensions)`, floats; their mask is
        `(batch, tokens)`.

    Output shape:
        As the input.

    Raises:
        ValueError: If `fraction` is out of bounds, or if `mode` is none of
            the three.

    Examples:
        >>> layer = EmbeddingCutoff(fraction=0.25, mode="span", seed=0)
        >>> x = np.ones((1, 8, 2), "float32")
        >>> y = keras.ops.convert_to_numpy(layer(x, training=True))
        >>> int((y == 0).all(axis=-1).sum())
        2

    References:
        Shen et al. 2020, A simple but tough-to-beat data augmentation approach
        for natural language understanding and generation (arXiv 2009.13818).
    """

    def __init__(
        self,
        fraction: float = 0.1,
        mode: str = "tokens",
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.fraction = in_range(self, "fraction", fraction, low=0, below=1)
        self.mode = one_of(self, "mode", mode, ("tokens", "span", "features"))
        self._take_seed(seed)
        self.input_spec = keras.layers.InputSpec(ndim=3)
        self.supports_masking = True
        self.built = True

    def call(self, inputs, mask=None, training=False):
        if not training or self.fraction == 0:
            return inputs
        check_floats(self, inputs.dtype)
        if self.mode == "features":
            whole = ops.ones((ops.shape(inputs)[0], inputs.shape[-1]), "bool")
            cut = ops.expand_dims(self._singles(whole), 1)
            if mask is not None:
                cut = ops.logical_and(cut, ops.cast(mask, "bool")[..., None])
        else:
            cut = self._span if self.mode == "span" else self._singles
            cut = ops.expand_dims(cut(token_mask(inputs, mask)), -1)
        return ops.where(cut, ops.zeros_like(inputs), inputs)

    def _singles(self, free):
        """Each by itself, but never all."""
        draws = ops.where(free, uniforms(self, ops.shape(free)), -1.0)
        largest = ops.max(draws, axis=1, keepdims=True)
        cut = draws < ops.minimum(largest, self.fraction)
        return ops.logical_and(free, cut)

    def _span(self, free):
        """One span of each text, somewhere in it."""
        ranks = ops.cumsum(ops.cast(free, "int32"), axis=1) - 1
        count = ranks[:, -1:] + 1
        draws = uniforms(self, (ops.shape(free)[0], 2))
        # Rounded up as often as makes the fraction right on average.
        size = self.fraction * ops.cast(count, "float32") + draws[:, :1]
        size = ops.minimum(ops.cast(ops.floor(size), "int32"), count - 1)
        choices = ops.cast(count - size + 1, "float32")
        first = ops.cast(ops.floor(draws[:, 1:] * choices), "int32")
        inside = ops.logical_and(ranks >= first, ranks < first + size)
        return ops.logical_and(free, inside)

    def compute_output_shape(self, input_shape):
        return input_shape

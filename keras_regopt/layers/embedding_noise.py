import keras
from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import in_range
from keras_regopt.layers._base import Layer
from keras_regopt.layers._embeddings import token_mask
from keras_regopt.layers._sampling import check_floats, uniforms


@register
class EmbeddingNoise(Layer):
    """Adds noise to embeddings, less to each the longer the text: NEFTune.

    Behind an `Embedding`, it keeps a language model that is fine-tuned on few
    texts from learning their wording by heart. In training, each number gets

        alpha / sqrt(tokens * dimensions) * u,   u ~ Uniform(-1, 1),

    where `tokens` counts those of the text that the mask does not hide; what
    it hides gets no noise. So the noise of a whole text has the same length,
    about `alpha / sqrt(3)`, whatever its size. At inference the layer is the
    identity.

    Args:
        alpha: The size of the noise, a number >= 0; 5, 10 and 15 are those of
            the paper. Defaults to `5.0`.
        seed: Integer that makes the draws repeatable, or `None`. Defaults to
            `None`.
        **kwargs: Keras' arguments of every layer, such as `name` and `dtype`.

    Input shape:
        `(batch, tokens, dimensions)`, floats; their mask is
        `(batch, tokens)`.

    Output shape:
        As the input.

    Raises:
        ValueError: If `alpha` is negative.

    Examples:
        >>> layer = EmbeddingNoise(alpha=5.0, seed=0)
        >>> x = np.zeros((100, 8, 16), "float32")
        >>> noise = keras.ops.convert_to_numpy(layer(x, training=True))
        >>> lengths = np.sqrt((noise**2).sum(axis=(1, 2)))
        >>> abs(float(lengths.mean()) - 5 / 3**0.5) < 0.05
        True

    References:
        Jain et al. 2023, NEFTune: noisy embeddings improve instruction
        finetuning (arXiv 2310.05914).
    """

    def __init__(self, alpha: float = 5.0, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.alpha = in_range(self, "alpha", alpha, low=0)
        self._take_seed(seed)
        self.input_spec = keras.layers.InputSpec(ndim=3)
        self.supports_masking = True
        self.built = True

    def call(self, inputs, mask=None, training=False):
        if not training or self.alpha == 0:
            return inputs
        check_floats(self, inputs.dtype)
        mask = ops.cast(token_mask(inputs, mask), "float32")
        tokens = ops.maximum(ops.sum(mask, axis=1, keepdims=True), 1.0)
        # In single precision: the square of half a text may be too large.
        size = mask * self.alpha / ops.sqrt(tokens * inputs.shape[-1])
        noise = 2 * uniforms(self, ops.shape(inputs)) - 1
        return inputs + ops.cast(noise * size[..., None], inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

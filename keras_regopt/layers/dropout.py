from collections.abc import Sequence

import keras

from keras_regopt._hyper_parameter import (
    HyperParameter,
    is_tuned,
    number_of,
    tunable,
)
from keras_regopt._registry import register
from keras_regopt._search_space import Range
from keras_regopt.layers._drop_in import (
    DropIn,
    checked_by_keras,
    checked_noise_shape,
    shares_examples,
)
from keras_regopt.layers._sampling import masked


@register
class Dropout(DropIn, keras.layers.Dropout):
    """Keras' `Dropout`, faster, and the same on every backend.

    In training, each input is zero with probability `rate`, and the others are
    divided by `1 - rate`, so that the mean stays. At inference it is the
    identity.

    Import it instead of Keras' own: its arguments and files are the same. The
    random number of a unit is a hash of its index, the seed and the step. It is
    computed in the forward pass and again in the backward pass; no mask is
    stored. So the same seed drops the same units on TensorFlow, JAX and torch,
    a resumed training drops the units that it would have, each replica of a
    strategy has its own draws, and `HyperparameterSchedule` changes `rate`
    without a new compilation.

    Args:
        rate: Probability that an input is dropped, in [0, 1], in steps of
            `2 ** -24`; or a `HyperParameter`, with which units are dropped in
            part, as in `ConcreteDropout`.
        noise_shape: Shape of the mask, with `None` for sizes of the input's:
            `(None, 1, None)` drops features at all steps of a sequence or at
            none. Defaults to `None`, each input by itself.
        seed: Integer that makes the draws repeatable, or `None`. Layers of one
            seed and one shape drop the same units, so give each its own.
            Defaults to `None`.
        **kwargs: Keras' arguments of every layer, such as `name` and `dtype`.

    Input shape:
        A tensor of any rank.

    Output shape:
        As the input.

    Examples:
        >>> layer = Dropout(0.5, seed=0)
        >>> y = layer(np.ones((1, 8), "float32"), training=True)
        >>> keras.ops.convert_to_numpy(y)[0].tolist()
        [2.0, 2.0, 2.0, 2.0, 0.0, 2.0, 0.0, 2.0]

    References:
        Srivastava et al. 2014, Dropout: a simple way to prevent neural networks
        from overfitting.
    """

    search_space = {"rate": Range(0.0, 0.8)}

    def __init__(
        self,
        rate: float | HyperParameter,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        limits = {"low": 0, "below": 1} if is_tuned(rate) else {}
        tunable(self, "rate", rate, **limits)
        checked_by_keras(
            keras.layers.Dropout,
            rate=number_of(rate),
            noise_shape=noise_shape,
        )
        super().__init__(seed, **kwargs)
        self.rate = rate
        self.noise_shape = checked_noise_shape(self, noise_shape)
        self.draws_once_for_a_batch = shares_examples(self.noise_shape)

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        return masked(self, inputs, self.noise_shape)

from keras_regopt._registry import register
from keras_regopt._search_space import Range
from keras_regopt._types import LearningRate
from keras_regopt.optimizers.algorithms.adam import Adam


@register
class AdamW(Adam):
    """Adam with decoupled weight decay: Keras', faster.

    Makes the steps of `keras.optimizers.AdamW` and reads and writes its files.
    A step is that of `Adam`, after `w = w - rate weight_decay w`. The decay is
    part of the same pass over the memory and costs next to nothing. Use it
    where you would use Keras' own; `groups` keep biases and scales from
    decaying, also after a reload.

    Args:
        learning_rate: As of `Adam`. Defaults to `0.001`.
        weight_decay: Number >= 0, multiplied by the learning rate. Defaults to
            `0.004`.
        beta_1: As of `Adam`. Defaults to `0.9`.
        beta_2: As of `Adam`. Defaults to `0.999`.
        epsilon: As of `Adam`. Defaults to `1e-7`.
        amsgrad: As of `Adam`. Defaults to `False`.
        **kwargs: As of `Adam`.

    Examples:
        >>> from keras_regopt.optimizers import ParameterGroup
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> no_decay = ParameterGroup("bias", weight_decay=0)
        >>> model.compile(AdamW(weight_decay=0.01, groups=[no_decay]), "mse")
        >>> model.optimizer.weight_decay
        0.01

    References:
        Loshchilov and Hutter 2019, Decoupled weight decay regularization (arXiv
        1711.05101); `keras/src/optimizers/adamw.py`.
    """

    search_space = {
        "learning_rate": Range(1e-5, 1e-1, log=True),
        "weight_decay": Range(1e-6, 1.0, log=True),
    }

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs,
    ):
        if (
            not isinstance(weight_decay, (int, float))
            or isinstance(weight_decay, bool)
            or not 0 <= weight_decay < float("inf")
        ):
            # In the words of Keras, whose tests look for them.
            raise ValueError(
                "Argument `weight_decay` must be a float. Received: "
                f"weight_decay={weight_decay!r}. It must be >= 0, too."
            )
        super().__init__(
            learning_rate,
            beta_1,
            beta_2,
            epsilon,
            amsgrad,
            weight_decay=weight_decay,
            **kwargs,
        )

from keras_regopt._registry import register
from keras_regopt._types import LearningRate
from keras_regopt.optimizers.algorithms.adam import Adam


@register
class AdamW(Adam):
    """Adam with decoupled weight decay: Keras', faster.

    Makes the steps of `keras.optimizers.AdamW` and reads and writes its files.
    A step is that of `Adam`, after `w = w - rate weight_decay w`. The decay
    rides in the same pass over the memory and costs next to nothing. Use it
    where you would use Keras' own; `groups` keep biases and scales from
    decaying, also after a reload.

    Args:
        learning_rate: A number >= 0, a `LearningRateSchedule`, or a function
            without arguments. Defaults to `0.001`.
        weight_decay: Number >= 0, multiplied by the learning rate. Defaults to
            `0.004`.
        beta_1: Decay of the average of the gradients, in [0, 1). Defaults to
            `0.9`.
        beta_2: Decay of the average of the squared gradients, in [0, 1).
            Defaults to `0.999`.
        epsilon: Number >= 0 that is added to the root, before the correction
            of its bias. Defaults to `1e-7`.
        amsgrad: Whether the average of the squares may only grow. Defaults to
            `False`.
        **kwargs: `l1`, `l2` and `exclude`, for penalties inside the update;
            `lazy`, for embeddings; `groups`; and Keras' arguments of every
            optimizer, such as `clipnorm`.

    Raises:
        ValueError: If an argument is out of its range.

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

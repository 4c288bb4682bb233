import re

from keras_regopt._config import SignatureConfig
from keras_regopt._registry import register
from keras_regopt._validate import fail, in_range, instance_of


@register
class ParameterGroup(SignatureConfig):
    """Variables with a learning rate or a weight decay of their own.

    A group is a rule on the path of a variable, such as `dense/kernel`. It is
    part of the optimizer's configuration, so it survives saving. The pattern
    must match the end of the path, from the border of a component on: `bias`
    matches `my_model/dense/bias`, but neither `dense/pre_bias` nor
    `bias/kernel`. The start of the path does not count, because Keras changes
    it when a model is loaded. Where several groups match a variable, their
    factors multiply.

    Name the layers that a pattern speaks of: the names that Keras gives of
    itself count the layers made before in the same process.

    Args:
        pattern: Regular expression on the end of the variable's path, such as
            `"bias|gamma|beta"` or `"encoder/.*"`.
        learning_rate: Factor >= 0 on the optimizer's learning rate, which
            counts for the weight decay too. `0` freezes the variables.
            Defaults to `1.0`.
        weight_decay: Factor >= 0 on the optimizer's weight decay. `0` excludes
            the variables from it. Defaults to `1.0`.

    Raises:
        ValueError: If an argument is out of its range or no regular
            expression.

    Examples:
        >>> group = ParameterGroup("bias|gamma|beta", weight_decay=0)
        >>> group.matches("sequential/dense/bias")
        True
        >>> group.matches("sequential/dense/kernel")
        False

    References:
        `param_groups_weight_decay` in timm's `optim/_param_groups.py`.
    """

    def __init__(
        self,
        pattern: str,
        learning_rate: float = 1.0,
        weight_decay: float = 1.0,
    ):
        self.pattern = instance_of(
            self, "pattern", pattern, str, "a regular expression"
        )
        try:
            self._expression = re.compile(rf"(?:^|/)(?:{pattern})$")
        except re.error as error:
            fail(self, "pattern", f"a regular expression ({error})", pattern)
        self.learning_rate = in_range(
            self, "learning_rate", learning_rate, low=0
        )
        self.weight_decay = in_range(self, "weight_decay", weight_decay, low=0)

    def matches(self, path):
        """Whether a variable belongs to this group.

        Args:
            path: The variable's path.

        Returns:
            A Python `bool`.
        """
        return self._expression.search(path) is not None

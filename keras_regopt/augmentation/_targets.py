"""What moves along with the data: the kinds of targets."""

from keras_regopt.augmentation._batch import select
from keras_regopt.augmentation._inputs import check_labels


class Target:
    """How a layer checks and changes the targets of one kind."""

    # The method that a subclass of the base writes to change these.
    hook = ""

    # Whether a clip has one of these, instead of one for each frame.
    per_clip = False

    # Whether these may be ragged, or nested lists: of one element more than of
    # another.
    is_set = True

    # Whether these are one tensor, which a list becomes.
    is_tensor = False

    def check(self, layer, value, data):
        """Refuses what cannot belong to the data.

        Args:
            layer: The augmentation, whose name the error bears.
            value: The targets, a tensor or a dict of tensors.
            data: The data, a tensor.

        Raises:
            ValueError: If it cannot.
        """

    def moved(self, layer, value, parameters, chosen, shape):
        """What becomes of the targets of a batch.

        Args:
            layer: The augmentation.
            value: The targets, a tensor or a dict of tensors.
            parameters: What `sample` returned.
            chosen: Which elements change, a boolean tensor; `None` is all.
            shape: What `sample` got.

        Returns:
            The same structure.
        """
        raise NotImplementedError


class Labels(Target):
    """Labels, of which most layers change nothing."""

    hook = "apply_to_labels"
    per_clip = True
    is_set = False

    def check(self, layer, value, data):
        check_labels(layer, value, data)

    def moved(self, layer, value, parameters, chosen, shape):
        changed = layer.apply_to_labels(value, parameters)
        return select(chosen, changed, value)


def check_declarations(cls):
    """Refuses a class that changes what it does not declare."""
    own = vars(cls)
    if "target_kinds" in own or isinstance(cls.target_kinds, property):
        # A base, whose methods change nothing, or a container.
        return
    for key, kind in cls.target_kinds.items():
        if kind.hook in own and key not in cls.targets:
            raise TypeError(
                f"{cls.__name__} writes `{kind.hook}`, so its `targets` must "
                f"hold {key!r}, as in `targets = {{{key!r}}}`. Received: "
                f"targets={cls.targets}"
            )
    if "inference_parameters" in own and not cls.acts_in_inference:
        raise TypeError(
            f"{cls.__name__} writes `inference_parameters`, so it must set "
            "`acts_in_inference = True`."
        )

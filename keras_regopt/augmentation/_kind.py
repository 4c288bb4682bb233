"""What the augmentations of one kind of data have in common."""

from keras_regopt._validate import fail
from keras_regopt.augmentation._alike import is_like, warn_of_key


class Kind:
    """One kind of data, such as images.

    The layers of a kind share this object, and their containers borrow it: a
    container is of the kind of what it holds. Here nothing is special.
    """

    # In words, for messages.
    name = "data"

    # The key of targets that have the very shape of the data.
    twin: str | None = None

    # Whether batches of clips, with an axis of time, are taken too.
    takes_clips = False

    # The constructor arguments of containers that this kind has a use for.
    options: tuple[str, ...] = ()

    def set_options(self, container, parts, options):
        """Keeps the options of a container, checked against its parts.

        Args:
            container: The container that is being made.
            parts: The layers within.
            options: Dict of all options, `None` where one was not given.

        Raises:
            ValueError: If one is given that this kind has no use for.
        """
        for option, value in options.items():
            if value is not None and option not in self.options:
                fail(container, option, f"None for {self.name}", value)
            setattr(container, option, value)

    def read(self, layer, data):
        """The dict of the inputs, checked for what belongs to the data."""
        return data

    def look(self, layer, inputs, tensor):
        """Warns of what is legal, but probably a mistake."""
        if not isinstance(inputs, dict):
            return
        for key in inputs:
            if key in layer.target_kinds or key == layer.key:
                continue
            for name in sorted({*layer.targets, *layer.context_keys}):
                if is_like(key, name):
                    warn_of_key(layer, repr(key), f"the {layer.key}", name)

    def additional_targets(self, layer):
        """The kinds of more targets that one layer has, by their keys."""
        return {}

    def output_spec(self, layer, outputs):
        """Symbolic outputs, those of the targets as they become."""
        return outputs

    def probes(self, layer):
        """Shapes of elements by which the outputs of layers are compared."""
        return [(97,) * layer.element_rank, (64,) * layer.element_rank]


# Of layers that say nothing of it.
ANY = Kind()

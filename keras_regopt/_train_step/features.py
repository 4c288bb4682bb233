"""What may act inside of a train step, and in which order."""

PENDING = "pending values"
SWITCHING = "weight switching"
FREEZING = "freezing"
GRADIENTS = "gradients"
ATTRIBUTES = "attributes"

# From the outside to the inside; the package's docstring says why.
ORDER = (PENDING, SWITCHING, FREEZING, GRADIENTS, ATTRIBUTES)


class Feature:
    """Base of what acts inside of the train step of a model.

    Attributes:
        kind: One of `ORDER`.
        key: What it is registered by; another one of this key takes its place.
        ends_with_fit: Whether it is for one `fit` alone. The next one drops it
            where an error has kept its owner from doing so.
    """

    kind: str
    ends_with_fit = False

    @property
    def key(self):
        return self.kind

    def start(self, model):
        """Called when the feature is registered."""

    def around_step(self, model, step):
        """The train step with this feature, as Keras compiles it.

        Args:
            model: The model.
            step: Its train step with the features further inside.

        Returns:
            A function like `step`, or `step` itself.
        """
        return step

    def around_function(self, model, function):
        """The train function with this feature, outside of what is compiled.

        Args:
            model: The model.
            function: Its train function with the features further inside.

        Returns:
            A function like `function`, or `function` itself.
        """
        return function

    def end(self, model):
        """Puts back what `start` changed."""

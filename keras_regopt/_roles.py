"""Keras calls whatever stands in the place of a regularizer or constraint."""

# Where a layer, or what is made for another place, does not belong.
_ROLES = ("regularizer", "constraint")


def refuse_role(owner, weight, is_for=None):
    """Raises an error where an object stands in another one's place.

    Keras takes anything that can be called for a regularizer or a constraint,
    and so a layer as well. A variable knows what was given for it.

    Args:
        owner: The object that was called.
        weight: What it was called with.
        is_for: `"regularizer"` or `"constraint"`, if it is one.

    Raises:
        ValueError: If it was given as something else than it is.
    """
    for role in _ROLES:
        if role != is_for and getattr(weight, role, None) is owner:
            name = type(owner).__name__
            kind = is_for or "layer"
            remedy = (
                f"pass it as a `kernel_{is_for}` or the like"
                if is_for
                else "put it into the model, before or after the layer"
            )
            raise ValueError(
                f"The {role} of the weight '{weight.path}' must be a "
                f"{role}. Received: {name}, which is a {kind}: {remedy}."
            )


class NotAPenalty:
    """What the layers inherit that can do nothing with a weight."""

    def __call__(self, *args, **kwargs):
        for given in args[:1]:
            refuse_role(self, given)
        return super().__call__(*args, **kwargs)  # type: ignore[misc]

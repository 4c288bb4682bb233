"""Refuses objects as regularizer or constraint that are none."""

_ROLES = ("regularizer", "constraint")


def refuse_role(owner, weight, is_for=None):
    """Raises an error where an object is used as what it is not.

    Keras takes any callable for a regularizer or a constraint, and so a layer
    as well. A variable has both as attributes.

    Args:
        owner: The object that was called.
        weight: What it was called with.
        is_for: `"regularizer"` or `"constraint"`, if it is one.

    Raises:
        ValueError: If it is of another kind than its role.
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
    """Base of the layers, which are no penalty on a weight."""

    def __call__(self, *args, **kwargs):
        for first in args[:1]:
            refuse_role(self, first)
        return super().__call__(*args, **kwargs)  # type: ignore[misc]

"""What only one callback of a fit may set."""

# Where a model notes which callback sets what.
_CLAIMS = "_claims_of_callbacks"


def claim(callback, what, key=None):
    """Refuses a second callback that sets the same in one fit.

    Two of them would each put back what the other one has set.

    Args:
        callback: The callback, as training begins.
        what: What it sets, as in "the momentum".
        key: What tells it from others of this name, if there are any.

    Raises:
        ValueError: If another callback of this fit sets it already.
    """
    claims = vars(callback.model).setdefault(_CLAIMS, {})
    other = claims.setdefault(key or what, callback)
    if other is not callback:
        raise ValueError(
            f"`callbacks` hold two that set {what}: "
            f"{type(other).__name__} and {type(callback).__name__}. Pass one "
            "of them to a `fit`."
        )


def release_claims(model):
    """Drops all claims, as a fit ends or, after a failure, the next begins."""
    if model is not None:
        vars(model).pop(_CLAIMS, None)

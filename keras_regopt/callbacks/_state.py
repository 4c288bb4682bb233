"""Where a model's values are while it trains."""


def sync(model):
    """Gives the variables their current values.

    Within an epoch JAX keeps them outside of the variables. The next step
    takes them from there again, with whatever was assigned.

    Args:
        model: The model in training.
    """
    if hasattr(model, "jax_state_sync"):
        model.jax_state_sync()


def in_sync(model):
    """Whether the variables hold their current values; see `sync`."""
    return getattr(model, "_jax_state_synced", True)

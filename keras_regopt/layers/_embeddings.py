"""Which of the embeddings of a text are those of tokens."""

from keras import ops


def token_mask(embeddings, mask):
    """The mask of embeddings; without one, all of them count.

    Args:
        embeddings: Tensor of shape `(batch, tokens, dimensions)`.
        mask: Tensor of shape `(batch, tokens)`, or `None`.

    Returns:
        Boolean tensor of shape `(batch, tokens)`.
    """
    if mask is None:
        return ops.ones(ops.shape(embeddings)[:2], "bool")
    return ops.cast(mask, "bool")

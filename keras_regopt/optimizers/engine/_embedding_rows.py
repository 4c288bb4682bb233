"""The step of an embedding of which a batch has looked up some rows alone."""


def update(optimizer, gradient, variable, slots, step, stepped):
    """The step of the rows that appear; all others keep weights and state.

    Args:
        optimizer: The optimizer.
        gradient: A `tf.IndexedSlices`, in which every row must appear once.
        variable: The variable.
        slots: Its state.
        step: A `Step`.
        stepped: The function that makes one step of tensors.
    """
    import tensorflow as tf

    natives = [variable, *(slot.value for slot in slots)]
    rows = [tf.gather(native, gradient.indices) for native in natives]
    value, states = stepped(optimizer, rows[0], gradient.values, rows[1:], step)
    for native, new in zip(natives, [value, *states], strict=True):
        native.scatter_update(tf.IndexedSlices(new, gradient.indices))

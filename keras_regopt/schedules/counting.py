"""How many steps a training makes."""

from keras_regopt._validate import boolean, fail, positive_int


def total_steps(
    rows: int,
    batch_size: int,
    epochs: int = 1,
    accumulation: int = 1,
    drop_remainder: bool = False,
) -> int:
    """Counts the steps of a training, as schedules do.

    For `total_steps`, `decay_steps` and `warmup_steps`, which count steps, not
    epochs. An epoch has a step for each batch, the last one of which may be
    small:

        steps = epochs * ceil(rows / batch_size)

    With `drop_remainder` it is rounded down, and with `accumulation` every so
    many batches make one step.

    Args:
        rows: Rows of the training data, at least 1.
        batch_size: Rows of a batch, at least 1: of the whole batch, where
            several devices share it.
        epochs: Number of epochs, at least 1. Defaults to `1`, which gives the
            steps of an epoch.
        accumulation: `steps` of a `GradientAccumulation`, at least 1; batches
            left over go into the next epoch. Leave it at 1 for Keras' own
            `gradient_accumulation_steps`, under which schedules count batches.
            Defaults to `1`.
        drop_remainder: Whether a last batch that is not full is left out, as
            `Dataset.batch(drop_remainder=True)` does. Defaults to `False`.

    Returns:
        The number of steps, an integer of at least 1.

    Raises:
        ValueError: If an argument is out of its range, or if there is not even
            one step.

    Examples:
        >>> total_steps(1000, 32, epochs=10)
        320
        >>> total_steps(1000, 32, epochs=10, drop_remainder=True)
        310
        >>> total_steps(1000, 32, epochs=10, accumulation=4)
        80
    """
    rows = positive_int(total_steps, "rows", rows)
    batch_size = positive_int(total_steps, "batch_size", batch_size)
    epochs = positive_int(total_steps, "epochs", epochs)
    accumulation = positive_int(total_steps, "accumulation", accumulation)
    boolean(total_steps, "drop_remainder", drop_remainder)
    batches = rows // batch_size
    if rows % batch_size and not drop_remainder:
        batches += 1
    if not batches:
        allowed = f"at least `batch_size`, {batch_size}, with `drop_remainder`"
        fail(total_steps, "rows", allowed, rows)
    if epochs * batches < accumulation:
        allowed = f"at most {epochs * batches}, the number of batches"
        fail(total_steps, "accumulation", allowed, accumulation)
    return epochs * batches // accumulation

"""What of a `tf.data` pipeline comes out the same when it is run again."""

from keras import ops

# The worst one decides for a pipeline.
UNREPEATABLE, PYTHON, SEEDED, NONE = (
    "unrepeatable",
    "python",
    "seeded",
    "none",
)


def randomness(dataset):
    """Looks through the steps of a pipeline.

    Args:
        dataset: A `tf.data.Dataset`.

    Returns:
        `"none"` if every pass gives the same elements; `"seeded"` if passes
        differ, but are the same again in another process; `"unrepeatable"` if
        they are not; `"python"` if Python code makes elements, of which
        nobody can tell.
    """
    if dataset.options().deterministic is False:
        return UNREPEATABLE
    found = {kind for step in _steps(dataset) for kind in _of_step(step)}
    return next((k for k in (UNREPEATABLE, PYTHON, SEEDED) if k in found), NONE)


def shuffle_seeds(dataset):
    """The seeds of the operation by which Keras shuffles arrays.

    Args:
        dataset: The `tf.data.Dataset` that Keras has made of them.

    Returns:
        A list of two numbers, or `None` where the operation has no seed.
    """
    for step in _steps(dataset):
        for function in step._functions():
            for operation in _operations(function.function.graph):
                if operation.type == "RandomShuffle":
                    seeds = _seed_attributes(operation)
                    return seeds if any(seeds) else None
    return None


def _steps(dataset):
    yield dataset
    for source in dataset._inputs():
        yield from _steps(source)


def _of_step(step):
    if str(getattr(step, "_deterministic", "")) == "false":
        yield UNREPEATABLE
    # Shuffling, sampling and random datasets keep two numbers.
    seeds = [getattr(step, name, None) for name in ("_seed", "_seed2")]
    if None not in seeds:
        yield _of_seeds(int(ops.convert_to_numpy(seed)) for seed in seeds)
    for function in step._functions():
        for operation in _operations(function.function.graph):
            kind = _of_operation(operation)
            # Which of several threads draws first is a matter of chance.
            if kind == SEEDED and hasattr(step, "_num_parallel_calls"):
                kind = UNREPEATABLE
            yield kind


def _operations(graph):
    yield from graph.get_operations()
    # The bodies of `tf.cond`, of functions within functions, and so on.
    for function in graph._functions.values():
        yield from function.graph.get_operations()


def _of_operation(operation):
    import tensorflow as tf

    if operation.type in ("PyFunc", "EagerPyFunc", "PyFuncStateless"):
        return PYTHON
    if operation.type == "AssignVariableOp":
        # The seed generator of a Keras layer, for one.
        return SEEDED
    if operation.type.startswith("ShuffleDataset"):
        return _of_seeds(map(tf.get_static_value, operation.inputs[2:4]))
    names = {attribute.name for attribute in operation.op_def.attr}
    if not {"seed", "seed2"} <= names:
        return NONE
    return _of_seeds(_seed_attributes(operation))


def _seed_attributes(operation):
    return [int(operation.get_attr(name)) for name in ("seed", "seed2")]


def _of_seeds(seeds):
    # Both are zero where neither `seed` nor `tf.random.set_seed` was given.
    return SEEDED if any(seed != 0 for seed in seeds) else UNREPEATABLE

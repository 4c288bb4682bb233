"""A model's graph as a list of steps, in the order in which they run."""

import typing

from keras_regopt._keras import all_layers, direct_layers, graph_nodes, graph_of
from keras_regopt._validate import fail


class Step(typing.NamedTuple):
    """One call of an operation.

    Args:
        layer: The layer, or another operation.
        inputs: The numbers of the tensors that it takes.
        outputs: The numbers of those that it gives.
        shared: Whether the operation is called elsewhere in the model too.
    """

    layer: typing.Any
    inputs: list
    outputs: list
    shared: bool


class Graph:
    """The steps of a Sequential or functional model.

    Args:
        owner: The function that the model was given to.
        model: The model.

    Raises:
        ValueError: If the model is of another kind, or not built.

    Attributes:
        steps: The steps, without those that stand for the model's inputs.
        tensors: The symbolic tensors by their numbers.
        outputs: The numbers of the tensors that the model returns.
    """

    def __init__(self, owner, model):
        functional = _functional(owner, model)
        nodes = graph_nodes(functional)
        calls = [id(node.operation) for node in nodes]
        self.tensors = []
        self._numbers = {}
        self.steps = []
        for node in nodes:
            outputs = [self._number(t) for t in node.outputs]
            if node.is_input:
                continue
            self.steps.append(
                Step(
                    node.operation,
                    [self._number(t) for t in node.arguments.keras_tensors],
                    outputs,
                    calls.count(id(node.operation)) > 1,
                )
            )
        self.outputs = [self._number(t) for t in functional.outputs]

    def _number(self, tensor):
        if id(tensor) not in self._numbers:
            self._numbers[id(tensor)] = len(self.tensors)
            self.tensors.append(tensor)
        return self._numbers[id(tensor)]


def leaf_layers(model):
    """The layers of any model that hold no others, each once.

    Args:
        model: A Keras model.

    Returns:
        A list.
    """
    return [
        layer
        for layer in all_layers(model, include_self=False)
        if not direct_layers(layer)
    ]


def _functional(owner, model):
    functional = graph_of(model)
    if functional is None:
        fail(
            owner,
            "model",
            "a built Sequential or functional model",
            model,
            "Give it a `keras.Input`. The graph of a subclassed model is not "
            "known.",
        )
    return functional

import keras
import numpy as np

from keras_regopt._keras import all_layers, print_msg
from keras_regopt._validate import boolean, in_range
from keras_regopt.constraints._channels import (
    channel_axis,
    folds,
    has_zero_units,
    is_depthwise,
    is_mixing,
    kernel_matrix,
    mixed,
    numbers,
    passed,
)
from keras_regopt.constraints._graph import Graph
from keras_regopt.constraints.cost import cost


def shrink(
    model: keras.Model, tolerance: float = 0.0, verbose: bool = False
) -> keras.Model:
    """A smaller model with the same outputs, without units that do nothing.

    A unit or filter goes if all weights that enter it are zero, as group lasso
    makes them (`GroupSoftThreshold`, or `ProximalSGD(group=...)`): it is
    constant then, and the next layer's bias takes it up. It also goes if all
    weights are zero that leave it.

    `Dense` and `Conv1D` to `Conv3D` layers lose units, in Sequential and
    functional models, through depthwise convolutions, batch normalization,
    activations, dropout, pooling, padding, flattening, concatenation and sums,
    where a channel goes from all terms or none. What enters any other layer
    stays whole, and so does what the model returns. A constant other than zero
    cannot be taken up by a convolution with zero padding, nor by a layer
    without a bias: there, its unit stays.

    Args:
        model: A built Sequential or functional model. It is left as it is.
        tolerance: Euclidean norm up to which the weights that enter a unit
            count as zero, a number >= 0. Above `0`, the outputs are the same
            to about that. Defaults to `0.0`.
        verbose: Whether to print parameters, bytes and floating-point
            operations before and after; see `cost`. Defaults to `False`.

    Returns:
        A new model, not compiled, whose layers have the old names. Its
        `stopped_by` is a list of names: of the layers in which, or before
        which, units stay though they do nothing, since `shrink` does not know
        what these layers do with them.

    Raises:
        ValueError: If `model` is of another kind, or an argument out of its
            range.

    Examples:
        >>> first = keras.layers.Dense(3, activation="relu")
        >>> model = keras.Sequential([keras.Input((2,)), first,
        ...                           keras.layers.Dense(1)])
        >>> first.set_weights([np.array([[1, 0, 2], [1, 0, 2]]), np.ones(3)])
        >>> small = shrink(model)
        >>> small.layers[0].units
        2
        >>> print(cost(model), cost(small), sep="\\n")
        13 parameters, 52 bytes, 18 FLOPs
        9 parameters, 36 bytes, 12 FLOPs
    """
    in_range(shrink, "tolerance", tolerance, low=0)
    boolean(shrink, "verbose", verbose)
    plan = _Plan(Graph(shrink, model), tolerance)

    def smaller(layer):
        config = layer.get_config()
        count = plan.counts.get(id(layer))
        if count is not None:
            config["units" if "units" in config else "filters"] = count
        return type(layer).from_config(config)

    shrunk = keras.models.clone_model(model, clone_function=smaller)
    layers = {layer.name: layer for layer in shrunk.layers}
    for number, step in enumerate(plan.graph.steps):
        if isinstance(step.layer, keras.layers.Layer):
            variables = layers[step.layer.name].weights
            for variable, value in zip(
                variables, plan.weights(number), strict=True
            ):
                variable.assign(value)
    shrunk.stopped_by = plan.stopped_by
    if verbose:
        print_msg(f"before: {cost(model)}\nafter:  {cost(shrunk)}")
        for name in plan.stopped_by:
            print_msg(f"Units that do nothing stay before or in '{name}'.")
    return shrunk


class _Plan:
    """Which channels of a model stay.

    Args:
        graph: The `Graph` of the model.
        tolerance: As of `shrink`.
    """

    def __init__(self, graph, tolerance):
        self.graph = graph
        self.tolerance = tolerance
        # By the number of a tensor: its `Channels`, where they are known, and
        # whether each of them stays.
        self.channels = {}
        self.stays = {}
        self.links = {}
        self.stopped_by = []
        self._kernels = {}
        for number, step in enumerate(graph.steps):
            self._follow(number, step)
        for output in graph.outputs:
            self._keep(output)
        self._settle()
        # A layer must have one unit at least.
        for stays in self.stays.values():
            if not stays.any():
                stays[0] = True
        self._settle()
        self.counts = {
            id(step.layer): int(self.stays[step.outputs[0]].sum())
            for step in graph.steps
            if self._loses_units(step)
        }

    def _follow(self, number, step):
        """Notes what is known of a step's output."""
        shapes = [self.graph.tensors[i].shape for i in step.inputs]
        shape = self.graph.tensors[step.outputs[0]].shape
        known = [self.channels.get(i) for i in step.inputs]
        found = None
        if not step.shared and len(step.outputs) == 1:
            if is_mixing(step.layer):
                given = self._given(step)
                found = mixed(step.layer, given, len(shape), self.tolerance)
                if given is None:
                    self._keep(step.inputs[0])
            elif known and None not in known:
                result = passed(step.layer, known, shapes, shape)
                if result is not None:
                    found, self.links[number] = result
        if found is None and not (is_mixing(step.layer) and not step.shared):
            if self._stops(step, known):
                self.stopped_by.append(step.layer.name)
            for i in step.inputs:
                self._keep(i)
        if found is not None:
            self.channels[step.outputs[0]] = found
            self.stays[step.outputs[0]] = np.zeros(len(found.values), bool)

    def _stops(self, step, known):
        """Whether units that do nothing come to a step, or are within it."""
        layer = step.layer
        within = (
            all_layers(layer, include_self=False)
            if isinstance(layer, keras.layers.Layer)
            else ()
        )
        return any(
            found is not None and not np.all(np.isnan(found.values))
            for found in known
        ) or any(has_zero_units(part, self.tolerance) for part in within)

    def _given(self, step):
        """The channels that enter a kernel, where they are known."""
        given = self.channels.get(step.inputs[0])
        if given is None:
            return None
        rank = len(self.graph.tensors[step.inputs[0]].shape)
        return given if given.axis == channel_axis(step.layer, rank) else None

    def _loses_units(self, step):
        return is_mixing(step.layer) and step.outputs[0] in self.stays

    def _keep(self, tensor):
        if tensor in self.stays:
            self.stays[tensor][:] = True

    def _settle(self):
        """Keeps what is needed by what stays, until nothing changes."""
        before = None
        while before != (now := sum(s.sum() for s in self.stays.values())):
            before = now
            for number, step in reversed(list(enumerate(self.graph.steps))):
                if number in self.links:
                    self._tie(step, self.links[number])
                elif is_mixing(step.layer) and not step.shared:
                    self._need(step)

    def _tie(self, step, links):
        behind = self.stays[step.outputs[0]]
        for tensor, (ahead, same) in zip(step.inputs, links, strict=True):
            np.logical_or.at(self.stays[tensor], ahead, behind[same])
            behind[same] |= self.stays[tensor][ahead]

    def _need(self, step):
        given = self._given(step)
        if given is None:
            return
        kernel = self._kernel(step.layer)
        needed = np.any(kernel[:, :, self._outputs(step)], axis=(0, 2))
        known = given.values == 0
        if folds(step.layer):
            known |= ~np.isnan(given.values)
        self.stays[step.inputs[0]] |= needed & ~known

    def _kernel(self, layer):
        """The kernel as a matrix, read from the device once."""
        if id(layer) not in self._kernels:
            self._kernels[id(layer)] = kernel_matrix(layer, self.tolerance)
        return self._kernels[id(layer)]

    def _outputs(self, step):
        """Which outputs of a layer with a kernel stay."""
        everything = np.ones(step.layer.kernel.shape[-1], bool)
        return self.stays.get(step.outputs[0], everything)

    def weights(self, number):
        """The weights of a step's layer for the smaller model, as arrays."""
        step = self.graph.steps[number]
        layer = step.layer
        values = {id(w): numbers(w) for w in layer.weights}
        if is_mixing(layer) and not step.shared:
            self._cut(step, values)
        elif is_depthwise(layer) and number in self.links:
            stays = self.stays[step.inputs[0]], self.stays[step.outputs[0]]
            kernel = values[id(layer.kernel)]
            values[id(layer.kernel)] = kernel[..., stays[0], :]
            if layer.use_bias:
                values[id(layer.bias)] = values[id(layer.bias)][stays[1]]
        elif type(layer) is keras.layers.BatchNormalization:
            stays = self.stays.get(step.inputs[0])
            if stays is not None and not step.shared:
                values = {key: value[stays] for key, value in values.items()}
        return list(values.values())

    def _cut(self, step, values):
        layer, outputs = step.layer, self._outputs(step)
        kernel = values[id(layer.kernel)]
        given = self._given(step)
        inputs = np.ones(kernel.shape[-2], bool)
        if given is not None:
            inputs = self.stays[step.inputs[0]]
            gone = np.where(inputs, 0.0, np.nan_to_num(given.values))
        if layer.use_bias:
            bias = values[id(layer.bias)]
            if given is not None:
                matrix = self._kernel(layer)
                bias = bias + np.einsum("pio,i->o", matrix, gone)
            values[id(layer.bias)] = bias[outputs]
        values[id(layer.kernel)] = kernel[..., inputs, :][..., outputs]

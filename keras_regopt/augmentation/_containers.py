"""Bases of the augmentations that hold others, for every kind of data.

They ask of the layers within what `AugmentationLayer` has without an
underscore, and nothing else.
"""

import itertools

from keras_regopt.augmentation._compile import run_compiled
from keras_regopt.augmentation._layer import AugmentationLayer


class Container(AugmentationLayer):
    """Base of the augmentations that hold others.

    What a layer within would do with its inputs happens here too, but the
    container decides when, and for which elements. If it has a seed, all
    draws are made from that, or else each layer draws from its own.

    A subclass writes `parts`, `draw`, `move_targets` and `transform`.
    """

    @property
    def parts(self):
        """The layers within."""
        raise NotImplementedError(
            f"{type(self).__name__} must write the property `parts`."
        )

    @property
    def mixes(self):
        return any(part.mixes for part in self.parts)

    @property
    def mixed_count(self):
        return max(part.mixed_count for part in self.parts)

    @property
    def targets(self):
        return frozenset().union(*(part.targets for part in self.parts))

    @property
    def acts_in_inference(self):
        return any(part.acts_in_inference for part in self.parts)

    def read(self, inputs):
        data = dict(inputs) if isinstance(inputs, dict) else {self.key: inputs}
        for part in self.parts:
            data = part.read(data)
        return data

    def ranged_layers(self):
        return [x for part in self.parts for x in part.ranged_layers()]

    def _seeds_for(self, seed):
        """The seed for all draws within, if there is one, and for our own."""
        if seed is None and self.seed is not None:
            seed = self._seeds.current()
        return seed, self._seeds.current() if seed is None else seed


class Chain(Container):
    """Base of the containers in which one layer follows another.

    Neighbours that say that they can be merged become one layer, such as one
    warp, which is faster and keeps more detail. So do those of chains within
    the chain.
    """

    def draw(self, shape, training, seed=None, among=None):
        """One pair of parameters and chosen elements for each stage.

        Instead of the pair, `None` is for a stage that does nothing.
        """
        drawn = iter(self.draw_by_leaves(shape, training, seed, among))
        return [
            stage.merged([next(drawn) for _ in stage.leaves])
            for stage in self.stages
        ], None

    def draw_by_leaves(self, shape, training, seed, among):
        """What `draw` of each layer returns, those of inner chains in turn."""
        if training:
            seed, own = self._seeds_for(seed)
            among = self.choose(shape, own, among)
        for part in self.parts:
            arguments = (shape, training, seed, among)
            if isinstance(part, Chain):
                yield from part.draw_by_leaves(*arguments)
            else:
                yield part.draw(*arguments)
            shape = part.output_shape(shape)

    def move_targets(self, data, parameters, chosen, shape):
        changed = {}
        for layer, drawn in self.acting(parameters):
            now = {**data, **changed}
            changed |= layer.move_targets(now, *drawn, shape)
            shape = layer.output_shape(shape)
        return changed

    def run(self, tensor, parameters, chosen):
        dtype = self.output_dtype(tensor.dtype)
        # Each stage is a program of its own: all in one are many times
        # slower, since XLA computes again for each pixel what it can.
        for layer, drawn in self.acting(parameters):
            tensor = run_compiled(layer, "transform", tensor, *drawn)
        return self.ops.cast(tensor, dtype)

    def transform(self, tensor, parameters, chosen):
        dtype = self.output_dtype(tensor.dtype)
        for layer, drawn in self.acting(parameters):
            tensor = layer.transform(tensor, *drawn)
        return self.ops.cast(tensor, dtype)

    def acting(self, parameters):
        """The layers that do something, and what was drawn for them."""
        pairs = zip(self.stages, parameters, strict=True)
        return [(stage.layer, drawn) for stage, drawn in pairs if drawn]

    @property
    def stages(self):
        """What the chain does, one after the other."""
        return self._plan.stages


class Plan:
    """What a chain does in one go.

    A plain object: Keras would save the layers of a list once more.
    """

    def __init__(self, parts):
        groups = itertools.groupby(_leaves(parts), lambda x: x.merging_key())
        self.stages = [
            stage
            for key, leaves in groups
            for stage in (
                [_Stage(list(leaves))]
                if key
                else [_Stage([leaf]) for leaf in leaves]
            )
        ]


class _Stage:
    """One layer, or several that are merged to one."""

    def __init__(self, leaves):
        self.leaves = leaves
        first, *others = leaves
        self.layer = first.merged_with(others) if others else first

    def merged(self, drawn):
        """The parameters and chosen elements of the stage, or `None`."""
        drawn = [pair for pair in drawn if pair[0] is not None]
        if not drawn or len(self.leaves) == 1:
            return drawn[0] if drawn else None
        return self.layer.merged_parameters([p for p, _ in drawn]), None


def _leaves(parts):
    for part in parts:
        if isinstance(part, Chain):
            yield from _leaves(part.parts)
        else:
            yield part

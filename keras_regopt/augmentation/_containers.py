"""Bases of the augmentations that hold others, for every kind of data.

They ask of the layers within what `AugmentationLayer` has without an
underscore, and nothing else.
"""

import itertools
from collections.abc import Mapping, Sequence

from keras_regopt.augmentation._base import RandomAugmentation
from keras_regopt.augmentation._batch import select
from keras_regopt.augmentation._compile import run_compiled
from keras_regopt.augmentation._layout import cast_within
from keras_regopt.augmentation._parts import check_parts


class Container(RandomAugmentation):
    """Base of the augmentations that hold others, all of one kind of data.

    What a layer within would do with its inputs happens here too, but the
    container decides when, and for which elements. If it has a seed, all
    draws are made from that, or else each layer draws from its own.

    A subclass writes `parts`, `draw`, `advance`, `transform` and
    `compute_output_shape`, and calls `_hold` with the layers.

    Args:
        data_format: `"channels_last"` or `"channels_first"`, that of the
            layers. Defaults to `None`, for images the format in Keras' own
            configuration; other data have none.
        additional_targets: That of `ImageAugmentation`, for images alone.
            Defaults to `None`: there are none.
        **kwargs: `rate` and `seed` of `RandomAugmentation`, and `name` and
            `dtype` of a Keras layer.

    Raises:
        ValueError: If an argument is not among these values.
    """

    def __init__(
        self,
        *,
        data_format: str | None = None,
        additional_targets: Sequence[str] | Mapping[str, str] | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.data_format = data_format
        self.additional_targets = additional_targets

    @property
    def parts(self):
        """The layers within."""
        raise NotImplementedError(
            f"{type(self).__name__} must write the property `parts`."
        )

    def _hold(self, argument, layers):
        """A list of the layers, checked, with the options for their kind.

        Args:
            argument: The name of the argument that they are.
            layers: The layers.

        Raises:
            ValueError: If one is none of this package, or of another kind.
        """
        check_parts(self, argument, layers)
        self._set_options(layers, layers[0].kind)
        return list(layers)

    def _set_options(self, layers, kind=None):
        """Checks the options against the layers, and sets their defaults."""
        options = {
            "data_format": self.data_format,
            "additional_targets": self.additional_targets,
        }
        (kind or self.kind).set_options(self, layers, options)

    # Of its parts, which are all of one kind.

    @property
    def key(self):
        return self.parts[0].key

    @property
    def element_rank(self):
        return self.parts[0].element_rank

    @property
    def holds_strings(self):
        return self.parts[0].holds_strings

    @property
    def lacks_channels(self):
        return self.parts[0].lacks_channels

    @property
    def last_axis_first(self):
        return self.parts[0].last_axis_first

    @property
    def kind(self):
        return self.parts[0].kind

    @property
    def target_kinds(self):
        return self.parts[0].target_kinds

    @property
    def takes_clips(self):
        return self.kind.takes_clips

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
    def context_keys(self):
        return frozenset().union(*(part.context_keys for part in self.parts))

    @property
    def acts_in_inference(self):
        return any(part.acts_in_inference for part in self.parts)

    def read(self, inputs):
        if not isinstance(inputs, dict):
            return _read_by(self.parts, {self.key: inputs})
        return self.kind.read(self, _read_by(self.parts, dict(inputs)))

    def hangs_on_data(self):
        return any(part.hangs_on_data() for part in self.parts)

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

    def advance(self, tensor, targets, parameters, chosen, shape):
        dtype, changed = self.output_dtype(tensor.dtype), {}
        # Each stage is a program of its own: all in one are many times
        # slower, since XLA computes again for each pixel what it can.
        for layer, drawn in self.acting(parameters):
            now = {**targets, **changed}
            tensor, moved = layer.advance(tensor, now, *drawn, shape)
            changed |= moved
            shape = layer.output_shape(shape)
        return cast_within(tensor, dtype), changed

    def run(self, tensor, parameters, chosen):
        dtype = self.output_dtype(tensor.dtype)
        for layer, drawn in self.acting(parameters):
            tensor = run_compiled(layer, "transform", tensor, *drawn)
        return cast_within(tensor, dtype)

    def move_targets(self, data, parameters, chosen, shape):
        changed = {}
        for layer, drawn in self.acting(parameters):
            now = {**data, **changed}
            changed |= layer.move_targets(now, *drawn, shape)
            shape = layer.output_shape(shape)
        return changed

    def transform(self, tensor, parameters, chosen):
        dtype = self.output_dtype(tensor.dtype)
        for layer, (drawn, changing) in self.acting(parameters):
            drawn = layer.resolved(tensor, {}, drawn)
            tensor = layer.transform(tensor, drawn, changing)
        return cast_within(tensor, dtype)

    def transform_masks(self, masks, parameters):
        """What becomes of masks that go with images besides the data."""
        for layer, (drawn, chosen) in self.acting(parameters):
            if "segmentation_masks" in layer.targets:
                moved = layer.transform_masks(masks, drawn)
                masks = select(chosen, moved, masks)
        return masks

    def output_shape(self, shape):
        for part in self.parts:
            shape = part.output_shape(shape)
        return shape

    def compute_output_shape(self, input_shape):
        for part in self.parts:
            input_shape = part.compute_output_shape(input_shape)
        return input_shape

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
    """The layers of a list, those of chains within it one by one."""
    for part in parts:
        if isinstance(part, Chain):
            yield from _leaves(part.parts)
        else:
            yield part


def _read_by(parts, data):
    for part in parts:
        data = part.read(data)
    return data

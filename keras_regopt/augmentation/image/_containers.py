"""Bases of the augmentations that hold others."""

import itertools

from keras_regopt._validate import fail
from keras_regopt.augmentation._batch import select
from keras_regopt.augmentation._compile import run_compiled
from keras_regopt.augmentation.image._additional import read_additional
from keras_regopt.augmentation.image._base import ImageAugmentation
from keras_regopt.augmentation.image._geometric import GeometricAugmentation
from keras_regopt.augmentation.image.functional import _matrices


class Container(ImageAugmentation):
    """Base of the image augmentations that hold others.

    What a layer within would do with its inputs happens here too, but the
    container decides when, and for which images. If it has a seed, all draws
    are made from that, or else each layer draws from its own.

    A subclass writes `parts`, `draw`, `move_targets`, `transform` and
    `transform_masks`.

    Args:
        **kwargs: `rate`, `seed` and `data_format` of `ImageAugmentation`, and
            `name` and `dtype` of a Keras layer.
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

    def _checked_parts(self, argument, layers):
        """A list of image augmentations that can be in one container."""
        for layer in layers:
            if not isinstance(layer, ImageAugmentation):
                fail(
                    self,
                    argument,
                    "image augmentations of keras_regopt",
                    layer,
                    "Keras' own random layers draw once for a batch, so a "
                    "container has no say over them: put them next to it, in "
                    "a `keras.Sequential`.",
                )
            if layer.data_format != self.data_format:
                fail(
                    self,
                    "data_format",
                    f"that of its layers, '{layer.data_format}' of "
                    f"{type(layer).__name__}",
                    self.data_format,
                )
            if layer.additional_targets not in (None, self.additional_targets):
                fail(
                    self,
                    "additional_targets",
                    f"that of its layers, {layer.additional_targets} of "
                    f"{type(layer).__name__}",
                    self.additional_targets,
                )
        return list(layers)

    def read(self, inputs):
        data = dict(inputs) if isinstance(inputs, dict) else {self.key: inputs}
        for part in self.parts:
            data = part.read(data)
        return read_additional(self, data) if isinstance(inputs, dict) else data

    def ranged_layers(self):
        return [x for part in self.parts for x in part.ranged_layers()]

    def _seeds_for(self, seed):
        """The seed for all draws within, if there is one, and for our own."""
        if seed is None and self.seed is not None:
            seed = self._seeds.current()
        return seed, self._seeds.current() if seed is None else seed


class Chain(Container):
    """Base of the containers in which one layer follows another.

    Neighbours that only move pixels by a matrix, and that agree on what they
    see beyond the edge and on how they interpolate, become one warp, which
    is faster and keeps more detail. So do those of chains within the chain.

    Args:
        **kwargs: See `Container`.
    """

    def output_size(self, height, width):
        for part in self.parts:
            height, width = part.output_size(height, width)
        return height, width

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
            shape = (shape[0], *part.output_size(*shape[1:3]), shape[3])

    def run(self, tensor, parameters, chosen):
        dtype = self.output_dtype(tensor.dtype)
        # Each stage is a program of its own: all in one are many times
        # slower, since XLA computes again for each pixel what it can.
        for stage, drawn in self._acting(parameters):
            tensor = run_compiled(stage.layer, "transform", tensor, *drawn)
        return self.ops.cast(tensor, dtype)

    def transform(self, tensor, parameters, chosen):
        dtype = self.output_dtype(tensor.dtype)
        for stage, drawn in self._acting(parameters):
            tensor = stage.layer.transform(tensor, *drawn)
        return self.ops.cast(tensor, dtype)

    def transform_masks(self, masks, parameters):
        for stage, (part, chosen) in self._acting(parameters):
            if "segmentation_masks" in stage.layer.targets:
                moved = stage.layer.transform_masks(masks, part)
                masks = select(chosen, moved, masks)
        return masks

    def move_targets(self, data, parameters, chosen, shape):
        changed = {}
        for stage, drawn in self._acting(parameters):
            layer = stage.layer
            now = {**data, **changed}
            changed |= layer.move_targets(now, *drawn, shape)
            shape = (shape[0], *layer.output_size(*shape[1:3]), shape[3])
        return changed

    def _acting(self, parameters):
        """The stages that do something, and what was drawn for them."""
        pairs = zip(self.stages, parameters, strict=True)
        return [(stage, drawn) for stage, drawn in pairs if drawn is not None]

    @property
    def stages(self):
        """What the chain does, one after the other."""
        return self._plan.stages


class Plan:
    """What a chain does in one go.

    A plain object: Keras would save the layers of a list once more.
    """

    def __init__(self, parts):
        groups = itertools.groupby(_leaves(parts), _Warp.kind)
        self.stages = [
            stage
            for kind, leaves in groups
            for stage in (
                [_Stage(list(leaves))]
                if kind
                else [_Stage([leaf]) for leaf in leaves]
            )
        ]


class _Stage:
    """One layer, or several that are one warp."""

    def __init__(self, leaves):
        self.leaves = leaves
        self.layer = leaves[0] if len(leaves) == 1 else _Warp(leaves)

    def merged(self, drawn):
        """The parameters and chosen images of the stage, or `None`."""
        drawn = [pair for pair in drawn if pair[0] is not None]
        if not drawn or len(self.leaves) == 1:
            return drawn[0] if drawn else None
        matrices = [parameters["matrix"] for parameters, _ in drawn]
        return {"matrix": _matrices.composed(*matrices)}, None


class _Warp(GeometricAugmentation):
    """Several layers that follow one another, as one."""

    # What they must agree on.
    SHARED = (
        "fill_mode",
        "fill_value",
        "interpolation",
        "bounding_box_format",
        "min_visibility",
        "mask_fill_value",
        "flip_pairs",
        "data_format",
    )

    def __init__(self, leaves):
        first = leaves[0]
        shared = {name: getattr(first, name) for name in self.SHARED}
        super().__init__(dtype=first.dtype_policy, **shared)
        self.leaves = leaves
        self.is_projective = any(leaf.is_projective for leaf in leaves)

    def output_size(self, height, width):
        for leaf in self.leaves:
            height, width = leaf.output_size(height, width)
        return height, width

    @classmethod
    def kind(cls, layer):
        """Equal for layers that can be one warp, `None` for all others."""
        # A layer that moves boxes its own way draws more than a matrix.
        moves_by_matrix = isinstance(layer, GeometricAugmentation) and all(
            getattr(type(layer), hook) is getattr(GeometricAugmentation, hook)
            for hook in ("apply_to_boxes", "apply_to_keypoints")
        )
        if not moves_by_matrix:
            return None
        shared = [getattr(layer, name) for name in cls.SHARED]
        return (layer.dtype_policy.name, *shared)


def _leaves(parts):
    for part in parts:
        if isinstance(part, Chain):
            yield from _leaves(part.parts)
        else:
            yield part

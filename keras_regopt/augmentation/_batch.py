"""One batch of single elements, of clips, of ragged sets, or of nothing."""

import keras

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation._ragged import padded, ragged_again


class Batch:
    """The data and their targets as tensors with one batch axis, not empty.

    Args:
        layer: The augmentation.
        data: The dict of the inputs, with the data as a tensor.
        kinds: The kinds of the targets that the layer changes, by their keys.

    Raises:
        ValueError: If targets cannot belong to the data.
    """

    def __init__(self, layer, data, kinds):
        self._key = layer.key
        self.kinds = {key: kinds[key] for key in kinds if key in data}
        self._ragged = {}
        tensor = data[self._key]
        axes = len(tensor.shape) - layer.element_rank
        self._is_single = axes == 0
        self._frames = ops.shape(tensor)[1] if axes == 2 else None
        self.entries = {self._key: tensor}
        if self.kinds:
            self.entries.update(self._dense_targets(layer, data))
        if self._frames is not None:
            self._split_clips(layer)
        self.tensor = self.entries[self._key]
        for key, kind in self.kinds.items():
            kind.check(layer, self.entries[key], self.tensor)
        self._is_empty = not self._is_single and self.tensor.shape[0] == 0
        if self._is_single:
            self.entries = _mapped(_batch_of_one, self.entries)
        elif self._is_empty:
            # Not every operation bears it, so one element stands in for none.
            self.entries = _mapped(_one_of_zeros, self.entries)
        self.tensor = self.entries[self._key]

    def draw(self, layer, shape, training):
        """What a layer draws for each element, once for all frames of a clip.

        Args:
            layer: The augmentation.
            shape: The shape of the data, as `sample` gets it.
            training: Whether anything is drawn.

        Returns:
            What `draw` of the layer returns.
        """
        if self._frames is None or self._is_empty or not training:
            return layer.draw(shape, training)
        clips = (shape[0] // self._frames, *shape[1:])
        return keras.tree.map_structure(
            lambda x: (
                None if x is None else ops.repeat(x, self._frames, axis=0)
            ),
            layer.draw(clips, training),
        )

    def restored(self, results):
        """Results with the axes of the inputs: a dict of the same keys."""
        if self._is_single:
            results = _mapped(lambda x: x[0], results)
        elif self._is_empty:
            results = _mapped(lambda x: x[:0], results)
        if self._frames is not None:
            results = self._joined_clips(results)
        return ragged_again(results, self._ragged) if self._ragged else results

    def _dense_targets(self, layer, data):
        """The targets as tensors, those of ragged sets padded."""
        targets = {key: data[key] for key in self.kinds}
        sets = [key for key, kind in self.kinds.items() if kind.is_set]
        targets, self._ragged = padded(targets, sets, layer.mixed_count)
        for key in [key for key, kind in self.kinds.items() if kind.is_tensor]:
            targets[key] = ops.convert_to_tensor(targets[key])
        return _mapped(ops.convert_to_tensor, targets)

    def _split_clips(self, layer):
        """Makes single frames of clips."""
        for key, value in self.entries.items():
            if key in self.kinds and self.kinds[key].per_clip:
                value = _mapped(self._repeated, value)
            else:
                self._check_frames(layer, key, value)
                value = _mapped(
                    lambda x: ops.reshape(x, (-1, *ops.shape(x)[2:])), value
                )
            self.entries[key] = value

    def _joined_clips(self, results):
        """Makes clips of single frames again."""
        joined = _mapped(
            lambda x: ops.reshape(x, (-1, self._frames, *ops.shape(x)[1:])),
            results,
        )
        for key, kind in self.kinds.items():
            if kind.per_clip and key in joined:
                joined[key] = _mapped(lambda x: x[:, 0], joined[key])
        return joined

    def _repeated(self, x):
        return ops.repeat(x, self._frames, axis=0)

    def _check_frames(self, layer, key, value):
        """Refuses what is not there for each of the frames."""
        frames = self._frames
        for x in keras.tree.flatten(value):
            known = isinstance(frames, int) and x.shape[1:2] != (None,)
            if len(x.shape) > 1 and (not known or x.shape[1] == frames):
                continue
            raise ValueError(
                f"`{key}` in the inputs of {type(layer).__name__} must be "
                f"there for each of the {frames} frames of a clip, of shape "
                f"(batch, {frames}, ...). Received: shape={tuple(x.shape)}"
            )


def select(chosen, new, old):
    """New elements of a batch where they are chosen, or else the old ones.

    Args:
        chosen: Boolean tensor of shape `(batch,)`; `None` chooses all.
        new: Tensor with a leading batch axis.
        old: Tensor that broadcasts to `new`.

    Returns:
        A tensor of the dtype of `new`.
    """
    if chosen is None:
        return new
    axes = tuple(range(1, len(new.shape)))
    chosen = ops.expand_dims(chosen, axis=axes) if axes else chosen
    if holds_strings(new):
        import tensorflow as tf

        return tf.where(chosen, new, old)
    return ops.where(chosen, new, ops.cast(old, new.dtype))


def holds_strings(tensor):
    """Whether a tensor is of strings, with which little can be computed."""
    return keras.backend.standardize_dtype(tensor.dtype) == "string"


def _batch_of_one(x):
    return ops.expand_dims(x, axis=0)


def _one_of_zeros(x):
    if holds_strings(x):
        import tensorflow as tf

        return tf.fill((1, *x.shape[1:]), "")
    return ops.zeros((1, *x.shape[1:]), x.dtype)


def _mapped(function, data):
    return keras.tree.map_structure(function, data)

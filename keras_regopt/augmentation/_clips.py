"""Clips: batches of several frames, which share what is drawn for them."""

import contextvars

import keras

from keras_regopt._keras import data_ops as ops

# How many frames each clip of the batch has that is being augmented.
_frames = contextvars.ContextVar("frames", default=None)


def changed_by_clips(layer, data, keys, training):
    """What becomes of a batch of clips.

    Args:
        layer: The augmentation.
        data: The dict of the inputs. Labels are one for a clip, all else is of
            shape `(batch, frames, ...)`.
        keys: The entries that the layer changes, labels aside.
        training: Whether anything is drawn.

    Returns:
        A dict of the entries that change.
    """
    frames = ops.shape(data[layer.key])[1]
    if layer._overrides("apply_to_labels"):
        keys = {*keys, "labels"}
    changing = {key: data[key] for key in data if key in keys}
    token = _frames.set(frames)
    try:
        by_frame = _frame_by_frame(layer, changing, frames)
        changed = layer._changed(by_frame, False, training)
    finally:
        _frames.reset(token)
    return _clip_by_clip(changed, frames)


def draw_for_clips(layer, shape, training):
    """What a layer draws for a batch, once for each clip in it.

    Args:
        layer: The augmentation.
        shape: The shape of the batch, of single frames.
        training: Whether anything is drawn.

    Returns:
        What `_drawn` of the layer returns, for each frame.
    """
    frames = _frames.get()
    # An empty batch is stood in for by one element.
    stands_in = isinstance(shape[0], int) and shape[0] == 1
    if frames is None or not training or stands_in:
        return layer._drawn(shape, training)
    clips = (shape[0] // frames, *shape[1:])
    return keras.tree.map_structure(
        lambda x: None if x is None else ops.repeat(x, frames, axis=0),
        layer._drawn(clips, training),
    )


def _frame_by_frame(layer, data, frames):
    """What belongs to clips, as what belongs to single frames."""
    return {
        key: keras.tree.map_structure(
            lambda x, key=key: _of_frames(layer, key, x, frames), value
        )
        for key, value in data.items()
    }


def _clip_by_clip(data, frames):
    """The way back."""

    def of_clips(x):
        return ops.reshape(x, (-1, frames, *ops.shape(x)[1:]))

    return {
        key: keras.tree.map_structure(
            (lambda x: of_clips(x)[:, 0]) if key == "labels" else of_clips,
            value,
        )
        for key, value in data.items()
    }


def _of_frames(layer, key, x, frames):
    x = ops.convert_to_tensor(x)
    if key == "labels":
        return ops.repeat(x, frames, axis=0)
    known = isinstance(frames, int) and x.shape[1:2] != (None,)
    if len(x.shape) < 2 or (known and tuple(x.shape[1:2]) != (frames,)):
        raise ValueError(
            f"`{key}` in the inputs of {type(layer).__name__} must be there "
            f"for each of the {frames} frames of a clip, of shape (batch, "
            f"{frames}, ...). Received: shape={tuple(x.shape)}"
        )
    return ops.reshape(x, (-1, *ops.shape(x)[2:]))

"""Pictures of what an augmentation does."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from keras_regopt._matplotlib import require_matplotlib
from keras_regopt._types import Path
from keras_regopt._validate import fail, positive_int
from keras_regopt.augmentation._map_dataset import parts_of
from keras_regopt.augmentation._seeds import numbered
from keras_regopt.augmentation._view import known
from keras_regopt.augmentation.audio._view import AudioView, SpectrogramView
from keras_regopt.augmentation.image._view import ImageView
from keras_regopt.augmentation.text._view import TextView, TokenView

_VIEWS = {
    view.key: view
    for view in (ImageView, AudioView, SpectrogramView, TextView, TokenView)
}


def visualize(
    layer: Callable[..., Any],
    images: Any,
    draws: int = 4,
    value_range: tuple[float, float] | None = None,
    bounding_box_format: str | None = None,
    class_names: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
    path: Path | None = None,
    vocabulary: Sequence[str] | None = None,
) -> Any:
    """Draws a grid of what a layer makes of some images, sounds or texts.

    Each row begins with an original, followed by some draws. Labels are
    written above, also where the layer mixes several. The same seed gives the
    same picture, and the draws that the layer makes elsewhere do not change.
    What is drawn hangs on the key of the data:

    - `images`: the images, and over them boxes, keypoints and masks, each
      class in a color of its own;
    - `audio`: the waveform over its spectrogram of 80 dB, all of a row to one
      scale, with a line where `lengths` end;
    - `spectrograms`: time to the right, frequencies upwards;
    - `texts` and `token_ids`: words or tokens, those that are new on a ground
      of color, those that are gone struck out.

    Args:
        layer: An augmentation, a container of such, or a function of what
            `images` is.
        images: A batch of what the layer takes, or a dict of such a batch and
            what belongs to it. Labels may be numbers, strings, vectors of
            fractions or a dict of such; masks, numbers of classes or one
            channel a class.
        draws: How many results to show of each element. Defaults to `4`.
        value_range: The values of images or spectrograms that are shown black
            and white. Defaults to `None`: for spectrograms those that they
            span, for images that of the layer or, where it has none or the
            images do not fit it, that of bytes, of 16 bits, `(0, 1)` or
            `(-1, 1)`, as the images have it.
        bounding_box_format: The format of the boxes. Defaults to `None`, that
            of the layer, or of the first within it that knows one.
        class_names: Sequence of names by class number, or a dict of such for
            labels that are a dict. Defaults to `None`, the numbers.
        path: Where to save the picture; the ending tells the format. Defaults
            to `None`: it is only returned.
        vocabulary: Sequence of words by token id. Defaults to `None`, the
            ids.

    Returns:
        A `matplotlib.figure.Figure`, free of pyplot, so that no display is
        needed. A notebook shows it.

    Raises:
        ImportError: If Matplotlib is not installed.
        ValueError: If an argument is not as above, or not for this kind of
            data.

    Examples:
        >>> from keras_regopt.augmentation import RandomAffine
        >>> figure = visualize(RandomAffine(), np.zeros((2, 8, 8, 1)), draws=3)
        >>> len(figure.axes)
        8
    """
    require_matplotlib()
    positive_int(visualize, "draws", draws)
    parts = parts_of(layer)
    key = known(parts, "key") or "images"
    data = images if isinstance(images, dict) else {key: images}
    if isinstance(images, dict) and key not in images:
        found = [other for other in _VIEWS if other in images]
        if len(found) != 1 or known(parts, "key"):
            fail(visualize, "images", f"a batch or a dict with '{key}'", data)
        (key,) = found
    options = {
        "value_range": value_range,
        "bounding_box_format": bounding_box_format,
        "class_names": class_names,
        "vocabulary": vocabulary,
    }
    view = _VIEWS[key](visualize, parts, data, options)
    columns = [view.arrays(data)]
    for draw in range(draws):
        with numbered(draw):
            result = _result(layer, images, view)
        result = result if isinstance(result, dict) else {key: result}
        columns.append(view.arrays({**data, **result}))
        if columns[-1][key].ndim != columns[0][key].ndim:
            allowed = f"one that returns {key}, as it takes"
            fail(visualize, "layer", allowed, layer)
    figure = view.grid(columns)
    if path is not None:
        figure.savefig(path, dpi=110)
    return figure


def _result(layer, inputs, view):
    """What a layer makes of a batch, while it acts."""
    is_layer = isinstance(layer, keras.Layer)
    options = {"training": True} if is_layer else {}
    if not view.holds_strings or keras.backend.backend() == "tensorflow":
        return layer(inputs, **options)
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensors(inputs)
    return next(iter(dataset.map(lambda x: layer(x, **options))))

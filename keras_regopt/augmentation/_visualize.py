"""Pictures of what an augmentation does."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from keras_regopt._matplotlib import require_matplotlib
from keras_regopt._types import Path
from keras_regopt._validate import fail, one_of, positive_int
from keras_regopt._validate import value_range as checked_range
from keras_regopt.augmentation._map_dataset import parts_of
from keras_regopt.augmentation._pictures import (
    COLORS,
    classes_of,
    color_of,
    number_of,
    range_of,
    words_of,
)
from keras_regopt.augmentation._seeds import numbered
from keras_regopt.augmentation.image.functional._boxes import (
    FORMATS,
    box_format,
    label_keys,
    to_xyxy,
)

# What is drawn. Anything else in a dict need not be one for each image.
_DRAWN = (
    "images",
    "labels",
    "segmentation_masks",
    "bounding_boxes",
    "keypoints",
)

# Inches of the longer side of one picture, and of the title over it.
_SIDE, _TITLE = 1.6, 0.25


def visualize(
    layer: Callable[..., Any],
    images: Any,
    draws: int = 4,
    value_range: tuple[float, float] | None = None,
    bounding_box_format: str | None = None,
    class_names: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
    path: Path | None = None,
) -> Any:
    """Draws a grid of what a layer makes of some images.

    Each row begins with an original image, followed by some draws. Boxes,
    keypoints and masks are drawn over the images, each class in a color of its
    own, and labels are written above, also where the layer mixes several. The
    same seed gives the same picture, and the draws that the layer makes
    elsewhere do not change.

    Args:
        layer: An augmentation of images, a container of such, or a function
            of what `images` is.
        images: A batch of images, or a dict of a batch of images and what
            belongs to them, such as the layer takes. Labels may be numbers,
            strings, vectors of fractions or a dict of such; masks, numbers of
            classes or one channel a class.
        draws: How many results to show of each image. Defaults to `4`.
        value_range: The values that are shown black and white. Defaults to
            `None`: that of the layer or, where it has none or the images do
            not fit it, that of bytes, of 16 bits, `(0, 1)` or `(-1, 1)`, as
            the images have it.
        bounding_box_format: The format of the boxes. Defaults to `None`, that
            of the layer, or of the first within it that knows one.
        class_names: Sequence of names by class number, or a dict of such for
            labels that are a dict. Defaults to `None`, the numbers.
        path: Where to save the picture; the ending tells the format. Defaults
            to `None`: it is only returned.

    Returns:
        A `matplotlib.figure.Figure`, free of pyplot, so that no display is
        needed. A notebook shows it.

    Raises:
        ImportError: If Matplotlib is not installed.
        ValueError: If an argument is not as above.

    Examples:
        >>> from keras_regopt.augmentation import RandomAffine
        >>> figure = visualize(RandomAffine(), np.zeros((2, 8, 8, 1)), draws=3)
        >>> len(figure.axes)
        8
    """
    require_matplotlib()
    positive_int(visualize, "draws", draws)
    data = images if isinstance(images, dict) else {"images": images}
    view = _View(layer, data, value_range, bounding_box_format, class_names)
    options = {"training": True} if isinstance(layer, keras.Layer) else {}
    columns = [_drawn(data)]
    for draw in range(draws):
        with numbered(draw):
            result = layer(images, **options)
        result = result if isinstance(result, dict) else {"images": result}
        columns.append(_drawn({**data, **result}))
    figure = view.grid(columns)
    if path is not None:
        figure.savefig(path, dpi=110)
    return figure


class _View:
    """How the images are to be seen."""

    def __init__(self, layer, data, values, formatted, class_names):
        parts = parts_of(layer)
        if "images" not in data:
            fail(visualize, "images", "a batch or a dict with 'images'", data)
        images = _arrays(data["images"])
        if images.ndim != 4 or not len(images):
            fail(
                visualize,
                "images",
                "a batch of images of rank 4",
                images.shape,
                "For one image, write `images=image[None]`.",
            )
        if values is not None:
            values = checked_range(visualize, values)
        self.values = values or range_of(images, _known(parts, "value_range"))
        formatted = box_format(visualize, formatted)
        self.data_format = (
            _known(parts, "data_format") or keras.config.image_data_format()
        )
        self.box_format = formatted or _known(parts, "bounding_box_format")
        if "bounding_boxes" in data:
            one_of(visualize, "bounding_box_format", self.box_format, FORMATS)
        self.class_names = class_names

    def grid(self, columns):
        from matplotlib.figure import Figure

        rows = len(columns[0]["images"])
        sides = np.array(
            [self._pixels(c["images"][0]).shape[:2] for c in columns]
        ).max(axis=0)
        height, width = _SIDE * sides / sides.max()
        labels = columns[0].get("labels", [])
        title = _TITLE * (len(labels) if isinstance(labels, dict) else 1)
        title = title if len(labels) else 0
        figure = Figure(
            figsize=(width * len(columns), (height + title) * rows),
            layout="constrained",
        )
        figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02)
        axes = figure.subplots(rows, len(columns), squeeze=False)
        for column, data in enumerate(columns):
            for row in range(min(rows, len(data["images"]))):
                self._draw(axes[row, column], _element(data, row))
        for plot in axes.flat:
            plot.set_axis_off()
        return figure

    def _draw(self, axes, element):
        pixels = self._pixels(element["images"])
        low, high = self.values
        shown = np.clip((pixels - low) / (high - low), 0, 1)
        height, width = shown.shape[:2]
        frame = (0, width, height, 0)
        axes.imshow(shown, cmap="gray", vmin=0, vmax=1, extent=frame)
        if "labels" in element:
            words = words_of(element["labels"], self.class_names)
            axes.set_title(words, fontsize=8, pad=2)
        if "segmentation_masks" in element:
            self._draw_mask(axes, element["segmentation_masks"], frame)
        if "bounding_boxes" in element:
            self._draw_boxes(axes, element["bounding_boxes"], height, width)
        if "keypoints" in element:
            points = element["keypoints"]
            seen = points[:, 2] > 0 if points.shape[-1] > 2 else slice(None)
            axes.plot(*points[seen, :2].T, ".", color=COLORS[4], markersize=5)
        # What lies beyond the image does not make the picture wider.
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)

    def _draw_mask(self, axes, mask, frame):
        from matplotlib.colors import to_rgb
        from matplotlib.patheffects import withStroke

        if mask.ndim == 3 and self.data_format == "channels_first":
            mask = np.moveaxis(mask, 0, -1)
        classes = classes_of(mask)
        # Class 0 is the background.
        shown = [number for number in np.unique(classes) if number != 0]
        fill = np.zeros((*classes.shape, 4))
        for number in shown:
            fill[classes == number] = (*to_rgb(color_of(number - 1)), 0.4)
        axes.imshow(fill, extent=frame)
        for number in shown:
            # With a margin of background, an outline ends at the frame.
            inside = np.pad(classes == number, 1).astype("float64")
            rows, columns = (np.arange(n) - 0.5 for n in inside.shape)
            outline = axes.contour(
                columns,
                rows,
                inside,
                levels=[0.5],
                colors=[color_of(number - 1)],
                linewidths=1.2,
            )
            outline.set_path_effects(
                [withStroke(linewidth=2.2, foreground="w")]
            )

    def _draw_boxes(self, axes, bounding_boxes, height, width):
        from matplotlib.patches import Rectangle

        keys = ["boxes", *label_keys(bounding_boxes)]
        batch = {key: bounding_boxes[key][None] for key in keys}
        boxes, alive = (
            keras.ops.convert_to_numpy(x)[0]
            for x in to_xyxy(batch, self.box_format, height, width)
        )
        labels = np.zeros(len(boxes))
        for key in keys[1:]:
            labels = bounding_boxes[key]
        for box, label in zip(boxes[alive], labels[alive], strict=True):
            color = color_of(number_of(label))
            corner, size = box[:2], box[2:] - box[:2]
            axes.add_patch(
                Rectangle(corner, *size, fill=False, color=color, linewidth=1.5)
            )

    def _pixels(self, image):
        """An image as Matplotlib takes it: gray without channels, or RGB."""
        if self.data_format == "channels_first":
            image = np.moveaxis(image, 0, -1)
        image = image.astype("float32")
        return image[..., :3] if image.shape[-1] >= 3 else image[..., 0]


def _drawn(data):
    """What is drawn of some data, as arrays."""
    return _arrays({k: data[k] for k in _DRAWN if data.get(k) is not None})


def _arrays(x):
    if isinstance(x, dict):
        return {key: _arrays(value) for key, value in x.items()}
    if isinstance(x, (list, tuple, np.ndarray)):
        return np.asarray(x)
    return keras.ops.convert_to_numpy(x)


def _element(data, row):
    return keras.tree.map_structure(lambda x: x[row], data)


def _known(parts, name):
    """What the first layer that knows says of an attribute."""
    values = (getattr(part, name, None) for part in parts)
    return next((value for value in values if value is not None), None)

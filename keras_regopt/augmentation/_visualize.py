"""Pictures of what an augmentation does."""

import keras
import numpy as np

from keras_regopt._matplotlib import require_matplotlib
from keras_regopt._validate import fail, one_of, positive_int
from keras_regopt._validate import value_range as checked_range
from keras_regopt.augmentation._map_dataset import parts_of
from keras_regopt.augmentation._seeds import numbered
from keras_regopt.augmentation.image._boxes import FORMATS, to_xyxy

# Okabe and Ito's colors, told apart by color-blind readers.
_COLORS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")

# Inches of the longer side of one picture, and of the title over it.
_SIDE, _TITLE = 1.6, 0.25


def visualize(
    layer,
    images,
    draws=4,
    value_range=None,
    bounding_box_format=None,
    class_names=None,
    path=None,
):
    """Draws a grid of what a layer makes of some images.

    Each row begins with an image as it came, followed by some draws. Boxes,
    keypoints and masks are drawn over the images, and labels above them, also
    where the layer mixes several. The same seed gives the same picture, and
    the draws that the layer makes elsewhere do not change.

    Args:
        layer: An augmentation of images, a container of such, or a function
            of what `images` is.
        images: A batch of images, or a dict of a batch of images and what
            belongs to them, such as the layer takes.
        draws: How many results to show of each image. Defaults to `4`.
        value_range: The values that are shown black and white. Defaults to
            `None`: for floats that of the layer or, where it has none,
            `(0, 1)` or `(0, 255)`, as the images have it.
        bounding_box_format: The format of the boxes. Defaults to `None`, that
            of the layer.
        class_names: Sequence of names by class number. Defaults to `None`,
            the numbers.
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
    columns = [data]
    for draw in range(draws):
        with numbered(draw):
            result = layer(images, **options)
        columns.append(
            result if isinstance(result, dict) else {**data, "images": result}
        )
    figure = view.grid([keras.tree.map_structure(_numpy, c) for c in columns])
    if path is not None:
        figure.savefig(path, dpi=110)
    return figure


class _View:
    """How the images are to be seen."""

    def __init__(self, layer, data, values, box_format, class_names):
        parts = parts_of(layer)
        if "images" not in data:
            fail(visualize, "images", "a batch or a dict with 'images'", data)
        images = _numpy(data["images"])
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
        self.values = values or _range_of(images, _known(parts, "value_range"))
        self.data_format = (
            _known(parts, "data_format") or keras.config.image_data_format()
        )
        self.box_format = box_format or _known(parts, "bounding_box_format")
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
        title = _TITLE if "labels" in columns[0] else 0
        figure = Figure(
            figsize=(width * len(columns), (height + title) * rows),
            layout="constrained",
        )
        figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02)
        axes = figure.subplots(rows, len(columns), squeeze=False)
        for column, data in enumerate(columns):
            for row in range(min(rows, len(data["images"]))):
                self._draw(axes[row, column], _element(data, row))
        for place in axes.flat:
            place.set_axis_off()
        return figure

    def _draw(self, axes, element):
        pixels = self._pixels(element["images"])
        low, high = self.values
        shown = np.clip((pixels - low) / (high - low), 0, 1)
        height, width = shown.shape[:2]
        frame = (0, width, height, 0)
        axes.imshow(shown, cmap="gray", vmin=0, vmax=1, extent=frame)
        if "labels" in element:
            axes.set_title(self._title(element["labels"]), fontsize=8, pad=2)
        if "segmentation_masks" in element:
            self._draw_mask(axes, element["segmentation_masks"], frame)
        if "bounding_boxes" in element:
            self._draw_boxes(axes, element["bounding_boxes"], height, width)
        if "keypoints" in element:
            points = element["keypoints"]
            seen = points[:, 2] > 0 if points.shape[-1] > 2 else slice(None)
            axes.plot(*points[seen, :2].T, ".", color=_COLORS[4], markersize=5)
        # What lies beyond the image does not make the picture wider.
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)

    def _draw_mask(self, axes, mask, frame):
        from matplotlib.colors import to_rgb

        mask = self._pixels(mask) if mask.ndim == 3 else mask
        mask = mask[..., 0] if mask.ndim == 3 else mask
        colors = np.array([to_rgb(color) for color in _COLORS])
        colors = colors[(mask.astype("int64") - 1) % len(colors)]
        # Class 0 is the background.
        strength = np.where(mask > 0, 0.45, 0.0)[..., None]
        axes.imshow(np.concatenate([colors, strength], -1), extent=frame)

    def _draw_boxes(self, axes, bounding_boxes, height, width):
        from matplotlib.patches import Rectangle

        batch = {k: v[None] for k, v in bounding_boxes.items()}
        boxes, alive = (
            _numpy(x)[0] for x in to_xyxy(batch, self.box_format, height, width)
        )
        labels = bounding_boxes.get("labels", np.zeros(len(boxes)))
        for box, label in zip(boxes[alive], labels[alive], strict=True):
            color = _COLORS[int(np.ravel(label)[0]) % len(_COLORS)]
            corner, size = box[:2], box[2:] - box[:2]
            axes.add_patch(
                Rectangle(corner, *size, fill=False, color=color, linewidth=1.5)
            )

    def _title(self, label):
        if np.ndim(label) == 0:
            return self._class_name(label)
        if np.ndim(label) > 1:
            return ""
        if len(label) == 1:
            return self._class_name(label[0])
        # One-hot, or several classes with their shares.
        shown = [i for i in np.argsort(-label)[:3] if label[i] >= 0.005]
        names = [self._class_name(i) for i in shown]
        if len(names) == 1:
            return names[0]
        return "\n".join(
            f"{name}: {100 * label[i]:.0f} %"
            for i, name in zip(shown, names, strict=True)
        )

    def _class_name(self, label):
        if self.class_names is not None and int(label) == label:
            return str(self.class_names[int(label)])
        return f"{label:g}" if isinstance(label, np.floating) else str(label)

    def _pixels(self, image):
        """An image as Matplotlib takes it: gray without channels, or RGB."""
        if self.data_format == "channels_first":
            image = np.moveaxis(image, 0, -1)
        image = image.astype("float32")
        return image[..., :3] if image.shape[-1] >= 3 else image[..., 0]


def _element(data, row):
    return keras.tree.map_structure(lambda x: x[row], data)


def _range_of(images, known):
    if not np.issubdtype(images.dtype, np.floating):
        return (0, 1) if images.dtype == bool else (0, 255)
    return known or ((0, 1) if images.max() <= 1 else (0, 255))


def _known(parts, name):
    """What the first layer that knows says of an attribute."""
    values = (getattr(part, name, None) for part in parts)
    return next((value for value in values if value is not None), None)


def _numpy(x):
    if x is None or isinstance(x, (str, bytes, np.ndarray)):
        return x
    return keras.ops.convert_to_numpy(x)

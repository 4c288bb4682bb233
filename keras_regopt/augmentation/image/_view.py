"""Pictures of images, and of what belongs to them."""

import keras
import numpy as np

from keras_regopt._validate import one_of
from keras_regopt._validate import value_range as checked_range
from keras_regopt.augmentation._pictures import (
    COLORS,
    classes_of,
    color_of,
    number_of,
    range_of,
)
from keras_regopt.augmentation._view import View, arrays, known
from keras_regopt.augmentation.image.functional._boxes import (
    FORMATS,
    box_format,
    label_keys,
    to_xyxy,
)

# Inches of the longer side of one picture.
_SIDE = 1.6


class ImageView(View):
    """How images are drawn, with boxes, keypoints and masks over them."""

    key = "images"
    drawn = (
        "images",
        "labels",
        "segmentation_masks",
        "bounding_boxes",
        "keypoints",
    )
    ranks = (4,)
    remedy = "For one image, write `images=image[None]`."
    options = ("value_range", "bounding_box_format", "class_names")

    def __init__(self, owner, parts, data, options):
        super().__init__(owner, parts, data, options)
        images = arrays(data["images"])
        values = options["value_range"]
        if values is not None:
            values = checked_range(owner, values)
        self.values = values or range_of(images, known(parts, "value_range"))
        formatted = box_format(owner, options["bounding_box_format"])
        self.data_format = (
            known(parts, "data_format") or keras.config.image_data_format()
        )
        self.box_format = formatted or known(parts, "bounding_box_format")
        if "bounding_boxes" in data:
            one_of(owner, "bounding_box_format", self.box_format, FORMATS)

    def cell(self, columns):
        sides = np.array(
            [self._pixels(c["images"][0]).shape[:2] for c in columns]
        ).max(axis=0)
        height, width = _SIDE * sides / sides.max()
        return [width] * len(columns), height

    def draw(self, axes, element, original, columns):
        pixels = self._pixels(element["images"])
        low, high = self.values
        shown = np.clip((pixels - low) / (high - low), 0, 1)
        height, width = shown.shape[:2]
        frame = (0, width, height, 0)
        axes.imshow(shown, cmap="gray", vmin=0, vmax=1, extent=frame)
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

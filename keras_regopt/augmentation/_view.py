"""How data of any kind are drawn: a grid of originals and draws."""

import keras
import numpy as np

from keras_regopt._validate import fail
from keras_regopt.augmentation._pictures import words_of

# Inches of one line of the title over a picture.
TITLE = 0.25


class View:
    """How the data of one kind are drawn.

    A subclass sets `key`, `drawn`, `rank` and `options`, and writes `cell`
    and `draw`.

    Args:
        owner: The function that draws, for errors.
        parts: The layers within the layer that is drawn.
        data: Dict of what it is called on.
        options: Dict of the arguments that hang on the kind of data, `None`
            where one was not given.

    Raises:
        ValueError: If an argument is not for this kind, or the data are none.
    """

    # The key of the data, and of all that is drawn. Anything else in a dict
    # need not be one for each element.
    key = ""
    drawn: tuple[str, ...] = ()

    # How many axes a batch can have.
    ranks: tuple[int, ...] = ()

    # What to write for a single element.
    remedy = "For a single one, write `x[None]`."

    # The arguments of `visualize` that say something here.
    options: tuple[str, ...] = ()

    # Whether only TensorFlow, or a `tf.data` function, can run the layers.
    holds_strings = False

    def __init__(self, owner, parts, data, options):
        for name, value in options.items():
            if value is not None and name not in self.options:
                fail(owner, name, f"None for {self.key}", value)
        batch = arrays(data[self.key])
        if batch.ndim not in self.ranks or not len(batch):
            ranks = " or ".join(map(str, self.ranks))
            fail(
                owner,
                self.key,
                f"a batch of {self.key} of rank {ranks}",
                batch.shape,
                self.remedy,
            )
        self.class_names = options.get("class_names")

    def cell(self, columns):
        """Width and height in inches of the pictures of each column.

        Args:
            columns: The original data and the draws, a list of dicts.

        Returns:
            A list of widths, and one height.
        """
        raise NotImplementedError

    def draw(self, axes, element, original, columns):
        """Draws one element.

        Args:
            axes: Matplotlib's axes.
            element: Dict of what is drawn.
            original: The same of the element before the augmentation.
            columns: All of the data, for scales that are common to them.
        """
        raise NotImplementedError

    def grid(self, columns):
        """The figure: one row an element, one column a draw."""
        from matplotlib.figure import Figure

        rows = len(columns[0][self.key])
        widths, height = self.cell(columns)
        labels = columns[0].get("labels", [])
        title = TITLE * (len(labels) if isinstance(labels, dict) else 1)
        title = title if len(labels) else 0
        figure = Figure(
            figsize=(sum(widths), (height + title) * rows),
            layout="constrained",
        )
        figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02)
        axes = figure.subplots(rows, len(columns), squeeze=False)
        for column, data in enumerate(columns):
            for row in range(min(rows, len(data[self.key]))):
                element = element_of(data, row)
                plot = axes[row, column]
                if "labels" in element:
                    words = words_of(element["labels"], self.class_names)
                    plot.set_title(words, fontsize=8, pad=2)
                original = element_of(columns[0], row)
                self.draw(plot, element, original, columns)
        for plot in axes.flat:
            plot.set_axis_off()
        return figure

    def arrays(self, data):
        """What is drawn of some data, as arrays."""
        return arrays({k: data[k] for k in self.drawn if not _lacks(data, k)})


def arrays(x):
    """Tensors, also in dicts, as arrays."""
    if isinstance(x, dict):
        return {key: arrays(value) for key, value in x.items()}
    if isinstance(x, (list, tuple, np.ndarray)):
        return np.asarray(x)
    if type(x).__module__.startswith("tensorflow"):
        # Also where that is not Keras' backend.
        return np.asarray(x)
    return keras.ops.convert_to_numpy(x)


def element_of(data, row):
    """One element of a batch."""
    return keras.tree.map_structure(lambda x: x[row], data)


def known(parts, name):
    """What the first layer that knows says of an attribute."""
    values = (getattr(part, name, None) for part in parts)
    return next((value for value in values if value is not None), None)


def _lacks(data, key):
    return data.get(key) is None

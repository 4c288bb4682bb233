import math

import numpy as np

from keras_regopt._registry import register
from keras_regopt._validate import fail, in_range, one_of, positive_int
from keras_regopt.layers._adapted import AdaptedLayer


@register
class Whitening(AdaptedLayer):
    """Makes the features of the inputs uncorrelated, each of variance one.

    Gradient descent is slow where features vary together, or much unlike each
    other; on white inputs a linear model is as easy as can be. With the mean
    and the covariance `C` of the data that `adapt` was given, and
    `C + epsilon diag(C) = V diag(l) V.T`,

        pca:  y = (x - mean) V / sqrt(l)
        zca:  y = (x - mean) V / sqrt(l) V.T

    `"pca"` gives the principal components, the widest first, of which
    `components` may be kept. `"zca"` changes the inputs as little as
    whitening can: white images still look like images. It is the same in
    training and at inference, and goes into a model as its first layer, or
    into `tf.data`. All features of an example count together, so that images
    want to be small: `d` features take a matrix of `d * d` numbers.

    Args:
        method: `"zca"` or `"pca"`. Defaults to `"zca"`.
        epsilon: Fraction >= 0 of its own variance that is added to the variance
            of each feature, so that the directions of least variance, mostly
            noise, are not blown up. It fits features of any scale. Defaults
            to `1e-5`.
        components: Number of principal components to keep, at least 1, or
            `None` for all; with `"pca"` alone. Defaults to `None`.
        **kwargs: Keras' arguments of every layer, such as `name`, and `dtype`,
            which is `"float32"` unless given.

    Input shape:
        Two axes or more, the first of which is the batch.

    Output shape:
        As the input for `"zca"`, `(batch, components)` for `"pca"`. Floats, in
        the precision that the layer computes in.

    Raises:
        ValueError: If there are less features than `components`, once it is
            built.

    Examples:
        >>> layer = Whitening("pca", components=1)
        >>> layer.adapt(np.array([[0.0, 0.0], [2.0, 2.0], [4.0, 4.0]]))
        >>> [round(float(v), 3) for v in layer(np.array([[4.0, 4.0]]))[0]]
        [1.0]

    References:
        Bell and Sejnowski 1997, The "independent components" of natural scenes
        are edge filters (ZCA); Krizhevsky 2009, Learning multiple layers of
        features from tiny images, appendix A; scikit-learn's
        `PCA(whiten=True)`, whose numbers and signs `"pca"` has. Covariances
        are divided by one less than the number of examples.
    """

    def __init__(
        self,
        method: str = "zca",
        epsilon: float = 1e-5,
        components: int | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.method = one_of(self, "method", method, ("zca", "pca"))
        self.epsilon = in_range(self, "epsilon", epsilon, low=0)
        self.components = positive_int(
            self, "components", components, optional=True
        )
        if components is not None and method == "zca":
            fail(self, "components", "None where method is 'zca'", components)

    def build(self, input_shape):
        super().build(input_shape)
        if None in input_shape[1:]:
            raise ValueError(
                "Whitening needs the shape of its inputs. "
                f"Received: input_shape={tuple(input_shape)}"
            )
        features = math.prod(input_shape[1:])
        count = self.components or features
        if count > features:
            allowed = f"at most {features}, the number of features"
            fail(self, "components", allowed, count)
        self.mean = self.add_statistic("mean", (features,), "zeros")
        self.matrix = self.add_statistic(
            "matrix", (features, count), "identity"
        )

    def learn(self, batches):
        count, mean, scatter = 0, 0.0, 0.0
        for batch in batches:
            batch = batch.reshape(len(batch), -1)
            if not np.isfinite(batch).all():
                self._fail("finite numbers", "NaN or infinity")
            # Updates the mean and the scatter around it, batch by batch.
            total = count + len(batch)
            own = batch.mean(0)
            shift = own - mean
            scatter = scatter + (batch - own).T @ (batch - own)
            scatter += np.outer(shift, shift) * (count * len(batch) / total)
            mean = mean + shift * (len(batch) / total)
            count = total
        covariance = scatter / max(count - 1, 1)
        covariance += self.epsilon * np.diag(np.diag(covariance))
        values, vectors = np.linalg.eigh(covariance)
        # The widest first; rounding may take the least below zero.
        values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
        largest = np.abs(vectors).argmax(0)
        vectors = vectors * np.sign(vectors[largest, range(len(largest))])
        # Directions without variance, but for rounding.
        nothing = values <= values[0] * len(values) * np.finfo("float64").eps
        matrix = vectors / np.where(nothing, np.inf, np.sqrt(values))
        if self.method == "zca":
            matrix = matrix @ vectors.T
        return [(self.mean, mean), (self.matrix, matrix[:, : self.components])]

    def call(self, inputs):
        numpy = self.backend.numpy
        x = self.backend.cast(inputs, "float32")
        x = numpy.reshape(x, (-1, math.prod(self._shape[1:])))
        y = numpy.matmul(
            x - self.value_of(self.mean), self.value_of(self.matrix)
        )
        if self.method == "zca":
            y = numpy.reshape(y, (-1, *self._shape[1:]))
        return self.backend.cast(y, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        if self.method == "zca":
            return tuple(input_shape)
        features = math.prod(input_shape[1:])
        return (input_shape[0], self.components or features)

"""Where to look next: the expected improvement, and its maximum."""

import numpy as np
from scipy.special import erfcx, log_ndtr
from scipy.stats import yeojohnson

_RADII = (0.1, 0.05, 0.02, 0.01, 0.004, 0.001)


def normalized(y):
    """Observations to minimize, made close to normal.

    High ones are clipped, since a failure that is worse than another one tells
    nothing; then a Yeo-Johnson transformation makes their distribution even.

    Args:
        y: Array of finite numbers.

    Returns:
        An array of mean 0 and variance 1, in the same order.
    """
    middle = np.median(y)
    y = _standardized(np.minimum(y, middle + 5 * (middle - y.min())))
    try:
        with np.errstate(all="ignore"):
            warped = yeojohnson(y)[0]
    except (ValueError, FloatingPointError):
        return y
    good = np.isfinite(warped).all() and warped.std() > 1e-6
    return _standardized(warped) if good else y


def _standardized(y):
    deviation = y.std()
    return (y - y.mean()) / (deviation if deviation > 0 else 1.0)


def log_expected_improvement(mean, deviation, best):
    """Logarithm of the expected improvement on the best value, a minimum.

    Args:
        mean: Array of predicted means.
        deviation: Array of their standard deviations.
        best: The value to improve on.

    Returns:
        An array, exact where the improvement itself would be 0 in floats.

    References:
        Ament et al. 2023, Unexpected improvements to expected improvement for
        Bayesian optimization (arXiv 2310.20708).
    """
    z = (best - mean) / deviation
    log_density = -0.5 * z * z - 0.5 * np.log(2 * np.pi)
    with np.errstate(all="ignore"):
        near = np.log(np.exp(log_density) + z * np.exp(log_ndtr(z)))
        ratio = z * np.sqrt(np.pi / 2) * erfcx(-z / np.sqrt(2))
        far = log_density + np.log1p(ratio)
        # There, 1 + ratio is 1 / z**2 up to terms that are lost in floats.
        farthest = log_density - 2 * np.log(np.abs(z))
    value = np.where(z > -1, near, np.where(z > -1e4, far, farthest))
    return np.log(deviation) + value


def candidates(encoding, score, best_points, generator):
    """Points of the unit cube with a high score, the best first.

    Random ones, and others near the best so far, are made better in small
    steps, which get shorter.

    Args:
        encoding: The `Encoding`.
        score: Function of features.
        best_points: Array of the points of the best trials.
        generator: NumPy's random generator.

    Returns:
        An array with one row for each point.
    """
    size = len(encoding.axes)
    points = np.vstack(
        [
            generator.random((512, size)),
            _moved(encoding, best_points, 40, 0.05, generator),
        ]
    )
    scores = score(encoding.features(points))
    for radius in _RADII:
        kept = np.argsort(-scores, kind="stable")[:5]
        near = _moved(encoding, points[kept], 24, radius, generator)
        points = np.vstack([points[kept], near])
        near_scores = score(encoding.features(near))
        scores = np.concatenate([scores[kept], near_scores])
    return points[np.argsort(-scores, kind="stable")]


def _moved(encoding, points, copies, radius, generator):
    """Copies of points, some of whose coordinates are moved a little."""
    points = np.repeat(points, copies, axis=0)
    share = max(0.3, 2 / max(points.shape[1], 1))
    moves = generator.random(points.shape) < share
    moved = points + radius * moves * generator.normal(size=points.shape)
    # A class has no neighbors: it is drawn again.
    classes = np.array([axis.is_class for axis in encoding.axes], bool)
    again = moves & classes & (generator.random(points.shape) < 0.2)
    drawn = generator.random(points.shape)
    moved = np.where(classes, np.where(again, drawn, points), moved)
    return np.clip(moved, 0.0, 1.0)

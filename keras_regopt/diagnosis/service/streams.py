"""Detectors of change in a stream of single values, by river."""

import numpy as np

# A saved state is the values since; beyond these, the older half goes.
_LONGEST = 20_000

NAMES = ("adwin", "page_hinkley")


class Stream:
    """A detector of change in the mean of a stream.

    Values are standardized by the reference, so that one setting serves every
    column. A state is the values that the detector has seen.

    Args:
        name: `"adwin"` or `"page_hinkley"`.
        center: The mean of the reference.
        scale: Its standard deviation.
    """

    def __init__(self, name, center, scale):
        self.name = name
        self.center, self.scale = center, scale
        self.found = 0
        self._begin([])

    def add(self, values):
        """Adds values; whether a change was found among them."""
        changes = sum(self._add(value) for value in np.asarray(values).tolist())
        self.found += changes
        if len(self._seen) > _LONGEST:
            self._begin(self._seen[-_LONGEST // 2 :])
        return changes > 0

    def state(self):
        """The values that the detector has seen, and how often it found."""
        return np.array(self._seen), self.found

    def restore(self, seen, found):
        """Goes back to what `state` returned."""
        self._begin(np.asarray(seen).tolist())
        self.found = int(found)

    def _add(self, value):
        if not np.isfinite(value):
            return False
        self._seen.append(value)
        self._detector.update((value - self.center) / self.scale)
        return bool(self._detector.drift_detected)

    def _begin(self, values):
        self._detector = make_detector(self.name)
        self._seen = []
        for value in values:
            self._add(value)


def make_detector(name):
    """A detector of river, at settings for standardized values.

    Raises:
        ImportError: If river is not installed.
    """
    try:
        from river import drift
    except ImportError as error:
        raise ImportError(
            "ADWIN and Page-Hinkley need river. Install it with: "
            "pip install 'keras_regopt[drift]'"
        ) from error
    if name == "adwin":
        return drift.ADWIN(delta=1e-5)
    return drift.PageHinkley(
        min_instances=100, delta=0.2, threshold=50.0, alpha=1.0
    )

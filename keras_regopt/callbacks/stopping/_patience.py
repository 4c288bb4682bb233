import time

from keras import ops

UNITS = ("epochs", "steps", "seconds")


class Clock:
    """Tells how much training lies between two looks at it.

    It is a running sum, never a time of day: what passes between two parts of
    a training does not count, what had passed when the first one was cut off
    does.

    Args:
        unit: `"epochs"`: each look is one; `"steps"` of the optimizer; or
            `"seconds"`.
    """

    def __init__(self, unit):
        self.unit = unit
        self.reading = None
        self._started = None

    def start(self, model):
        """Training begins, from a restored `reading` or from 0."""
        if self.unit == "steps" and self.reading is None:
            self.reading = _steps(model)
        self._started = time.monotonic()

    def start_epoch(self, model):
        """An epoch begins; by now a restored optimizer has its old count."""
        # One that has counted less than before is a new one.
        if self.unit == "steps":
            self.reading = min(self.reading or 0, _steps(model))

    def stop(self):
        """Training ends."""
        self.reading = self.read()
        self._started = None

    def read(self):
        """What `reading` must be to go on from here: a number or `None`.

        It is the number of steps at the last lap, or the seconds since then.
        """
        if self.unit != "seconds" or self._started is None:
            return self.reading
        passed = time.monotonic() - self._started
        return (self.reading or 0.0) + passed

    def lap(self, model):
        """What has passed since the last lap, a number."""
        if self.unit == "epochs":
            return 1
        if self.unit == "seconds":
            passed = self.read() or 0.0
            self.reading, self._started = 0.0, time.monotonic()
            return passed
        before, self.reading = self.reading or 0, _steps(model)
        return self.reading - before


def _steps(model):
    return int(ops.convert_to_numpy(model.optimizer.iterations))

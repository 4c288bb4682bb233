import threading

from keras_regopt._validate import fail
from keras_regopt.callbacks._base import Callback


class StepClock(Callback):
    """Base of callbacks that act when so many steps or epochs are over.

    A subclass has `clock_unit`, `"step"` or `"epoch"`; with steps, `steps` is
    part of its state, and it acts in `after_steps`.
    """

    clock_unit: str

    @property
    def async_safe(self):
        # Epochs need no hook after each batch, which would keep Keras waiting.
        return self.clock_unit == "epoch"

    def reset(self):
        self.steps = 0

    def after_steps(self, before, after):
        """Acts after one step, or after several that were made at once.

        Args:
            before: Number of the steps of training before those.
            after: The number after them.
        """

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self._thread = threading.get_ident()

    def on_train_batch_begin(self, batch, logs=None):
        self._first_batch = batch

    def on_train_batch_end(self, batch, logs=None):
        if self.clock_unit == "epoch":
            # This may run at any time, in several threads.
            return
        if threading.get_ident() != self._thread:
            name = type(self).__name__
            fail(
                "fit",
                "callbacks",
                f"a list where {name} is among them",
                self,
                "Keras runs a single callback during the next step.",
            )
        # With several steps at once, the last ones may be fewer.
        last = min(batch, (self.params.get("steps") or batch + 1) - 1)
        before = self.steps
        self.steps += last - self._first_batch + 1
        self.after_steps(before, self.steps)

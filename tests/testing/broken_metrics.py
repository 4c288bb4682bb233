"""Metrics that break one promise each."""

from broken import UNKNOWN_VALUES, Broken, compiled_only, only_on, register
from keras import ops
from own_classes import MeanMiss

from keras_regopt.testing import metrics


class NoNumberAtFirst(MeanMiss):
    """Divides by the number of examples, which begins with zero."""

    def result(self):
        return self.total.value / self.count.value


class GivesSeveral(MeanMiss):
    """Returns two numbers."""

    def result(self):
        return ops.stack([super().result(), ops.convert_to_tensor(self.count)])


class MeanOfMeans(MeanMiss):
    """Counts batches of any size alike."""

    def add(self, misses, weights):
        self.total.assign_add(ops.sum(misses) / ops.sum(weights))
        self.count.assign_add(1.0)


class ForgetsTheTotalAlone(MeanMiss):
    """Goes on counting after a reset."""

    def reset_state(self):
        self.total.assign(0.0)


class WeighsAlike(MeanMiss):
    """Takes no notice of weights."""

    def weights(self, ones, sample_weight):
        return ones


class OverflowsInHalf(MeanMiss):
    """Squares in the precision of the predictions."""

    def misses(self, y_true, y_pred):
        y_pred = ops.convert_to_tensor(y_pred)
        scaled = (ops.cast(y_true, y_pred.dtype) - y_pred) * 1000
        squares = ops.cast(ops.square(scaled), "float32")
        return ops.mean(squares, axis=-1) / 1e6


class CountsInPython(MeanMiss):
    """Grows with each update, which a compiled step makes only once."""

    updates = 0

    def misses(self, y_true, y_pred):
        self.updates += 1
        return super().misses(y_true, y_pred) * self.updates


class BranchesInPython(MeanMiss):
    """Chooses by a value that a compiled step does not know."""

    def misses(self, y_true, y_pred):
        misses = super().misses(y_true, y_pred)
        return misses if ops.max(misses) > 0.1 else 2 * misses


class CountsUpdates(MeanMiss):
    """Divides by the updates, of which each device makes one."""

    def add(self, misses, weights):
        super().add(misses, weights / ops.sum(weights))


@register
class ForgetsLimit(MeanMiss):
    """Comes back from a file with the default instead of its argument."""

    def get_config(self):
        config = super().get_config()
        del config["limit"]
        return config


BROKEN = {
    metrics.gives_a_single_precision_scalar: [
        Broken(NoNumberAtFirst, "the result is nan"),
        Broken(GivesSeveral, "is no scalar tensor"),
    ],
    metrics.adds_up_over_batches: [
        Broken(MeanOfMeans, "in two batches, the result is"),
    ],
    metrics.forgets_on_reset: [
        Broken(ForgetsTheTotalAlone, "once more, the result is"),
    ],
    metrics.counts_examples_by_their_weight: [
        Broken(WeighsAlike, "by weights, the result is"),
    ],
    metrics.takes_half_precision: [
        Broken(OverflowsInHalf, "in half precision, the result is"),
    ],
    metrics.measures_alike_compiled_or_not: [
        compiled_only(CountsInPython, "the losses differ in mode"),
        compiled_only(BranchesInPython, UNKNOWN_VALUES),
    ],
    metrics.adds_up_over_devices: [
        only_on("tensorflow", CountsUpdates, "over two devices, the result is"),
    ],
    metrics.reloads: [
        Broken(ForgetsLimit, "reloaded, loss and result", {"limit": 0.1}),
    ],
}

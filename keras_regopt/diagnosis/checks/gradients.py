"""Gradients that vanish, explode or never arrive, and their noise."""

import numpy as np

from keras_regopt.diagnosis._loss_function import as_arrays
from keras_regopt.diagnosis.checks._losses import constant_loss
from keras_regopt.diagnosis.checks.base import Check, Skip

_BATCHES = 3
# Elasticities: by what part the loss changes as a weight grows by a part.
_VANISHED, _PRESENT, _HUGE = 1e-6, 1e-3, 1e3


class Gradients(Check):
    """Whether gradients reach every weight, and in what size.

    Measures, for each weight matrix, the length of the gradient times that of
    the weight over the loss of a constant. Where it is tiny in the first
    layers and not in the last, gradients vanish on the way back; where it is
    huge, they explode. A weight that no batch gives any gradient is not used.
    It looks again after a few steps, since branches may begin at zero.
    """

    name = "gradients"

    def run(self, case):
        probe = case.probe
        sizes, exact = self._measured(case)
        if exact is None:
            yield self.finding(
                "Loss or gradients are not finite.",
                "Look for NaN in the data, a division by zero or a logarithm "
                "of zero in the loss; clip gradients with `global_clipnorm`.",
                "error",
            )
            return
        unused = exact & self._after_steps(case) if exact.any() else exact
        probe.reset()
        if unused.any():
            paths = [v.path for v in probe.variables]
            told = [p for p, u in zip(paths, unused, strict=True) if u]
            yield self.finding(
                f"No gradient reaches {len(told)} of {len(paths)} trainable "
                f"weights: {', '.join(told[:6])}.",
                "Look whether the layer's output is used, for "
                "`stop_gradient`, rounding and argmax behind it, and for dead "
                "units; freeze what shall not train.",
            )
        sizes = sizes[sizes > 0]
        if len(sizes) and sizes.max() > _HUGE:
            yield self.finding(
                "Gradients explode: a change of the weights by a thousandth "
                f"changes the loss by up to {sizes.max() / 1000:.3g} times "
                "that of a constant.",
                "Begin with smaller weights (`he_normal`, `glorot_uniform`), "
                "add normalization layers or residual connections, and clip "
                "gradients.",
            )
        if len(sizes) > 2:
            third = max(len(sizes) // 3, 1)
            early, late = sizes[:third].min(), sizes[-third:].max()
            if early < _VANISHED and late > _PRESENT:
                yield self.finding(
                    "Gradients vanish on the way back: relative to its "
                    f"weights, that of the first layers is {early / late:.0e} "
                    "of that of the last.",
                    "Use ReLU or GELU in place of sigmoid and tanh, add "
                    "residual connections or normalization layers.",
                )

    def _measured(self, case):
        """Elasticities of the matrices, and which variables get none."""
        probe = case.probe
        weights = [np.linalg.norm(v) for v in as_arrays(probe.variables)]
        totals = np.zeros(len(weights))
        base = _base(case)
        for number in range(_BATCHES):
            loss, gradients = probe.gradients(probe.batch(number))
            norms = [np.linalg.norm(g.astype("float64")) for g in gradients]
            if not np.isfinite([loss, *norms]).all():
                return np.zeros(0), None
            totals += (
                np.array(norms) / (base or max(abs(loss), 1e-12)) / _BATCHES
            )
        matrices = [
            i
            for i, v in enumerate(probe.variables)
            if len(v.shape) > 1 and weights[i] > 0
        ]
        sizes = np.array([totals[i] * weights[i] for i in matrices])
        return sizes, totals == 0

    def _after_steps(self, case):
        probe = case.probe
        batches = [probe.batch(number) for number in range(_BATCHES)]
        run = probe.train_at(1.0, batches)
        if not run.finite:
            return np.zeros(len(probe.variables), bool)
        _, exact = self._measured(case)
        return np.zeros(len(probe.variables), bool) if exact is None else exact


class BatchSize(Check):
    """A hint at the batch size, by the noise scale of the gradient.

    The simple noise scale is the summed variance of the gradients of single
    rows over the squared length of the mean gradient. Batches far smaller are
    mostly noise; batches far larger gain little for their cost. It grows
    in the course of a training.
    """

    name = "batch_size"
    severity = "note"

    def run(self, case):
        probe = case.probe
        count = 8
        if case.count < count * probe.size or probe.size < 2:
            raise Skip("there are too few rows for eight batches")
        squares = 0.0
        mean = [np.zeros(v.shape) for v in probe.variables]
        for number in range(count):
            _, gradients = probe.gradients(probe.batch(number))
            flat = [g.astype("float64") for g in gradients]
            squares += sum((g**2).sum() for g in flat) / count
            for m, g in zip(mean, flat, strict=True):
                m += g / count
        whole = sum((m**2).sum() for m in mean)
        small, large = probe.size, count * probe.size
        signal = (large * whole - small * squares) / (large - small)
        noise = (squares - whole) / (1 / small - 1 / large)
        if not np.isfinite([signal, noise]).all() or noise <= 0:
            raise Skip("the gradients are too alike, or not finite")
        scale = noise / signal if signal > 0 else np.inf
        if scale > 20 * case.batch_size:
            told = (
                "more than can be measured" if scale > 1e5 else f"{scale:.0f}"
            )
            yield self.finding(
                f"The noise scale of the gradient is {told} rows, the batch "
                f"has {case.batch_size}: each step is mostly noise.",
                "Try larger batches, or a lower rate; accumulating gradients "
                "does as much.",
            )
        elif scale < case.batch_size / 20:
            yield self.finding(
                f"The noise scale of the gradient is {scale:.1f} rows, the "
                f"batch has {case.batch_size}: its rows say the same.",
                "Smaller batches take as many rows to more steps.",
            )


def _base(case):
    """The loss of a constant, or `None` where it is not known."""
    try:
        constants = constant_loss(case)
    except Skip:
        return None
    return constants and max(*constants, 1e-12)

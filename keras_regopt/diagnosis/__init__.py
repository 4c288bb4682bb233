"""Bias and variance, gaps between groups, data splits and reports."""

from keras_regopt.diagnosis._steps import Step
from keras_regopt.diagnosis.diagnose import diagnose
from keras_regopt.diagnosis.diagnosis import Diagnosis
from keras_regopt.diagnosis.fit_monitor import FitMonitor
from keras_regopt.diagnosis.gradient_check import (
    GradientCheck,
    VariableGradient,
    check_gradients,
)
from keras_regopt.diagnosis.group_gap import GroupGap
from keras_regopt.diagnosis.group_monitor import GroupMonitor
from keras_regopt.diagnosis.report import write_report
from keras_regopt.diagnosis.splitting import Part, Split, split

__all__ = [
    "Diagnosis",
    "FitMonitor",
    "GradientCheck",
    "GroupGap",
    "GroupMonitor",
    "Part",
    "Split",
    "Step",
    "VariableGradient",
    "check_gradients",
    "diagnose",
    "split",
    "write_report",
]


def __dir__():
    return __all__

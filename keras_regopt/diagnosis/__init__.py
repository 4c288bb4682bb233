"""Bias and variance, gaps between groups, data splits and reports."""

from keras_regopt.diagnosis._advice import Step
from keras_regopt.diagnosis._split_parts import Part, Split, SplitWithTrainDev
from keras_regopt.diagnosis.check_split import Leak, check_split
from keras_regopt.diagnosis.checks import (
    Check,
    CheckCase,
    CheckResult,
    Finding,
    check,
    label_issues,
)
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
from keras_regopt.diagnosis.service.monitor import Monitor
from keras_regopt.diagnosis.service.update_result import Update
from keras_regopt.diagnosis.service.updating import update
from keras_regopt.diagnosis.service.window_report import WindowReport
from keras_regopt.diagnosis.splitting import split
from keras_regopt.diagnosis.study_report import report

__all__ = [
    "Check",
    "CheckCase",
    "CheckResult",
    "Diagnosis",
    "Finding",
    "FitMonitor",
    "GradientCheck",
    "GroupGap",
    "GroupMonitor",
    "Leak",
    "Monitor",
    "Part",
    "Split",
    "SplitWithTrainDev",
    "Step",
    "Update",
    "VariableGradient",
    "WindowReport",
    "check",
    "check_gradients",
    "check_split",
    "diagnose",
    "label_issues",
    "report",
    "split",
    "update",
    "write_report",
]


def __dir__():
    return __all__

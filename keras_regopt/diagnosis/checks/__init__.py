"""Checks of a model and its data, before and after a training."""

from keras_regopt.diagnosis.checks.base import Check, Finding, Skip
from keras_regopt.diagnosis.checks.case import CheckCase
from keras_regopt.diagnosis.checks.check import CHECKS, check
from keras_regopt.diagnosis.checks.labels import label_issues
from keras_regopt.diagnosis.checks.result import CheckResult

__all__ = [
    "CHECKS",
    "Check",
    "CheckCase",
    "CheckResult",
    "Finding",
    "Skip",
    "check",
    "label_issues",
]

"""Hyperparameters that follow the gradient of the validation loss.

_places.py          which hyperparameters a model has, and where
_steps.py           a train step and a validation loss as functions of values
_hypergradients.py  three ways to the gradient by the hyperparameters
_training.py        their functions, compiled once for many trainings
_run.py             one training: the loop over data
_checks.py          checks of data and models
_record.py          what is saved, so that a killed training goes on
_comparison.py      what else would have come of the same cost
gradient_tuner.py   the public class
"""

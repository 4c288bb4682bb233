"""Callbacks that monitor metrics: the metric, its direction, its smoothing."""

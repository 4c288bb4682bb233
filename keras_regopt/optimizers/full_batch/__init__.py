"""Fits on the whole data set at once."""

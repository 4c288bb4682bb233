"""Optimizers that wrap another one and act around its step."""

"""Transformations of gradients or updates, before or after a step."""

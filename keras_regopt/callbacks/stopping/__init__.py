"""When to stop: patience and criteria."""

"""Trainings that go on after an interruption."""

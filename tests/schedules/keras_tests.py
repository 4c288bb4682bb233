"""Keras' own tests of its schedules, run against a class of ours."""

import unittest


def count_of_tests_that_make(test_case, name, monkeypatch):
    """How many tests of a test case make the class, and how many there are."""

    def broken(*arguments, **options):
        raise NotImplementedError("ours was made")

    monkeypatch.setattr(f"keras.src.optimizers.schedules.{name}", broken)
    tests = unittest.defaultTestLoader.loadTestsFromTestCase(test_case)
    outcome = unittest.TestResult()
    tests.run(outcome)
    made = [error for _, error in outcome.errors if "ours was made" in error]
    return len(made), tests.countTestCases()

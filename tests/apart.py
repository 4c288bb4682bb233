"""What the scripts share that run in a process of their own."""

import json
import os
import pathlib

ROOT = pathlib.Path(__file__).parent.parent


def environment(**variables):
    """That of this process, with this package first on the path."""
    path = f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    return {**os.environ, "PYTHONPATH": path, **variables}


def print_problems(names, problem):
    """Prints one JSON object of names and `null`, or what went wrong.

    Args:
        names: The names of the models.
        problem: Function of a name that returns `None`, or a problem in words.
    """
    problems = {}
    for name in sorted(names):
        try:
            problems[name] = problem(name)
        except Exception as error:
            problems[name] = f"{type(error).__name__}: {error}"
    print(json.dumps(problems))

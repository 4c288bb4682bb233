"""The end of a process at a write, without the end of the process."""

import os

from keras_regopt.tuning import _state


class Killed(BaseException):
    """Stands for the end of the process: no handler may catch it."""


def dies_at(monkeypatch, write):
    """Ends the process at a write of any file, before it has its name."""
    count = 0
    replace = os.replace

    def replace_or_die(*args):
        nonlocal count
        count += 1
        if count == write:
            raise Killed
        replace(*args)

    monkeypatch.setattr(_state.os, "replace", replace_or_die)
    # Only a power cut needs it, and a busy disk makes it slow.
    monkeypatch.setattr(_state.os, "fsync", lambda file: None)
    return lambda: count

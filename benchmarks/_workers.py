"""Contenders in processes of their own, one a backend, timed by turns."""

import ctypes
import gc
import importlib
import multiprocessing
import os
import pathlib
import statistics
import sys
import time
import traceback
from unittest import mock


class Workers:
    """One process for each backend; all of them stand still but one.

    Args:
        backends: Backends of Keras, or other names that `module` knows; what
            follows a space is for `module` alone.
        module: Name of the module whose `steps(backend, description, *task)`
            gives pairs (mode, function without arguments), the step to be timed
            in each mode; no two backends may use the same mode. A step that
            works in other processes too has a method `clock`, which returns
            the CPU seconds of all.

    Attributes:
        firsts: A dict: (name, mode) to the CPU seconds of the first call of
            each step that was last measured.
    """

    def __init__(self, backends, module):
        context = multiprocessing.get_context("spawn")
        self._connections = {}
        self.firsts = {}
        for number, backend in enumerate(backends):
            self._connections[backend], other = context.Pipe()
            worker = context.Process(
                target=_work, args=(other, backend, number, module), daemon=True
            )
            # The worker imports Keras and so reads its backend from here.
            own = backend.partition(" ")[0]
            with mock.patch.dict(os.environ, KERAS_BACKEND=own):
                worker.start()

    def measure(self, descriptions, *task, rounds):
        """Medians of the CPU seconds of a step.

        Args:
            descriptions: A dict: name to what describes a contender.
            *task: What `steps` of the module is called with, too.
            rounds: How often each contender has its turn.

        Returns:
            A dict: (name, mode) to seconds, `None` where the step fails.
        """
        # Made side by side, since it is not this that is measured.
        for connection in self._connections.values():
            connection.send(("make", (descriptions, task)))
        turns = []
        self.firsts = {}
        for backend, connection in self._connections.items():
            firsts = connection.recv()
            self.firsts.update(firsts)
            turns += [(backend, name) for name in firsts]
        self._turns = turns
        times = {name: [] for _, name in turns}
        for _ in range(rounds):
            for backend, name in turns:
                connection = self._connections[backend]
                connection.send(("time", name))
                times[name].append(connection.recv())
        return {
            name: None if None in taken else statistics.median(taken)
            for name, taken in times.items()
        }

    def peaks(self):
        """What a step of those that were last measured takes of memory.

        Returns:
            A dict: (name, mode) to bytes beyond what was held before the step,
            `None` where this cannot be told.
        """
        found = {}
        for backend, name in self._turns:
            connection = self._connections[backend]
            connection.send(("peak", name))
            found[name] = connection.recv()
        return found


# A turn is as long as it takes to be measured well.
SECONDS_OF_A_TURN = 0.1


def _work(connection, backend, number, module):
    if hasattr(os, "sched_setaffinity"):
        # Before the import, so that no backend makes more than one thread.
        processors = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {processors[number % len(processors)]})
    module = importlib.import_module(module)
    steps, calls = {}, {}
    while True:
        try:
            command, argument = connection.recv()
        except EOFError:
            return
        if command == "make":
            # What was made before goes first, or both would be in memory.
            steps.clear()
            gc.collect()
            steps.update(_made(module, backend, *argument))
            trials = {name: _trial(step) for name, step in steps.items()}
            calls = {name: count for name, (_, count) in trials.items()}
            connection.send(
                {name: first for name, (first, _) in trials.items()}
            )
        elif command == "peak":
            connection.send(_peak(steps[argument], calls[argument]))
        else:
            connection.send(_seconds(steps[argument], calls[argument]))


def _made(module, backend, descriptions, task):
    steps = {}
    for name, description in descriptions.items():
        try:
            for mode, step in module.steps(backend, description, *task):
                steps[name, mode] = step
        except Exception:
            # The others go on.
            traceback.print_exc()
    return steps


def _trial(step):
    """The CPU seconds of the first call, and how many calls make a turn.

    Where the step fails, these are `None` and 0.
    """
    try:
        first, once = _seconds(step, 1), _seconds(step, 1)
    except Exception:
        traceback.print_exc()
        sys.stderr.flush()
        return None, 0
    return first, max(1, round(SECONDS_OF_A_TURN / max(once, 1e-6)))


def _peak(step, calls):
    """The highest that the memory rises in a step, as Linux tells it."""
    if not calls or not sys.platform.startswith("linux"):
        return None
    gc.collect()
    # What was freed and kept would hide what the step takes.
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    before = _status("VmRSS")
    pathlib.Path("/proc/self/clear_refs").write_text("5")
    step()
    return max(_status("VmHWM") - before, 0)


def _status(name):
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise LookupError(name)


def _seconds(step, calls):
    if not calls:
        return None
    if calls > 1:
        # What the others' turns have left in the caches does not count.
        step()
    clock = getattr(step, "clock", time.process_time)
    before = clock()
    for _ in range(calls):
        step()
    return (clock() - before) / calls

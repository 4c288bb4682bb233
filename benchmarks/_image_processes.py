"""Images augmented one by one, in Python processes that share the work.

Run as a script, it is one of these processes.
"""

import os
import pathlib
import pickle
import subprocess
import sys
import time

import numpy as np


class Processes:
    """The same batch again and again, each process with its part of it.

    The images lie in the processes already, as if read there; what comes out
    is sent back.

    Args:
        count: How many processes there are.
    """

    def __init__(self, count):
        self._processes = [
            subprocess.Popen(
                [sys.executable, pathlib.Path(__file__), str(number)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            for number in range(count)
        ]
        self._seconds = [0.0] * count
        self._description = None

    def augmented(self, description):
        """A batch of what `transform_and_images` makes of a description."""
        request = None
        if description != self._description:
            request = self._description = description
        for process in self._processes:
            send(process.stdin, (len(self._processes), request))
        parts = []
        for number, process in enumerate(self._processes):
            part, self._seconds[number] = pickle.load(process.stdout)
            parts.append(part)
        return np.concatenate(parts)

    def clock(self):
        """The CPU seconds of this process and of the others together."""
        return time.process_time() + sum(self._seconds)


class Step:
    """A batch of the processes, and the clock that goes with it."""

    def __init__(self, processes, description):
        self._processes = processes
        self._description = description
        self.clock = processes.clock

    def __call__(self):
        return self._processes.augmented(self._description)


def send(pipe, message):
    pickle.dump(message, pipe, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.flush()


def work(number):
    results, sys.stdout = sys.stdout.buffer, sys.stderr
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {number % os.cpu_count()})
    from _image_contenders import one_by_one, transform_and_images

    while True:
        try:
            count, description = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        if description is not None:
            transform, images = transform_and_images(*description)
            images = images[number::count]
        part = np.stack(one_by_one(transform, images))
        send(results, (part, time.process_time()))


if __name__ == "__main__":
    work(int(sys.argv[1]))

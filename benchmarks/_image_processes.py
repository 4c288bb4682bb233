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
        *description: What `transform_and_images` takes.
    """

    def __init__(self, count, *description):
        self._processes = [
            subprocess.Popen(
                [sys.executable, pathlib.Path(__file__)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            for _ in range(count)
        ]
        self._seconds = [0.0] * count
        for number, process in enumerate(self._processes):
            send(process.stdin, (number, count, description))

    def __call__(self):
        for process in self._processes:
            send(process.stdin, "next")
        parts = []
        for number, process in enumerate(self._processes):
            part, self._seconds[number] = pickle.load(process.stdout)
            parts.append(part)
        return np.concatenate(parts)

    def clock(self):
        """The CPU seconds of this process and of the others together."""
        return time.process_time() + sum(self._seconds)

    def __del__(self):
        for process in self._processes:
            process.stdin.close()
            process.wait()


def send(pipe, message):
    pickle.dump(message, pipe, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.flush()


def work():
    results, sys.stdout = sys.stdout.buffer, sys.stderr
    number, count, description = pickle.load(sys.stdin.buffer)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {number % os.cpu_count()})
    from _image_contenders import one_by_one, transform_and_images

    transform, images = transform_and_images(*description)
    images = images[number::count]
    while True:
        try:
            pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        part = np.stack(one_by_one(transform, images))
        send(results, (part, time.process_time()))


if __name__ == "__main__":
    work()

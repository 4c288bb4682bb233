"""Kills searches with SIGKILL, starts them again, and compares their ends.

    KERAS_BACKEND=torch python tests/faults/kill_searches.py --kills 50

A search is started, killed up to four times, started again each time, and at
last left alone. What it found has to be what one found that was never killed,
to the last bit. Every process is forked from this one, which has done nothing
but import, so that a start costs no import. The last line of the output is a
JSON object.
"""

import json
import os
import random
import shutil
import signal
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, os.path.dirname(__file__))

from killed_searches import ORACLES, search
from killing import end_with, last_words, main

# A process dies at a file that is about to get its name, or at any moment.
WRITE, MOMENT = "before a file has its name", "any moment"


def run(folder, kind, death=None, after=0):
    """Runs a search in a process of its own, which may die.

    Args:
        folder: Where everything is written.
        kind: One of `ORACLES`.
        death: Where it dies, or `None`.
        after: The file, or the seconds.

    Returns:
        Whether it died, the seconds, and the number of files it has replaced.
    """
    start = time.monotonic()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _be_the_search(folder, kind, after if death == WRITE else None, writer)
    os.close(writer)
    if death == MOMENT:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reader, "rb") as pipe:
        files = len(pipe.read())
    status = os.waitpid(child, 0)[1]
    died = os.WIFSIGNALED(status)
    if (died and death is None) or (not died and status):
        raise RuntimeError(f"A search failed: {last_words(folder)}")
    return died, time.monotonic() - start, files


def _be_the_search(folder, kind, deadly, writer):
    def work():
        _count_files(deadly, writer)
        search(folder, kind)

    end_with(work, folder)


def _count_files(deadly, writer):
    """Ends this process right before the given file gets its name."""
    replace, count = os.replace, [0]

    def replace_or_die(*args):
        count[0] += 1
        if count[0] == deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        os.write(writer, b".")
        replace(*args)

    os.replace = replace_or_die


def kill_searches(kills, seed, work):
    """Kills until it was done so many times; returns the report."""
    import keras

    dice = random.Random(seed)
    kinds = sorted(ORACLES)
    expected, lasting, files = {}, {}, {}
    report = {
        "backend": keras.backend.backend(),
        "kills": 0,
        "moments": {WRITE: 0, MOMENT: 0},
        "kinds": dict.fromkeys(kinds, 0),
        "searches": 0,
        "differences": [],
    }
    while report["kills"] < kills:
        kind = kinds[report["searches"] % len(kinds)]
        if kind not in expected:
            folder = os.path.join(work, kind)
            os.makedirs(folder)
            _, lasting[kind], files[kind] = run(folder, kind)
            expected[kind] = found(folder)
        folder = os.path.join(work, f"search_{report['searches']}")
        os.makedirs(folder)
        story = []
        for _ in range(min(4, kills - report["kills"])):
            death = dice.choice([WRITE, WRITE, MOMENT])
            after = dice.uniform(0, 0.5 * lasting[kind])
            if death == WRITE:
                after = dice.randint(1, max(files[kind] // 2, 1))
            if not run(folder, kind, death, after)[0]:
                break
            story.append(f"{death} ({after:.3g})")
            report["kills"] += 1
            report["kinds"][kind] += 1
            report["moments"][death] += 1
        run(folder, kind)
        if found(folder) != expected[kind]:
            report["differences"].append([kind, story])
        report["searches"] += 1
        shutil.rmtree(folder)
        print(report["kills"], kind, story, flush=True)
    return report


def found(folder):
    with open(os.path.join(folder, "found.json")) as file:
        return json.load(file)


if __name__ == "__main__":
    main(kill_searches, __doc__.splitlines()[0])

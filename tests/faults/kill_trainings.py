"""Kills trainings with SIGKILL, starts them again, and compares their ends.

    KERAS_BACKEND=jax python tests/faults/kill_trainings.py --kills 50

A training is started, killed up to five times, started again each time, and at
last left alone. Its result has to be that of a training that was never killed.
Every process is forked from this one, which has done nothing but import, so
that a start costs no import. The last line of the output is a JSON object.
"""

import contextlib
import io
import json
import os
import random
import select
import shutil
import signal
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, os.path.dirname(__file__))

import keras
import tensorflow as tf  # noqa: F401
from guarded_training import VARIANTS, digits, train
from killing import end_with, last_words, main

from keras_regopt.callbacks.backup import _backup_directory

LIMIT_IN_SECONDS = 300
# Where in the writing of a backup a process can die.
WRITING = ("half written", "before the first rename", "between the renames")
AT_ONCE, ANY_MOMENT = "one batch after the start", "any moment"


class Hook(keras.callbacks.Callback):
    """Tells that batches are trained now, and may end the process at one."""

    def __init__(self, announce, batches=None):
        super().__init__()
        self.announce = announce
        self.batches = batches

    def on_train_batch_end(self, batch, logs=None):
        self.announce()
        if self.batches is not None:
            self.batches -= 1
            if self.batches == 0:
                die()


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def die_in_writing(stage, writes):
    """Ends this process during the given write of a backup."""
    left = [writes]

    def write_backup(file, content):
        left[0] -= 1
        if left[0] == 0 and stage == WRITING[0]:
            whole = io.BytesIO()
            original(whole, content)
            file.write(whole.getvalue()[: len(whole.getvalue()) // 2])
            file.flush()
            die()
        original(file, content)

    def replace(source, target):
        dying = left[0] <= 0 and "backup" in os.fspath(target)
        if dying and stage == WRITING[1]:
            die()
        rename(source, target)
        if dying and stage == WRITING[2]:
            die()

    original = _backup_directory.write_backup
    rename = os.replace
    _backup_directory.write_backup = write_backup
    os.replace = replace


def run(directory, variant, data, death=None, after=0):
    """Runs a training in a process of its own, which may die.

    Args:
        directory: Where everything is written.
        variant: One of `VARIANTS`.
        data: The data.
        death: Where it dies, or `None`.
        after: The write, or the seconds after the first batch.

    Returns:
        Whether it died, and the seconds that it trained.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _be_the_training(directory, variant, data, death, after, writer)
    os.close(writer)
    begun = bool(select.select([reader], [], [], LIMIT_IN_SECONDS)[0])
    start = time.monotonic()
    if not begun:
        os.kill(child, signal.SIGKILL)
    elif death == ANY_MOMENT:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    os.close(reader)
    died = os.WIFSIGNALED(status)
    if not begun or (died and death is None) or (not died and status):
        raise RuntimeError(f"A training failed: {last_words(directory)}")
    return died, time.monotonic() - start


def _be_the_training(directory, variant, data, death, after, writer):
    def announce():
        with contextlib.suppress(OSError):
            os.write(writer, b".")

    def work():
        # The parent listens once; closing the pipe wakes it up as well.
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        if death in WRITING:
            die_in_writing(death, after)
        hook = Hook(announce, batches=1 if death == AT_ONCE else None)
        train(directory, variant, data, hook)

    end_with(work, directory)


def deaths(dice, seconds):
    """Where the processes of a training die, one after the other."""
    while True:
        yield dice.choice(WRITING), dice.randint(1, 8)
        # Before the next backup is made.
        yield AT_ONCE, 0
        yield ANY_MOMENT, dice.uniform(0, 0.7 * seconds)
        yield ANY_MOMENT, dice.uniform(0, 0.7 * seconds)
        yield dice.choice(WRITING), dice.randint(1, 8)


def _keep_compiled(directory):
    """Lets JAX compile a function once for all processes."""
    import jax

    jax.config.update("jax_compilation_cache_dir", directory)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def compare(expected, directory):
    """The parts of a result that differ from what they should be."""
    with open(os.path.join(directory, "result.json")) as file:
        result = json.load(file)
    return [key for key in expected if result[key] != expected[key]]


def kill_trainings(kills, seed, work):
    """Kills until it was done so many times; returns the report."""
    dice = random.Random(seed)
    if keras.backend.backend() == "jax":
        _keep_compiled(os.path.join(work, "compiled"))
    data = digits()
    expected, seconds = {}, {}
    for variant in VARIANTS:
        directory = os.path.join(work, variant)
        os.makedirs(directory)
        _, seconds[variant] = run(directory, variant, data)
        with open(os.path.join(directory, "result.json")) as file:
            expected[variant] = json.load(file)
    report = {
        "backend": keras.backend.backend(),
        "kills": 0,
        "moments": dict.fromkeys([*WRITING, AT_ONCE, ANY_MOMENT], 0),
        "trainings": 0,
        "stopped epochs": [expected[v]["stopped_epoch"] for v in VARIANTS],
        "rates": [
            len(set(expected[v]["history"]["learning_rate"])) for v in VARIANTS
        ],
        "differences": [],
    }
    while report["kills"] < kills:
        variant = VARIANTS[report["trainings"] % len(VARIANTS)]
        directory = os.path.join(work, f"training_{report['trainings']}")
        os.makedirs(directory)
        rounds = min(-(-kills // 2), 5, kills - report["kills"])
        story = []
        for _, (death, after) in zip(
            range(rounds), deaths(dice, seconds[variant]), strict=False
        ):
            died, _ = run(directory, variant, data, death, after)
            if not died:
                break
            story.append(f"{death} ({after:.3g})")
            report["kills"] += 1
            report["moments"][death] += 1
        else:
            run(directory, variant, data)
        for part in compare(expected[variant], directory):
            report["differences"].append([variant, part, story])
        report["trainings"] += 1
        shutil.rmtree(directory)
        print(report["kills"], variant, story, flush=True)
    return report


if __name__ == "__main__":
    main(kill_trainings, __doc__.splitlines()[0])

"""What the scripts that kill processes, and their tests, have in common."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import traceback

OUTPUT = "output.txt"


def end_with(work, folder):
    """Does the work of a forked process, and ends it.

    Args:
        work: Function without arguments.
        folder: Where what is printed is kept; see `last_words`.
    """
    code = 1
    output = os.open(
        os.path.join(folder, OUTPUT), os.O_WRONLY | os.O_CREAT | os.O_APPEND
    )
    os.dup2(output, 1)
    os.dup2(output, 2)
    try:
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def last_words(folder):
    """The end of what the processes have printed."""
    with open(os.path.join(folder, OUTPUT)) as file:
        return file.read()[-3000:]


def main(kill, description):
    """Runs `kill(kills, seed, work)`, prints its report, and ends."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        report = kill(arguments.kills, arguments.seed, work)
    print(json.dumps(report))
    sys.exit(bool(report["differences"]))


def report_of(script, kills):
    """The report of a script of this folder, in a process of its own."""
    path = os.path.join(os.path.dirname(__file__), script)
    done = subprocess.run(
        [sys.executable, path, "--kills", str(kills)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])

"""Kills workers and drivers of searches with Ray, and compares their ends.

    KERAS_BACKEND=torch python tests/faults/kill_ray.py

A search in which workers die in mid-report and in mid-trial, and one of which
the driver is killed and started again, have to find what an unbroken one finds.
Searches with the schedulers of Ray have to end, with each trial counted once.
The last line of the output is a JSON object.
"""

import argparse
import glob
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

from ray_searches import DEATHS, IN_REPORT, IN_TRAINING, KINDS

HERE = os.path.dirname(os.path.abspath(__file__))
# Of each search, so that none waits for ever.
LIMIT = 500


def start(folder, kind, deaths=None):
    os.makedirs(folder, exist_ok=True)
    paths = [HERE, os.path.dirname(os.path.dirname(HERE))]
    paths += filter(None, [os.environ.get("PYTHONPATH")])
    environment = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
    }
    if deaths:
        environment[DEATHS] = deaths
    return subprocess.Popen(
        [sys.executable, os.path.join(HERE, "ray_searches.py"), folder, kind],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process, folder):
    """What a search has found, once it has ended."""
    output, _ = process.communicate(timeout=LIMIT)
    if process.returncode:
        raise RuntimeError(f"A search failed: {output[-3000:]}")
    with open(os.path.join(folder, "found.json")) as file:
        return json.load(file)


def with_dying_workers(folder, kind):
    """What a search finds whose workers die, and how many did."""
    deaths = os.path.join(folder, "deaths")
    os.makedirs(deaths)
    for name in (IN_REPORT, IN_TRAINING):
        for number in range(2):
            open(os.path.join(deaths, f"{name}_{number}"), "w").close()
    found = finish(start(folder, kind, deaths), folder)
    return found, 4 - len(os.listdir(deaths))


def with_killed_driver(folder, kind):
    """What a search finds whose driver dies, and how far it had got."""
    driver = start(folder, kind)
    reached = os.path.join(folder, "*", "*", "checkpoint_*")
    limit = time.monotonic() + LIMIT
    while len(glob.glob(reached)) < 6:
        if driver.poll() is not None or time.monotonic() > limit:
            raise RuntimeError(f"No trial began: {driver.communicate()[0]}")
        time.sleep(0.05)
    os.kill(driver.pid, signal.SIGKILL)
    driver.communicate()
    checkpoints = len(glob.glob(reached))
    return finish(start(folder, kind), folder), checkpoints


def report_of(work):
    """Runs all searches; returns the report."""
    whole = os.path.join(work, "whole")
    expected = finish(start(whole, "all"), whole)
    report = {"trials": len(expected), "differences": []}
    found, report["dead_workers"] = with_dying_workers(
        os.path.join(work, "workers"), "all"
    )
    if found != expected:
        report["differences"].append("dying workers")
    print(report, flush=True)
    found, report["checkpoints_before_death"] = with_killed_driver(
        os.path.join(work, "driver"), "all"
    )
    if found != expected:
        report["differences"].append("killed driver")
    print(report, flush=True)
    for kind in ("asha", "pbt"):
        folder = os.path.join(work, kind)
        found, dead = with_dying_workers(folder, kind)
        names = [trial["trial_id"] for trial in found]
        report[kind] = {"finished": len(names), "dead_workers": dead}
        most = KINDS[kind]["num_samples"]
        if not names or len(names) > most or len(set(names)) < len(names):
            report["differences"].append(kind)
        if kind == "pbt" and len(names) != most:
            report["differences"].append("pbt lost trials")
        print(report, flush=True)
    return report


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    with tempfile.TemporaryDirectory() as work:
        report = report_of(work)
    print(json.dumps(report))
    sys.exit(bool(report["differences"]))

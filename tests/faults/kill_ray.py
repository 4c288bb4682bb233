"""Kills workers and drivers of searches with Ray, and compares their ends.

    KERAS_BACKEND=torch python tests/faults/kill_ray.py

In each search one worker dies in mid-report and one in mid-trial, then the
driver is killed and started again. What is found without a scheduler has to be
what an unbroken search finds, to the last bit; what ASHA lets end, too. With
population-based training all trials have to end, with each epoch once. The last
line of the output is a JSON object; the exit code is 1 if anything is wrong.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

from ray_searches import DEATHS, IN_REPORT, IN_TRAINING, KINDS, REPORTS

HERE = os.path.dirname(os.path.abspath(__file__))
# Seconds of each search, so that none waits for ever.
LIMIT = 500


def start(folder, kind):
    paths = [HERE, os.path.dirname(os.path.dirname(HERE))]
    paths += filter(None, [os.environ.get("PYTHONPATH")])
    environment = {
        "RAY_USAGE_STATS_ENABLED": "0",
        # Ray would let its workers wait for all other processes.
        "RAY_worker_niceness": "0",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        DEATHS: deaths_of(folder),
    }
    os.makedirs(deaths_of(folder), exist_ok=True)
    with open(os.path.join(folder, "output.txt"), "a") as output:
        return subprocess.Popen(
            [
                sys.executable,
                os.path.join(HERE, "ray_searches.py"),
                folder,
                kind,
            ],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def deaths_of(folder):
    return os.path.join(folder, "deaths")


def finish(process, folder):
    """What a search has found, once it has ended."""
    try:
        code = process.wait(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        raise RuntimeError(f"A search waits: {output_of(folder)}") from None
    if code:
        raise RuntimeError(f"A search failed: {output_of(folder)}")
    with open(os.path.join(folder, "found.json")) as file:
        return json.load(file)


def output_of(folder):
    with open(os.path.join(folder, "output.txt")) as file:
        return file.read()[-3000:]


def reports_of(folder):
    """The trials that have reported, the epochs, and whether they ended."""
    path = os.path.join(deaths_of(folder), REPORTS)
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return [tuple(line.split()) for line in file]


def broken_search(folder, kind):
    """What a search finds of which two workers and the driver die.

    Args:
        folder: Where everything is written.
        kind: One of `KINDS`.

    Returns:
        The results, and a dict of what was seen.
    """
    os.makedirs(deaths_of(folder))
    for name in (IN_REPORT, IN_TRAINING):
        open(os.path.join(deaths_of(folder), f"{name}_0"), "w").close()
    driver = start(folder, kind)
    limit = time.monotonic() + LIMIT
    while not _is_in_the_middle(folder):
        if driver.poll() is not None or time.monotonic() > limit:
            driver.kill()
            raise RuntimeError(f"No driver to kill: {output_of(folder)}")
        time.sleep(0.02)
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    before = reports_of(folder)
    found = finish(start(folder, kind), folder)
    reports = reports_of(folder)
    return found, {
        "finished": len(found),
        "begun": len({trial for trial, *_ in reports}),
        "ended_before_the_driver_died": _ended(before),
        "ended": _ended(reports),
        "epochs": len(set(reports)),
        "epochs_reported_again": len(reports) - len(set(reports)),
    }


def _is_in_the_middle(folder):
    """Whether the workers have died, and another trial has gone on."""
    if os.listdir(deaths_of(folder)) != [REPORTS]:
        return False
    reports = reports_of(folder)
    return _ended(reports) > 0 and reports[-1][2] == "0"


def _ended(reports):
    return len({trial for trial, _, ends in reports if ends == "1"})


def wrong(kind, found, expected, seen):
    """What is wrong with a search, as a list of strings."""
    names = [trial["trial_id"] for trial in found]
    number = KINDS[kind]["num_samples"]
    faults = []
    if len(set(names)) < len(names):
        faults.append(f"a trial counts twice: {names}")
    if seen["begun"] != number:
        faults.append(f"{seen['begun']} trials began, and not {number}")
    if kind != "asha" and len(names) != number:
        faults.append(f"{len(names)} trials finished, and not {number}")
    if kind == "asha" and not names:
        faults.append("no trial finished")
    if kind == "pbt":
        epochs = list(range(1, 1 + KINDS[kind]["epochs"]))
        paths = [trial["path"] for trial in found]
        if any([at["epoch"] for at in path] != epochs for path in paths):
            faults.append(f"a path with other epochs: {paths}")
        if all(_is_constant(path) for path in paths):
            faults.append("no trial was changed in training")
    else:
        unbroken = {trial["trial_id"]: trial for trial in expected}
        faults += [
            f"trial {trial['trial_id']} differs from the unbroken one"
            for trial in found
            if trial != unbroken[trial["trial_id"]]
        ]
    return faults


def _is_constant(path):
    values = [{**at, "epoch": 0} for at in path]
    return all(value == values[0] for value in values)


def report_of(work, kinds):
    """Runs the searches; returns the report."""
    report = {"faults": []}
    begin = time.monotonic()
    whole = os.path.join(work, "whole")
    expected = None
    if {"all", "asha"} & set(kinds):
        expected = finish(start(whole, "all"), whole)
        seconds = round(time.monotonic() - begin)
        print({"whole": len(expected), "seconds": seconds}, flush=True)
    for kind in kinds:
        begin = time.monotonic()
        found, seen = broken_search(os.path.join(work, kind), kind)
        report[kind] = seen
        faults = wrong(kind, found, expected, seen)
        report["faults"] += [f"{kind}: {fault}" for fault in faults]
        seen = {**seen, "seconds": round(time.monotonic() - begin)}
        print({kind: seen, "faults": faults}, flush=True)
    return report


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "kinds", nargs="*", help=f"some of {sorted(KINDS)}; all by default"
    )
    kinds = parser.parse_args().kinds or list(KINDS)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work:
        report = report_of(work, kinds)
    print(json.dumps(report))
    sys.exit(bool(report["faults"]))

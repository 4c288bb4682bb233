"""Augmentation of waveforms: ours against audiomentations.

All contenders take turns, one thread each: ours in one process for each
backend, on batches, audiomentations in another, on single clips. CPU seconds,
medians. The ratios hold although absolute figures differ from machine to
machine. Without audiomentations, ours alone.
"""

import argparse
import os
import pathlib

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from _audio_contenders import BACKENDS, FLOOR, OURS, PEER, missing
from _pages import filled, table, versions
from _workers import Workers

REMARK = """
    `Resample` takes about as long for 5 s as for 1 s, most of it to begin with:
    on long clips its filters in the time domain are faster than the spectra of
    `RandomSpeed`."""
PAGE = pathlib.Path(__file__).parents[1] / "docs/benchmarks/audio.md"
MODES = ("tf.data", "JAX jit", "torch eager")
NAMES = (FLOOR, *OURS)
WHAT = {
    FLOOR: "the windows, spectra and sum of a vocoder, and nothing else",
    "stretch": "`RandomTimeStretch` against `TimeStretch` (signalsmith)",
    "pitch": "`RandomPitchShift` against `PitchShift` (signalsmith)",
    "speed": "`RandomSpeed` against `Resample` (soxr), at the same ratios",
    "noise": "`RandomNoise` against `AddGaussianSNR`",
    "chain": "pitch, stretch, low-pass, gain and noise in a `Compose`",
}


def main():
    arguments = parsed_arguments()
    reason = missing()
    if reason:
        print(f"Without a peer: {reason}", flush=True)
    workers = [*BACKENDS] if reason else [*BACKENDS, PEER]
    workers = Workers(workers, "_audio_contenders")
    rows = []
    for seconds in arguments.seconds:
        for name in arguments.only:
            times = workers.measure(
                {name: name}, seconds, arguments.batch, rounds=arguments.rounds
            )
            rows.append(row(name, seconds, times, workers.firsts, arguments))
            print(*rows[-1], sep=" | ", flush=True)
    if arguments.write:
        PAGE.write_text(page(rows, arguments))


def parsed_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--only", nargs="+", choices=NAMES, default=NAMES)
    add("--seconds", nargs="+", type=float, default=(1.0, 5.0))
    add("--batch", type=int, default=16)
    add("--rounds", type=int, default=5)
    add("--write", action="store_true", help=f"write {PAGE.name}")
    return parser.parse_args()


def row(name, seconds, times, firsts, arguments):
    """The cells of one comparison: clips a second, ratios, first calls."""
    found = [times.get((name, mode)) for mode in (*MODES, PEER)]
    speeds = [arguments.batch / t if t else None for t in found]
    *ours, peer = speeds
    ratios = [s / peer if s and peer else None for s in ours]
    first = [firsts.get((name, mode)) for mode in MODES]
    cells = [f"{s:,.0f}" if s else "" for s in speeds]
    cells += [f"{r:.1f}" if r else "" for r in ratios]
    cells += [f"{f:.1f}" if f else "" for f in first]
    return [name, f"{seconds:g} s", *cells]


def page(rows, arguments):
    head = ["", "clips of", *MODES, PEER]
    head += [f"{mode}: ratio" for mode in MODES]
    head += [f"{mode}: first call, s" for mode in MODES]
    kinds = "\n".join(f"- {name}: {what}" for name, what in WHAT.items())
    introduction = f"""
        `make bench-audio`. Clips augmented in a second of CPU time, medians of
        {arguments.rounds} turns, batches of {arguments.batch} at 16 kHz; all
        contenders take turns in one run, one thread each, ours in one process
        for each backend. audiomentations works on single clips. A ratio above
        1 says that ours is faster. The last columns are the CPU seconds of the
        first call, with what is compiled for it; the very first call of a
        process imports parts of the backend, too."""
    names = ["keras", "tensorflow", "jax", "torch"]
    if not missing():
        names.append(PEER)
    parts = [
        "# Waveforms",
        filled(introduction),
        kinds,
        table(head, rows),
        filled(REMARK),
        filled(f"{versions(*names)}."),
    ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main()

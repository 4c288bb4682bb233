"""Draws all ratios of docs/benchmarks in one picture, and lists losses."""

import pathlib

import matplotlib.pyplot as plt
import numpy as np
import ratios


def draw(directory):
    """Writes the picture and the list of losses into a directory.

    Args:
        directory: Where to write; it is made if it is not there.
    """
    directory = pathlib.Path(directory)
    directory.mkdir(exist_ok=True)
    found = ratios.ratios()
    figure = overview(found)
    figure.savefig(directory / "benchmarks.svg")
    plt.close(figure)
    share = f"Of {len(found)} comparisons, {len(ratios.lost(found))} are lost"
    limit = f"by more than {100 * (1 - ratios.EQUAL):.0f} %."
    text = f"{share} {limit}\n\n{ratios.table_of_losses(found)}"
    (directory / "losses.txt").write_text(text)


def overview(found):
    """A line of dots for each peer: right of 1 is faster."""
    peers = list(dict.fromkeys(ratio.peer for ratio in found))
    figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
    random = np.random.default_rng(0)
    for place, peer in enumerate(peers):
        values = np.array([r.faster for r in found if r.peer == peer])
        heights = place + random.uniform(-0.25, 0.25, len(values))
        colors = np.where(values < ratios.EQUAL, "C3", "C0")
        ax.scatter(values, heights, 12, colors, alpha=0.7, linewidths=0)
        ax.plot([np.median(values)] * 2, [place - 0.35, place + 0.35], "k")
    ax.axvline(1, color="0.6", ls="--")
    labels = [f"{p} ({sum(r.peer == p for r in found)})" for p in peers]
    ax.set_yticks(range(len(peers)), labels)
    ax.invert_yaxis()
    ax.set(xscale="log", xlabel="times as fast as the peer")
    ax.spines[["top", "right"]].set_visible(False)
    return figure

"""The results of bench_study.py: lines of JSON, and differences of them.

A line is a technique on one size of training set, over some of the seeds.
"""

import fcntl
import json
import math
import statistics

import numpy as np
from scipy.stats import t

BASELINE = "Keras Adam"
SAMPLES = 10_000
# What has diverged; also the highest loss that counts.
WORST = 1e3
# Of accuracies on the dev set, what is no difference.
CLOSE = 0.005


def read(path):
    """All lines of a file, none where there is no file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def append(path, line):
    """Adds a line, whoever else adds one at the same time."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(json.dumps(line) + "\n")


class Result:
    """A technique on one size: the lines of all its seeds together.

    Attributes:
        accuracies: A dict: seed to accuracy on the test images, in percent.
        losses: A dict: seed to loss on the test images.
        ways: A dict: seed to accuracies on the way.
        step: CPU seconds of a training, the median over the seeds.
        cpu: All CPU seconds, the tuning and the compilations included.
    """

    def __init__(self, lines):
        first = lines[0]
        self.name, self.kind = first["name"], first["kind"]
        self.strength, self.strengths = first["strength"], first["strengths"]
        self.accuracies, self.losses, self.ways = {}, {}, {}
        seconds = []
        for line in lines:
            # Where two processes measured one seed, the first of them counts.
            for index, seed in enumerate(line["seeds"]):
                if seed in self.accuracies:
                    continue
                self.accuracies[seed] = 100 * line["accuracies"][index]
                self.losses[seed] = finite(line["losses"][index])
                self.ways[seed] = line["ways"][index]
                seconds.append(line["seconds"][index])
        self.step = statistics.median(seconds)
        self.cpu = sum(line["cpu"] for line in lines)

    @property
    def seeds(self):
        return sorted(self.accuracies)

    @property
    def accuracy(self):
        return statistics.mean(self.accuracies.values())

    @property
    def loss(self):
        return statistics.mean(self.losses.values())

    @property
    def way(self):
        """The mean accuracy at each point of the way, in percent."""
        return 100 * np.mean(list(self.ways.values()), axis=0)

    @property
    def at_an_end(self):
        """Whether the strength chosen is the first or last that was tried."""
        return self.strength in (self.strengths[0], self.strengths[-1])


def finite(loss):
    """A loss that can be averaged; `None` stands for what has diverged."""
    if loss is None or not math.isfinite(loss):
        return WORST
    return min(loss, WORST)


def best(trials):
    """Index of the trial that wins: a list of outcomes for each trial.

    Of those whose mean accuracy is within half a point of the highest, which
    the dev images cannot tell apart, the one with the lowest loss.
    """
    accuracies = [np.mean([one.accuracy for one in trial]) for trial in trials]
    losses = [np.mean([finite(one.loss) for one in trial]) for trial in trials]
    near = max(accuracies) - CLOSE
    return min(
        (index for index, a in enumerate(accuracies) if a >= near),
        key=losses.__getitem__,
    )


def results(lines, size):
    """A dict from name to `Result`."""
    found = {}
    for line in lines:
        if line["size"] == size:
            found.setdefault(line["name"], []).append(line)
    return {name: Result(group) for name, group in found.items()}


def differences(result, baseline, what="accuracies"):
    """Of each seed that both have, what it has more than the baseline."""
    ours, theirs = getattr(result, what), getattr(baseline, what)
    seeds = [seed for seed in result.seeds if seed in theirs]
    return np.array([ours[seed] - theirs[seed] for seed in seeds])


def interval(values, level=0.95):
    """Bootstrap interval of a mean, of few values.

    The percentiles of the plain bootstrap make intervals that are too short
    for few values; these are moved outwards by as much as Student's t is wider
    than the normal distribution, and the variance of a sample smaller than
    that of what it was drawn from (Hesterberg 2015, arXiv 1411.5279).
    """
    count = len(values)
    quantile = t.ppf((1 + level) / 2, count - 1)
    outside = statistics.NormalDist().cdf(
        -math.sqrt(count / (count - 1)) * quantile
    )
    random = np.random.default_rng(0)
    means = random.choice(values, (SAMPLES, count)).mean(1)
    return tuple(np.quantile(means, (outside, 1 - outside)))


def verdict(values):
    """1 if the interval is above zero, -1 if it is below, else 0."""
    low, high = interval(values)
    return int(low > 0) - int(high < 0)


def share_of_steps(result, baseline):
    """The part of the steps after which the baseline's end is reached.

    The end is the mean accuracy that the baseline has after its last step on
    the images that are looked at on the way.

    Returns:
        A number in (0, 1], or `None` if it is not reached.
    """
    way, target = result.way, baseline.way[-1]
    reached = np.flatnonzero(way >= target - 1e-9)
    return (reached[0] + 1) / len(way) if len(reached) else None


def close_ones(found, best=15):
    """Names of what more seeds are to tell apart.

    These are the best and what cannot be told from the baseline.
    """
    order = sorted(found, key=lambda name: -found[name].accuracy)
    baseline = found[BASELINE]
    return [
        name
        for index, name in enumerate(order)
        if name == BASELINE
        or index < best
        or not verdict(differences(found[name], baseline))
    ]

"""Reads off the benchmarks' tables what was measured of one object."""

import dataclasses
import pathlib
import re

BENCHMARKS = pathlib.Path(__file__).parent.parent / "benchmarks"
NOTHING = "Not measured yet."
# Standard errors from which on a difference counts.
ERRORS = 2
HOW_TO_READ = (
    "Mean and standard error over the seeds; two standard errors count as a "
    "difference, or an interval where the page has one. Small data and small "
    "networks: read the page before you conclude."
)

# What stands in a table for an object of another name.
OTHER_NAMES = {
    "shifts and rotations": "RandomAffine",
    "shifts, rotations and flips": "RandomAffine",
    "flips and shifts": "RandomAffine",
    "flips both ways and shifts": "RandomAffine",
    "flip + rotation + zoom + translation": "RandomAffine",
    "horizontal flip": "RandomAffine",
    "brightness + contrast + saturation + hue": "RandomColor",
    "brightness": "RandomColor",
    "RandAugment, 2 operations": "RandAugment",
    "erasing, constant": "RandomErasing",
    "random deletion": "RandomWordDeletion",
    "random swap": "RandomWordSwap",
    "typos": "CharacterTypos",
    "punctuation (AEDA)": "PunctuationInsertion",
    "synonyms": "WordSynonyms",
    "synonyms of one part of speech": "WordSynonyms",
    "random insertion": "RandomWordInsertion",
    "EDA": "EasyDataAugmentation",
    "stretch": "RandomTimeStretch",
    "pitch": "RandomPitchShift",
    "speed": "RandomSpeed",
    "noise": "RandomNoise",
    "chain": "Compose",
    "ours": "BayesianOracle",
    "ours, random": "RandomOracle",
}
# Keras' class of the name does the same, but for its speed.
SAME_AS_KERAS = ("Dropout", "SpatialDropout1D", "SpatialDropout2D")


@dataclasses.dataclass
class Row:
    """One row of one table: the heading above it, and its cells by column."""

    heading: str
    cells: dict

    @property
    def name(self):
        """The first cell, without backticks."""
        return next(iter(self.cells.values())).strip("`")


def rows(page):
    """All rows of the tables of a page of docs/benchmarks."""
    heading, columns, found = "", None, []
    for line in (BENCHMARKS / f"{page}.md").read_text().splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        if not line.startswith("|"):
            columns = None
            continue
        cells = [cell.strip() for cell in line.strip("|\n").split("|")]
        if columns is None:
            columns = cells
        elif set(cells[0]) != {"-"}:
            found.append(Row(heading, dict(zip(columns, cells, strict=True))))
    return found


def is_of(name, row):
    """Whether a row is about the object with this name."""
    shown = row.name
    if shown in OTHER_NAMES:
        return OTHER_NAMES[shown] == name
    if shown.startswith("Keras "):
        return name in SAME_AS_KERAS and shown == f"Keras {name}"
    if inner := re.match(r"Transformed\(\w+, (\w+)\)", shown):
        return inner[1] == name
    return re.match(r"\w*", shown)[0] == name


def gain(name):
    """Where it helped, where it hurt, and where neither can be said."""
    found = {"Helped": [], "Hurt": [], "No clear difference": []}
    for page, unit, better, against in GAINS:
        for row in rows(page):
            difference = row.cells.get(against, "")
            if not difference or not is_of(name, row):
                continue
            text = f"{row.heading}, {row.name}: "
            if " ± " in difference:
                text += unit.format(difference)
                value, error = map(float, difference.split(" ± "))
                verdict = verdict_of(value * better, error)
                if between := row.cells.get("interval"):
                    # Of few seeds, wider than two standard errors.
                    verdict = verdict_within(between)
            else:
                # Instead of a number the table says what went wrong.
                text, verdict = text + difference, "Hurt"
            found[verdict].append((page, text))
    for row in rows("text"):
        if "films, 200" in row.cells and is_of(name, row):
            for data, cell in list(row.cells.items())[1:]:
                value, twice = re.search(r", (.*) \(±(.*)\)", cell).groups()
                verdict = verdict_of(float(value), float(twice) / 2)
                text = (
                    f"{data} sentences, {row.name}: accuracy {value} ± "
                    f"{float(twice) / 2:.2f} points, against as many steps"
                )
                found[verdict].append(("text", text))
    return {verdict: lines for verdict, lines in found.items() if lines}


def verdict_of(better_by, error):
    """A heading: by two standard errors or more, a difference is clear."""
    if abs(better_by) < ERRORS * error or not better_by:
        return "No clear difference"
    return "Helped" if better_by > 0 else "Hurt"


def verdict_within(interval):
    """A heading, from an interval of what is better above zero."""
    low, high = map(float, interval.split(" to "))
    if low <= 0 <= high:
        return "No clear difference"
    return "Helped" if low > 0 else "Hurt"


# Page, what is compared, the sign of what is better, and the column.
GAINS = (
    ("augmentation_gain", "accuracy {} points", 1, "against none"),
    ("regularization_gain", "test loss {}", -1, "against none"),
    (
        "optimizer_quality",
        "test loss {} against Keras Adam",
        -1,
        "against Keras Adam",
    ),
    (
        "study",
        "accuracy on MNIST {} points, against Adam without it",
        1,
        "against Keras Adam",
    ),
)


def few_seeds(name):
    """What one to three seeds gave, which is no verdict."""
    return [
        (
            "speech",
            f"{row.cells['seeds']} seeds, too few to tell: other voices "
            f"{row.cells['against none, seed by seed']} points against none",
        )
        for row in rows("speech")
        if is_of(name, row) and row.name != "none"
    ]


def cost(name):
    """What it costs of time, as ratios to a peer or to a step without it."""
    found = []
    for row in rows("regularization_cost"):
        if name in SAME_AS_KERAS:
            # Only its gain is the same.
            break
        if row.heading != "Targets" and is_of(name, row):
            ratios = [
                float(cell.split(" ")[0])
                for cell in list(row.cells.values())[1:]
                if " (" in cell
            ]
            text = (
                f"{row.heading}, a train step takes {min(ratios):g} to "
                f"{max(ratios):g} times that without it"
            )
            found.append(("regularization_cost", text))
    found += optimizer_cost(name)
    for row in rows("images"):
        ratios = {
            peer: row.cells.get(column)
            for peer, column in IMAGE_PEERS.items()
            if row.cells.get(column)
        }
        if ratios and is_of(name, row) and row.cells.get("dtype") != "float32":
            size = row.cells.get("size", "224")
            shown = " and ".join(f"{r} times {p}" for p, r in ratios.items())
            found.append(("images", f"{row.name}, {size} pixels: {shown}"))
    found += [
        (
            "audio",
            f"{row.name}, clips of {row.cells['clips of']}, tf.data: "
            f"{row.cells['tf.data: ratio']} times the clips of audiomentations",
        )
        for row in rows("audio")
        if is_of(name, row) and row.cells["tf.data: ratio"]
    ]
    found += [
        (
            "text_speed",
            f"{row.heading}, tf.data: {row.cells['tf.data']} times the texts",
        )
        for row in rows("text_speed")
        if is_of(name, row)
    ]
    return found


IMAGE_PEERS = {
    "the images of Keras": "to Keras",
    "those of albumentations": "to albumentations",
}


def optimizer_cost(name):
    """Times of the step that bears the very name, one line for all modes."""
    ratios = [
        f"{row.cells['one 4M'].split(' ')[0]} ({row.cells['on']})"
        for row in rows("optimizers")
        if row.heading == "Against Keras"
        and row.name == name
        and row.cells["one 4M"]
    ]
    if not ratios:
        return []
    text = "time of a step as a multiple of Keras': " + ", ".join(ratios)
    return [("optimizers", text)]


def search(name):
    """How near to the optimum a search came, the median of its seeds."""
    return [
        (
            "tuning",
            f"{row.heading}, 50 trials: {row.cells['median']} above the best",
        )
        for row in rows("tuning")
        if is_of(name, row)
    ]


def measured(name):
    """Pairs of a heading and its lines, each a pair of page and text."""
    found = gain(name)
    if lines := few_seeds(name):
        found["Undecided"] = lines
    if lines := search(name):
        found["Search"] = lines
    if lines := cost(name):
        found["Cost"] = lines
    return found

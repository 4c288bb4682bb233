"""How many times faster than its peer each is, by the benchmarks' tables."""

import dataclasses

from measured import rows

# Below this it has lost: a run repeats itself to a few percent only.
EQUAL = 0.95


@dataclasses.dataclass
class Ratio:
    """One comparison.

    Attributes:
        page: The page of docs/benchmarks.
        peer: The peer, in words.
        what: What was compared.
        where: How, such as the backend.
        faster: How many times faster than the peer; below 1 it is slower.
    """

    page: str
    peer: str
    what: str
    where: str
    faster: float


def ratios():
    """All comparisons of speed with a peer, in the order of the pages."""
    return [*images(), *sounds(), *texts(), *optimizers(), *trainings()]


def images():
    """Image layers in `tf.data` against Keras and albumentations."""
    found = []
    for peer, column in (
        ("Keras' image layers", "to Keras"),
        ("albumentations", "to albumentations"),
    ):
        for row in rows("images"):
            if row.cells.get(column):
                size = row.cells.get("size", "224")
                dtype = row.cells.get("dtype", "uint8")
                where = f"tf.data, {size} pixels, {dtype}"
                faster = float(row.cells[column])
                found.append(Ratio("images", peer, row.name, where, faster))
    return found


def sounds():
    """Waveforms against audiomentations."""
    found = []
    for row in rows("audio"):
        for column, cell in row.cells.items():
            if column.endswith(": ratio") and cell:
                mode = column.removesuffix(": ratio")
                where = f"{mode}, clips of {row.cells['clips of']}"
                ratio = Ratio(
                    "audio", "audiomentations", row.name, where, float(cell)
                )
                found.append(ratio)
    return found


def texts():
    """Token ids against a loop and nlpaug, and strings against nlpaug."""
    found = []
    for row in rows("text_speed"):
        peer = "a plain loop" if "plain loop" in row.heading else "nlpaug"
        for column, cell in list(row.cells.items())[1:]:
            faster = float(cell)
            found.append(Ratio("text_speed", peer, row.name, column, faster))
    for row in rows("text"):
        if "ratio" in row.cells:
            faster = float(row.cells["ratio"])
            found.append(
                Ratio("text", "nlpaug", row.name, "strings, tf.data", faster)
            )
    return found


def optimizers():
    """Steps of optimizers against Keras' class, or a plain one on its base."""
    found = []
    for row in rows("optimizers"):
        if row.heading != "Against Keras":
            continue
        for column, cell in list(row.cells.items())[2:]:
            if cell and cell[0].isdigit():
                where = f"{row.cells['on']}, {column}"
                faster = 1 / float(cell.split(" ")[0])
                found.append(
                    Ratio("optimizers", "Keras' steps", row.name, where, faster)
                )
    return found


def trainings():
    """Whole trainings against Keras: an epoch, and the first step."""
    found = []
    for row in rows("fit"):
        if not row.heading.startswith("CPU time of"):
            continue
        kind = "epoch" if "epoch" in row.heading else "first step"
        for column, cell in list(row.cells.items())[1:]:
            where, faster = f"{kind}, {column}", 1 / float(cell)
            found.append(Ratio("fit", "Keras' fit", row.name, where, faster))
    return found


def lost(found):
    """Those that are slower than their peer, the slowest first."""
    slower = [ratio for ratio in found if ratio.faster < EQUAL]
    return sorted(slower, key=lambda ratio: ratio.faster)


def table_of_losses(found):
    """A table in Markdown of what is slower than its peer."""
    lines = [
        "| what | how | peer | times as fast |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| {named(r.what)} | {r.where} | [{r.peer}]({r.page}.md) "
        f"| {r.faster:.2g} |"
        for r in lost(found)
    ]
    return "\n".join(lines) + "\n"


def named(what):
    """A name as code, so that it is a link; words as they are."""
    return f"`{what}`" if what[0].isupper() and " " not in what else what

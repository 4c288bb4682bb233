"""What the benchmarks share to write their pages in Markdown."""

import importlib.metadata
import textwrap


def filled(text):
    """Paragraphs in lines of equal length."""
    paragraphs = textwrap.dedent(text).strip().split("\n\n")
    return "\n\n".join(
        textwrap.fill(p, 80, break_on_hyphens=False) for p in paragraphs
    )


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def versions(*names):
    return ", ".join(f"{n} {importlib.metadata.version(n)}" for n in names)

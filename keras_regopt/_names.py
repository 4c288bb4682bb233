"""Names as people write them: with another case, or a letter off."""

import difflib


def plain(name):
    """A name without what people write one way or the other."""
    return name.replace("_", "").replace("-", "").lower()


def near(name, names):
    """The names that were probably meant, the nearest first.

    Args:
        name: What came.
        names: What there is.

    Returns:
        A list of at most three of the names.
    """
    known = {plain(n): n for n in names}
    found = difflib.get_close_matches(plain(name), known, n=3, cutoff=0.75)
    return [known[n] for n in found]


def did_you_mean(name, names):
    """The question of an error, or nothing where no name is near.

    Args:
        name: What came.
        names: What there is.

    Returns:
        A string.
    """
    found = [f"`{n}`" for n in near(name, names)]
    return f"Did you mean {' or '.join(found)}?" if found else ""

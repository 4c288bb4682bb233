"""Names as people write them: with another case, or a letter off."""

import difflib


def plain(name):
    """A name without case, underscores and hyphens."""
    return name.replace("_", "").replace("-", "").lower()


def near(name, names):
    """The names that were probably meant, the nearest first.

    Args:
        name: The name that was given.
        names: The names that exist.

    Returns:
        A list of at most three of the names.
    """
    known = {plain(n): n for n in names}
    wanted = plain(name)
    found = difflib.get_close_matches(wanted, known, n=3, cutoff=0.75)
    if not found and len(wanted) > 2:
        # Cut short, as `acc`.
        found = [n for n in known if n.startswith(wanted)][:3]
    return [known[n] for n in found]


def did_you_mean(name, names, mark="`"):
    """The question of an error, or nothing where no name is near.

    Args:
        name: The name that was given.
        names: The names that exist.
        mark: The quotes around a name, those of arguments or of strings.

    Returns:
        A string.
    """
    found = [f"{mark}{n}{mark}" for n in near(name, names)]
    return f"Did you mean {' or '.join(found)}?" if found else ""

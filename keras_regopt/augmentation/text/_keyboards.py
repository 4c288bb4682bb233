"""Which characters are neighbours on a keyboard, or look alike in print."""

# From the top, each row half a key to the right of the one above.
ROWS = {
    "qwerty": ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm"),
    "qwertz": ("1234567890ß", "qwertzuiopü", "asdfghjklöä", "yxcvbnm"),
    "azerty": ("1234567890", "azertyuiop", "qsdfghjklm", "wxcvbn"),
}

# Each with what a scanner may read in its place.
ALIKE = {
    "0": ["O", "o"],
    "1": ["l", "I"],
    "2": ["Z"],
    "5": ["S"],
    "6": ["b"],
    "8": ["B"],
    "9": ["g"],
    "B": ["8"],
    "D": ["O"],
    "I": ["l", "1"],
    "O": ["0"],
    "S": ["5"],
    "Z": ["2"],
    "b": ["6", "h"],
    "c": ["e"],
    "d": ["cl"],
    "e": ["c"],
    "g": ["9", "q"],
    "h": ["b"],
    "i": ["l"],
    "l": ["1", "I", "i"],
    "m": ["rn"],
    "n": ["u"],
    "o": ["0"],
    "q": ["g"],
    "u": ["n"],
    "w": ["vv"],
    "z": ["2"],
}


def neighbours(name):
    """A dict of the characters of a keyboard and lists of their neighbours."""
    rows = ROWS[name]
    # A key touches two above it and two below.
    places = {
        key: (row, place)
        for row, keys in enumerate(rows)
        for place, key in enumerate(keys)
    }
    return {
        key: [
            other
            for other, (r, p) in places.items()
            if (r, p) != (row, place)
            and (p - place)
            in {row: (-1, 1), row - 1: (0, 1), row + 1: (-1, 0)}.get(r, ())
        ]
        for key, (row, place) in places.items()
    }

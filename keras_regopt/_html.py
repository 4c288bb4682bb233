"""Tables for notebooks."""

from html import escape


def table(header, rows):
    """A table in HTML.

    Args:
        header: List of the names of the columns.
        rows: List of lists of what they hold.

    Returns:
        A string.
    """
    lines = [_row("th", header), *(_row("td", row) for row in rows)]
    return f"<table>{''.join(lines)}</table>"


def _row(tag, cells):
    shown = (f"<{tag}>{escape(str(cell))}</{tag}>" for cell in cells)
    return f"<tr>{''.join(shown)}</tr>"

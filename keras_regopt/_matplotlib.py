"""Matplotlib, which only plots need."""


def require_matplotlib():
    """Refuses early, and with the remedy, where Matplotlib is missing.

    Raises:
        ImportError: If Matplotlib is not installed.
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "Figures need Matplotlib. Install it with: "
            "pip install 'keras_regopt[plot]'"
        ) from error

"""What a layer has said already, to say it once.

It is kept outside of the layers, so that these can be copied and saved.
"""

import threading
import warnings
import weakref

_settled = weakref.WeakKeyDictionary()

_lock = threading.Lock()


def warn_once(layer, cause, message):
    """Warns, but of each cause once for a layer.

    Args:
        layer: The layer that warns.
        cause: A string that tells this warning from others of the layer.
        message: The text.
    """
    if settle(layer, cause):
        warnings.warn(message, stacklevel=3)


def settle(layer, cause):
    """Marks that nothing more is to be said; whether it was not before."""
    with _lock:
        causes = _settled.setdefault(layer, set())
        is_new = cause not in causes
        causes.add(cause)
    return is_new


def is_settled(layer, cause):
    """Whether nothing more is to be said."""
    return cause in _settled.get(layer, ())

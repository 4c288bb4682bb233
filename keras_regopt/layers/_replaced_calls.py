"""Temporarily replaced `call` methods of layers, in one thread."""

import contextlib
import threading

# In this thread: the replacement of `call`, by the identity of a layer.
_present = threading.local()
# How many threads have replaced the `call` of a layer, by its identity.
_users: dict[int, int] = {}
_lock = threading.Lock()


class _PerThread:
    """A layer's `call`, which may be replaced in each thread by itself."""

    def __init__(self, layer):
        self.key = id(layer)
        self.usual = layer.call
        # A `call` that the layer had of its own, besides that of its class.
        self.own = vars(layer).get("call")

    def __call__(self, *arguments, **options):
        changed = getattr(_present, "calls", {}).get(self.key)
        return (changed or self.usual)(*arguments, **options)


@contextlib.contextmanager
def replaced_calls(layers, change):
    """Changes what layers do when this thread calls them, while a `with` lasts.

    Other threads, which may serve the same model or be replicas that take
    over in the middle, call the layers as they are.

    Args:
        layers: List of layers.
        change: Function of a layer's `call` and the index of the layer in the
            list, which returns what is called instead.
    """
    before = getattr(_present, "calls", {})
    now = dict(before)
    entered = []
    try:
        for index, layer in enumerate(layers):
            usual = _enter(layer)
            entered.append(layer)
            now[id(layer)] = change(now.get(id(layer), usual), index)
        _present.calls = now
        yield
    finally:
        _present.calls = before
        for layer in entered:
            _leave(layer)


def _enter(layer):
    """Installs the dispatcher on a layer, and returns its usual `call`."""
    with _lock:
        users = _users.get(id(layer), 0)
        if not users:
            # Not by `setattr`, which Keras would track.
            vars(layer)["call"] = _PerThread(layer)
        _users[id(layer)] = users + 1
        return vars(layer)["call"].usual


def _leave(layer):
    """Removes the dispatcher when the last thread leaves."""
    with _lock:
        _users[id(layer)] -= 1
        if _users[id(layer)]:
            return
        del _users[id(layer)]
        own = vars(layer)["call"].own
        if own is None:
            del vars(layer)["call"]
        else:
            vars(layer)["call"] = own

"""Names the remedy where a part of a callback is handed over as one."""


class NotACallback:
    """Base of settings that a callback takes, and that are none themselves.

    Attributes:
        callback_form: What to write instead, with `{}` for the class.
    """

    callback_form = ""

    def __getattr__(self, name):
        # What Keras asks of each callback, before the training begins.
        if name in ("set_model", "set_params") or name.startswith("on_"):
            kind = type(self).__name__
            form = self.callback_form.format(f"{kind}(...)")
            raise ValueError(
                f"{kind} is no callback by itself. Pass `callbacks=[{form}]`."
            )
        raise AttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r}"
        )

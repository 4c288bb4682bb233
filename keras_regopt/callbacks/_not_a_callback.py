"""Names the remedy where a part of a callback is handed over as one."""


class NotACallback:
    """Base of settings that a callback takes, and that are none themselves.

    Attributes:
        callback_form: What to write instead, with `{}` for the class.
    """

    callback_form = ""

    def set_params(self, params):
        """What Keras calls on callbacks; see `set_model`."""
        self._refuse()

    def set_model(self, model):
        """What Keras calls on callbacks, before the training begins.

        Raises:
            ValueError: Always, with the remedy.
        """
        self._refuse()

    def _refuse(self):
        name = type(self).__name__
        raise ValueError(
            f"{name} is no callback by itself. Pass `callbacks=["
            f"{self.callback_form.format(f'{name}(...)')}]`."
        )

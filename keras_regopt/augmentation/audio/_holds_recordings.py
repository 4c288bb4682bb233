import contextlib
import contextvars

from keras_regopt.augmentation.audio import _recordings

# While a configuration is read: an asset may follow that holds the sounds.
_reading = contextvars.ContextVar("reading", default=False)


class HoldsRecordings:
    """What layers do that hold sounds: keep them in a `.keras` file.

    A configuration names files by their paths and arrays by their digest. The
    sounds themselves are an asset of the saved model, which loads where the
    files are gone. A copy made in the same process finds the arrays of the
    first layer.

    A subclass sets `sounds_argument`, calls `_hold` with its value, and may
    write `_prepared`.
    """

    # The name of the argument that the sounds are given by.
    sounds_argument = "sounds"

    _recordings = None

    @property
    def recordings(self):
        """The sounds.

        Raises:
            ValueError: If there was a configuration, but nothing to load.
        """
        if self._recordings is None:
            raise ValueError(
                f"{type(self).__name__} was made from a configuration, and "
                f"the `{self.sounds_argument}` are neither in this process "
                "nor where the files were. Load the whole model from its "
                "`.keras` file, which holds them."
            )
        return self._recordings

    def _hold(self, value):
        """Reads the sounds, and returns what stands in a configuration."""
        argument = self.sounds_argument
        if _reading.get() and _recordings.is_description(value):
            self._recordings = _recordings.known(value)
            return value
        paths = _recordings.paths_of(self, argument, value)
        if paths is None:
            sounds = _recordings.read_arrays(self, argument, value)
        else:
            try:
                sounds = _recordings.read_files(
                    self, argument, paths, self.sample_rate
                )
            except ValueError:
                if _reading.get():
                    return paths
                raise
        _recordings.refuse_silence(self, argument, sounds)
        self._recordings = _recordings.Recordings(self._prepared(sounds))
        return paths or _recordings.described(self._recordings)

    def _prepared(self, sounds):
        """The sounds as they are kept."""
        return sounds

    def save_assets(self, folder):
        if self._recordings is not None:
            self._recordings.save(folder)

    def load_assets(self, folder):
        if folder is None:
            return
        with contextlib.suppress(FileNotFoundError):
            self._recordings = _recordings.load(folder)

    @classmethod
    def from_config(cls, config, custom_objects=None):
        token = _reading.set(True)
        try:
            return super().from_config(config, custom_objects)
        finally:
            _reading.reset(token)

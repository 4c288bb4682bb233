"""The trainings of a recipe, kept in files so that it can go on."""

import contextlib
import hashlib
import json
import os
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np

from keras_regopt._files import replaced
from keras_regopt._validate import fail
from keras_regopt.tuning import _made_with
from keras_regopt.tuning._callbacks import copy_callbacks, without_validation
from keras_regopt.tuning._data import fingerprint, take_rows
from keras_regopt.tuning._learning_curve import LearningCurve
from keras_regopt.tuning._lock import alone
from keras_regopt.tuning._remedies import made
from keras_regopt.tuning._state import (
    read_json,
    require_same,
    unusable,
    write_json,
)
from keras_regopt.tuning.learning_curves import learning_curve, validation_curve

# Changed when the files of a project can no longer be read.
_WRITER = "keras_regopt.recipe/1"
# Of the learning curve, the fewest that can be continued.
SIZES = (0.25, 0.4, 0.63, 1.0)


class Trainings:
    """Trains models of chosen strengths, and counts the trainings.

    Args:
        owner: The function to name in errors.
        build: Function of parts that returns a compiled model.
        rows: The development rows, a pair `(x, y)`.
        options: The arguments of the recipe: `folds`, `monitor`, `mode`,
            `epochs`, `seed`, `directory`, `overwrite` and `fit`.
    """

    def __init__(self, owner, build, rows, options):
        self.owner, self.build, self.rows = owner, build, rows
        self.options = options
        self.count = 0
        self.optimizer: Any = None

    @contextlib.contextmanager
    def project(self):
        """Context in which this process alone works in the directory."""
        folder = self.options.directory
        if folder is None:
            yield
            return
        os.makedirs(folder, exist_ok=True)
        with alone(folder):
            self._begin(folder)
            yield

    def _begin(self, folder):
        """Compares with what an earlier call has begun."""
        fit = dict(self.options.fit)
        callbacks = list(fit.pop("callbacks", ()))
        now = {
            **_made_with.comparable(fit, callbacks),
            "seed": self.options.seed,
            "epochs": self.options.epochs,
            "data": fingerprint(*self.rows),
        }
        code = _made_with.codes(self.build, callbacks)
        path = os.path.join(folder, "recipe.json")
        if os.path.exists(path) and not self.options.overwrite:
            content = read_json(path)
            if content.get("writer") != _WRITER:
                raise unusable(path, "is of another version or program")
            require_same(folder, content["made_with"], now)
            _made_with.warn_of_other_code(folder, content["code"], code)
            return
        for name in os.listdir(folder) if self.options.overwrite else ():
            if name.startswith(("model_", "scores_")) and os.path.isfile(
                os.path.join(folder, name)
            ):
                os.remove(os.path.join(folder, name))
        write_json(path, {"writer": _WRITER, "made_with": now, "code": code})

    def new(self, settings):
        """An untrained model, built under the seed."""
        keras.utils.set_random_seed(self.options.seed)
        model = self._built(settings)
        if not model.built:
            model.predict(take_rows(self.rows[0], np.arange(2)), verbose=0)
        if self.optimizer is None:
            # The first model is the plain one.
            self.optimizer = model.optimizer
        return model

    def _built(self, settings):
        model = self.build(**made(settings, self.optimizer))
        if not isinstance(model, keras.Model) or not model.compiled:
            allowed = "a function that returns a compiled model"
            fail(self.owner, "build", allowed, model)
        return model

    def epochs(self, settings):
        """The epochs of a training with chosen strengths."""
        return self.options.epochs * settings.get("epochs", 1)

    def fit(self, name, settings, train, dev=None):
        """A trained model and its history.

        Args:
            name: What it is trained on, in a word.
            settings: Dict of names of remedies and strengths.
            train: The training rows.
            dev: The dev rows, or `None`.

        Returns:
            A model, and a history with `history` and `params`.
        """
        self.count += 1
        model = self.new(settings)
        path = self._path(f"model_{name}", settings)
        if path and os.path.exists(f"{path}.json"):
            with np.load(f"{path}.npz") as saved:
                model.set_weights([saved[name] for name in saved.files])
            return model, SimpleNamespace(
                **read_json(f"{path}.json"), model=model
            )
        options = dict(self.options.fit)
        callbacks = copy_callbacks(list(options.pop("callbacks", ())))
        if dev is None:
            callbacks = without_validation(callbacks)
        history = model.fit(
            *train,
            validation_data=dev,
            epochs=self.epochs(settings),
            callbacks=callbacks,
            **{"verbose": 0, **options},
        )
        if path:
            with replaced(f"{path}.npz", ".npz") as draft:
                np.savez(draft, *model.get_weights())
            values = {
                key: [float(v) for v in each]
                for key, each in history.history.items()
            }
            # Its presence says that the weights are whole.
            write_json(f"{path}.json", {"history": values})
        return model, history

    def scores(self, settings):
        """The dev errors of the folds with chosen strengths, an array."""
        name = _slug("scores", settings)
        curve = validation_curve(
            lambda strength: self._built(settings),
            "strength",
            [_key(settings)],
            *self.rows,
            **self._curve_options(settings, name),
        )
        self.count += curve.dev_errors.size
        return curve.dev_errors[0]

    def learning_curve(self, settings) -> LearningCurve:
        """The learning curve of models with chosen strengths."""
        name = _slug("learning_curve", settings)
        x, y = self.rows
        curve = learning_curve(
            lambda: self._built(settings),
            x,
            y,
            sizes=SIZES,
            reference=self.options.reference or 0.0,
            **self._curve_options(settings, name),
        )
        self.count += curve.dev_errors.size
        return curve

    def _curve_options(self, settings, name):
        options = self.options
        return {
            "folds": options.folds,
            "monitor": options.monitor,
            "mode": options.mode,
            "epochs": self.epochs(settings),
            "seed": options.seed,
            "directory": options.directory,
            "project_name": name,
            "overwrite": options.overwrite,
            "verbose": 0,
            **options.fit,
        }

    def _path(self, name, settings):
        folder = self.options.directory
        return folder and os.path.join(folder, _slug(name, settings))


def _key(settings):
    return json.dumps(settings, sort_keys=True)


def _slug(name, settings):
    """A name of a file for chosen strengths."""
    return f"{name}_{hashlib.sha256(_key(settings).encode()).hexdigest()[:10]}"

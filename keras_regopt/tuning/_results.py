from keras_regopt._html import table


class CrossValidationResults(list):
    """A list of dicts, one a trial, that a notebook shows as a table."""

    def _repr_html_(self):
        names = list(
            dict.fromkeys(n for trial in self for n in trial["hyperparameters"])
        )
        rows = [
            [
                trial["trial_id"],
                _mean(trial),
                ", ".join(f"{score:.4g}" for score in trial["scores"]),
                trial["epochs"],
                *(_shown(trial["hyperparameters"].get(n, "")) for n in names),
            ]
            for trial in self
        ]
        return table(["trial", "mean", "folds", "epochs", *names], rows)


def _mean(trial):
    error = trial["standard_error"]
    return f"{trial['mean']:.4g}" + ("" if error is None else f" ± {error:.2g}")


def _shown(value):
    return f"{value:.4g}" if isinstance(value, float) else value

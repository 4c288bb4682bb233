"""The report of a recipe."""

from keras_regopt.diagnosis import report


def write_study(result, parts, title, seed):
    """Writes the page of a `RecipeResult` to its path.

    Args:
        result: The result.
        parts: The train, dev and test parts.
        title: Title of the page.
        seed: The seed of the recipe.
    """
    summary = [f"{result.outcome.capitalize()}. {result.reason}"]
    if result.test:
        summary[:0] = [result.summary, result.test]
    kept = {
        row["remedy"]: f"{row['strength']:.3g}"
        for row in result.tries
        if row["kept"]
    }
    report(
        result.report,
        title,
        summary,
        data=parts,
        checks=result.checks,
        diagnoses=_diagnoses(result),
        curve=result.curve,
        search=_with_all_names(result.trials) or None,
        chosen=kept,
        sections=[("Remedies", _remedies(result))] if result.tries else [],
        seeds=seed,
    )


def _remedies(result):
    """A table of the remedies, narrow enough for a phone."""
    return [
        {
            "remedy": row["remedy"],
            "strength": row["strength"],
            "error of the folds": f"{row['before']:.4g} to {row['error']:.4g}",
            "kept": "yes" if row["kept"] else "no",
        }
        for row in result.tries
    ]


def _diagnoses(result):
    """The plain and the last model's, where both judge one metric."""
    first, last = result.baseline, result.diagnosis
    if first is None:
        return None
    if first is last:
        return {"plain": first}
    if first.metric != last.metric:
        return {"recipe": last}
    return {"plain": first, "recipe": last}


def _with_all_names(trials):
    """Trials in which a remedy that is not taken is off."""
    names = dict.fromkeys(n for t in trials for n in t["hyperparameters"])
    # A factor that changes nothing.
    off = dict.fromkeys(("epochs", "learning_rate", "width"), 1)
    return [
        {
            **trial,
            "hyperparameters": {
                name: trial["hyperparameters"].get(name, off.get(name, 0))
                for name in names
            },
        }
        for trial in trials
    ]

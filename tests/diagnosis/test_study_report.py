import json
import pathlib
import re
import shutil
import subprocess
import urllib.parse

import keras
import numpy as np
import pytest

from keras_regopt.diagnosis import (
    CheckResult,
    Finding,
    diagnose,
    report,
    split,
)
from keras_regopt.diagnosis._search_table import SearchTable
from keras_regopt.diagnosis._study_figures import one_scale
from keras_regopt.tuning import LearningCurve

pytestmark = pytest.mark.any_backend

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))),
    shutil.which("google-chrome"),
)
WIDTHS = (1280, 400)
HEADINGS = (
    "Summary",
    "Data",
    "Checks",
    "Training curves",
    "Verdict",
    "More data?",
    "Search",
    "Chosen values",
    "My own section",
    "Versions and seeds",
)


def diagnosis(last, **options):
    return diagnose(
        {
            "accuracy": [0.5, 0.8, 0.9, 0.95, 1.0],
            "val_accuracy": [0.5, 0.6, 0.65, 0.7, last],
        },
        dev_rows=200,
        **options,
    )


def trials():
    random = np.random.default_rng(0)
    found = [
        {
            "hyperparameters": {
                "a/rate": float(random.uniform(1e-4, 1e-1)),
                "kind": str(random.choice(["one", "two"])),
            }
        }
        for _ in range(30)
    ]
    for trial in found:
        trial["mean"] = 1 - trial["hyperparameters"]["a/rate"]
    return sorted(found, key=lambda trial: trial["mean"])


def study(path):
    errors = np.array([[0.5, 0.52], [0.4, 0.41], [0.3, 0.32], [0.2, 0.22]])
    curve = LearningCurve("loss", False, (10, 20, 40, 80), errors / 2, errors)
    finding = Finding("units", "warning", "half are <dead>", "another one")
    return report(
        path,
        "A study",
        ["The test error fell.", [{"model": "plain", "error": 0.3}]],
        data=split(np.zeros((50, 2)), np.arange(50) % 2, stratify=True),
        checks=CheckResult((finding,), ("data",), {}, {}),
        diagnoses={"plain": diagnosis(0.7), "tuned": diagnosis(0.95)},
        curve=curve,
        search=trials(),
        chosen={"rate": 0.1},
        seeds={"split": 7, "training": 11},
        sections=[("My own section", "Words.")],
    )


def test_the_sections_stand_in_order_with_the_summary_first(tmp_path):
    page = pathlib.Path(study(tmp_path / "study.html")).read_text()
    assert tuple(re.findall("<h2>([^<]*)</h2>", page)) == HEADINGS
    assert page.count("<svg") == 3
    assert "http" not in page
    for words in (
        "The test error fell.",
        "2 classes, 15 rows of each",
        "half are &lt;dead&gt;",
        "<h3>Plain</h3>",
        "Verdict: high variance",
        "keras_regopt",
        ">7<",
        ">11<",
        "prefers-color-scheme: dark",
        "@media print",
    ):
        assert words in page
    # The interval of each gap.
    gap = diagnosis(0.7).gaps[-1]
    assert f"{gap.low:.4g}" in page
    assert f"{gap.high:.4g}" in page


def test_a_section_without_contents_is_left_out(tmp_path):
    page = pathlib.Path(report(tmp_path / "r.html", "T", "Done.")).read_text()
    assert re.findall("<h2>([^<]*)</h2>", page) == [
        "Summary",
        "Versions and seeds",
    ]


PROBE = """<!doctype html><pre id="found"></pre><script>
const frames = WIDTHS.map(width => {
  const frame = document.createElement("iframe");
  frame.width = width;
  frame.height = 800;
  frame.src = "PAGE";
  document.body.append(frame);
  return [width, frame];
});
setTimeout(() => {
  const found = frames.map(([width, frame]) => {
    const page = frame.contentDocument;
    const letters = [...page.querySelectorAll("svg text")].map(
      text => text.getBoundingClientRect().height);
    return {width, content: page.documentElement.scrollWidth,
            shown: page.documentElement.clientWidth,
            smallest: Math.min(...letters), text: page.body.innerText};
  });
  document.getElementById("found").textContent =
    encodeURIComponent(JSON.stringify(found));
}, 3000);
</script>"""


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here")
def test_it_is_readable_on_a_screen_and_on_a_phone(tmp_path):
    page = pathlib.Path(study(tmp_path / "study.html"))
    probe = tmp_path / "probe.html"
    probe.write_text(
        PROBE.replace("WIDTHS", json.dumps(WIDTHS)).replace(
            "PAGE", page.as_uri()
        )
    )
    command = [
        BROWSER,
        *("--headless=new", "--no-sandbox", "--disable-gpu"),
        "--allow-file-access-from-files",
        *("--virtual-time-budget=8000", "--dump-dom"),
        f"--user-data-dir={tmp_path / 'profile'}",
        probe.as_uri(),
    ]
    document = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=120
    ).stdout
    found = re.search(r'id="found">([^<]+)<', document)[1]
    for seen in json.loads(urllib.parse.unquote(found)):
        assert seen["content"] <= seen["shown"] <= seen["width"]
        # Of the letters of the figures, in pixels.
        assert seen["smallest"] >= 8
        for heading in HEADINGS:
            assert heading in seen["text"]


def test_the_curves_of_all_models_are_on_one_scale():
    figure = one_scale({"plain": diagnosis(0.7), "tuned": diagnosis(0.95)})
    (axes,) = figure.axes
    lines = {line.get_label(): line for line in axes.get_lines()}
    assert set(lines) == {
        "plain training",
        "plain dev",
        "tuned training",
        "tuned dev",
    }
    np.testing.assert_allclose(lines["tuned dev"].get_ydata()[-1], 5)
    assert axes.get_ylabel() == "1 - accuracy (%)"


def test_the_importance_finds_the_planted_cause():
    table = SearchTable.of("report", trials())
    assert not table.higher_is_better
    importances = table.importances()
    assert next(iter(importances)) == "a/rate"
    assert importances["a/rate"] > 0.99
    assert importances["kind"] < 0.3


def test_few_trials_have_no_importance():
    assert SearchTable.of("report", trials()[:3]).importances() == {}


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("summary", ""),
        ("data", 3),
        ("checks", "all"),
        ("diagnoses", {}),
        ("diagnoses", {"plain": 3}),
        ("curve", 3),
        ("search", []),
        ("search", [{"mean": 1}]),
        ("chosen", [1]),
    ],
)
def test_what_cannot_be_shown_names_the_argument(tmp_path, argument, value):
    arguments = {"summary": "Done.", argument: value}
    with pytest.raises(ValueError, match=f"`{argument}` of report"):
        report(tmp_path / "r.html", "T", **arguments)
    assert not list(tmp_path.iterdir())


def test_diagnoses_of_two_metrics_are_refused(tmp_path):
    other = diagnose({"loss": [1.0, 0.5, 0.2], "val_loss": [1.0, 0.6, 0.6]})
    both = {"a": diagnosis(0.7), "b": other}
    with pytest.raises(ValueError, match="of one metric"):
        report(tmp_path / "r.html", "T", "Done.", diagnoses=both)


def test_errors_that_were_measured_once_give_way_to_the_losses():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    model.set_weights([np.zeros((1, 1)), np.zeros(1)])
    x, y = np.zeros((20, 1)), np.arange(20)[:, None] % 4 // 3
    history = {
        "loss": [1.0, 0.5],
        "accuracy": [0.7, 0.7],
        "val_loss": [1.0, 0.6],
        "val_accuracy": [0.7, 0.7],
    }
    found = diagnose(history, model=model, train=(x, y), dev=(x, y))
    assert found.metric == "balanced_accuracy"
    assert not any("not finite" in note for note in found.notes)
    (axes,) = one_scale({"plain": found}).axes
    assert axes.get_ylabel() == "loss"
    np.testing.assert_allclose(axes.get_lines()[1].get_ydata(), [1, 0.6])

import os
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.figure import Figure

from keras_regopt.diagnosis import (
    CheckResult,
    Finding,
    diagnose,
    write_report,
)
from keras_regopt.tuning import LearningCurve

pytestmark = pytest.mark.any_backend

VOID = {"meta", "br", "path", "use", "rect"}


class Checker(HTMLParser):
    """Collects ids and references, and sees that tags are closed."""

    def __init__(self, page):
        super().__init__()
        self.open, self.ids, self.references, self.tags = [], [], [], set()
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            if name in ("href", "xlink:href", "src"):
                self.references.append(value)
            self.references += re.findall(r"url\(([^)]*)\)", value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


def history(name="accuracy"):
    return {
        name: [0.5, 0.8, 0.9, 0.95, 1.0],
        f"val_{name}": [0.5, 0.7, 0.75, 0.8, 0.78],
        "loss": [2.0, 1.0, 0.5, 0.1, 0.02],
        "val_loss": [2.0, 1.0, 0.8, 0.7, 0.9],
    }


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def test_the_html_needs_nothing_outside_itself(tmp_path):
    path = diagnose(history(), reference=0.01).to_html(tmp_path / "d.html")
    page = read(path)
    checker = Checker(page)
    assert "http" not in page
    assert not checker.tags & {"script", "link", "img", "iframe"}
    assert checker.references
    assert all(r.startswith("#") for r in checker.references)


def test_two_figures_on_a_page_do_not_share_names(tmp_path):
    result = diagnose(history())
    path = write_report(tmp_path / "r.html", "Two", [result, ("b", result)])
    checker = Checker(read(path))
    assert len(checker.ids) == len(set(checker.ids)) > 20
    assert {r[1:] for r in checker.references} <= set(checker.ids)


def test_the_html_says_what_the_text_says(tmp_path):
    result = diagnose(history())
    page = read(result.to_html(tmp_path / "d.html"))
    assert f"Verdict: {result.verdict}" in page
    plain = re.sub("<[^>]*>", "", page)
    for words in result.reasons:
        assert words in plain
    for step in result.steps:
        assert step.action.replace("`", "") in plain
        for name in step.uses:
            assert f"<code>{name}</code>" in page
    assert 'aria-label="Learning curves: high variance"' in page


def test_names_are_escaped_wherever_they_appear(tmp_path):
    metric = "<i>&$x_1$_accuracy"
    sections = [
        ("<b>Head", "a < b & c", [{"<u>": "<s>", "n": 1.5}]),
        diagnose(history(metric)),
    ]
    page = read(write_report(tmp_path / "r.html", "<title> & co", sections))
    checker = Checker(page)
    assert not checker.tags & {"i", "b", "u", "s"}
    assert "&lt;b&gt;Head" in page
    assert "a &lt; b &amp; c" in page
    assert "&lt;i&gt;&amp;$x_1$_accuracy" in page


def test_a_table_shows_numbers_to_the_right_and_gaps_empty(tmp_path):
    rows = [
        {"model": "plain", "error": 0.0312345, "seeds": 5},
        {"model": "tuned", "error": np.float32(0.5)},
    ]
    page = read(write_report(tmp_path / "r.html", "Table", [rows]))
    assert '<th scope="col">model</th>' in page
    assert '<th scope="col" class="number">error</th>' in page
    assert '<td class="number">0.03123</td>' in page
    assert '<td class="number">0.5</td><td class="number"></td>' in page


def test_a_figure_of_the_users_own_is_inlined(tmp_path):
    figure = Figure()
    figure.add_subplot().plot([1, 2], [3, 4])
    page = read(write_report(tmp_path / "r.html", "Own", [("Plot", figure)]))
    Checker(page)
    assert page.count("<svg") == 1


def test_curves_and_checks_stand_in_a_report(tmp_path):
    errors = np.array([[0.5], [0.4], [0.3], [0.2]])
    curve = LearningCurve("loss", False, (10, 20, 40, 80), errors / 2, errors)
    finding = Finding("units", "warning", "half are <dead>", "another one")
    checked = CheckResult((finding,), ("data",), {}, {})
    path = tmp_path / "report.html"
    write_report(path, "Study", [("Curve", curve), ("Checks", checked)])
    page = path.read_text()
    assert page.count("<svg") == 1
    # The dev error at 80 rows, and the verdict.
    assert "0.2" in page
    assert curve.verdict in page
    assert "half are &lt;dead&gt;" in page
    assert "<dead>" not in page


@pytest.mark.parametrize("item", [3, None, ("h", 3), (3, "h"), (), [1, 2]])
def test_what_cannot_be_shown_is_refused_and_leaves_no_file(tmp_path, item):
    with pytest.raises(ValueError, match="`sections` of write_report"):
        write_report(tmp_path / "r.html", "Bad", [item])
    assert os.listdir(tmp_path) == []


def test_a_failed_write_keeps_the_old_report(tmp_path, monkeypatch):
    path = tmp_path / "deep" / "r.html"
    write_report(path, "Old", ["text"])
    old = read(path)

    def broken(*_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="no space"):
        write_report(path, "New", ["text"])
    assert read(path) == old
    assert os.listdir(tmp_path / "deep") == ["r.html"]


def test_the_figure_shows_curves_reference_and_best_epoch():
    figure = diagnose(history(), reference=0.05).figure()
    assert "high variance" in figure.get_suptitle()
    error, loss = figure.axes
    lines = {line.get_label(): line for line in error.get_lines()}
    np.testing.assert_allclose(
        lines["training"].get_ydata(), [50, 20, 10, 5, 0], atol=1e-9
    )
    np.testing.assert_allclose(
        lines["dev"].get_ydata(), [50, 30, 25, 20, 22], atol=1e-9
    )
    assert set(lines["reference"].get_ydata()) == {5}
    best = lines["lowest dev, epoch 4"]
    assert best.get_xdata()[0] == 4
    assert error.get_ylabel() == "1 - accuracy (%)"
    assert error.get_xlabel() == "epoch"
    assert loss.get_ylabel() == "loss"
    assert loss.get_yscale() == "log"


@pytest.mark.parametrize(
    "values",
    [
        {"loss": [1.0]},
        {"loss": [float("nan")] * 3, "val_loss": [float("nan")] * 3},
        {"loss": [0.0] * 4, "val_loss": [0.0] * 4},
        {"loss": [1, -1, -2.0], "val_loss": [1, -1, -2.0]},
        {"loss": [1, 0.8, 0.6, 0.4], "val_loss": [0.9, 0.5]},
    ],
)
def test_odd_curves_are_drawn_too(values, tmp_path):
    Checker(read(diagnose(values).to_html(tmp_path / "d.html")))


def test_drawing_leaves_pyplot_and_its_settings_alone(tmp_path):
    import matplotlib
    from matplotlib import pyplot

    before = dict(matplotlib.rcParams)
    diagnose(history()).to_html(tmp_path / "d.html")
    assert dict(matplotlib.rcParams) == before
    assert pyplot.get_fignums() == []


def test_a_missing_matplotlib_names_the_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'keras_regopt\[plot"):
        diagnose(history()).figure()
    with pytest.raises(ImportError, match="plot"):
        diagnose(history()).to_html(tmp_path / "d.html")
    assert "high variance" in str(diagnose(history()))


def read_events(folder):
    from tensorboard.backend.event_processing.event_accumulator import (
        EventAccumulator,
    )

    events = EventAccumulator(os.fspath(folder))
    events.Reload()
    return events


def test_tensorboard_reads_what_is_written(tmp_path):
    result = diagnose(history())
    path = result.to_tensorboard(tmp_path / "logs")
    assert os.path.exists(path)
    events = read_events(tmp_path / "logs")
    points = events.Scalars("diagnosis/dev_error")
    assert [p.step for p in points] == [1, 2, 3, 4, 5]
    np.testing.assert_allclose(
        [p.value for p in points], [0.5, 0.3, 0.25, 0.2, 0.22], rtol=1e-6
    )
    (text,) = events.Tensors("diagnosis/verdict")
    assert b"high variance" in text.tensor_proto.string_val[0]
    (image,) = events.Images("diagnosis/learning_curves")
    assert image.encoded_image_string.startswith(b"\x89PNG")
    assert image.width > image.height


WITHOUT_TENSORFLOW = """
import sys
sys.modules["tensorflow"] = None
from keras_regopt.diagnosis._event_log import EventLog
from keras_regopt.diagnosis import diagnose
diagnose({"loss": [1.0, .5, .1], "val_loss": [1.0, .6, .6]}).to_tensorboard(
    sys.argv[1]
)
"""


def test_tensorboard_files_need_no_tensorflow(tmp_path):
    subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, os.fspath(tmp_path)],
        env={**os.environ, "KERAS_BACKEND": "numpy"},
        check=True,
    )
    assert len(read_events(tmp_path).Scalars("diagnosis/dev_error")) == 3


def test_importing_diagnosis_imports_no_slow_library():
    code = (
        "import sys, keras; before = set(sys.modules)\n"
        "import keras_regopt.diagnosis\n"
        "new = {n.split('.')[0] for n in set(sys.modules) - before}\n"
        "print(new & {'sklearn', 'matplotlib', 'tensorboard', 'scipy'})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "KERAS_BACKEND": "numpy"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "set()"

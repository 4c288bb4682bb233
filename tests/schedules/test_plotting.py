import sys

import keras
import numpy as np
import pytest

from keras_regopt.schedules import LinearToZero, plot

pytestmark = pytest.mark.any_backend

pytest.importorskip("matplotlib", reason="the figures need the extra `plot`")


def test_draws_the_rate_at_every_step(tmp_path):
    axes = plot(LinearToZero(1.0, 8), steps=10)
    (line,) = axes.get_lines()
    np.testing.assert_array_equal(line.get_xdata(), range(10))
    np.testing.assert_allclose(
        line.get_ydata(), [*np.linspace(1, 0, 9), 0], atol=1e-6
    )
    axes.figure.savefig(tmp_path / "schedule.png")
    assert (tmp_path / "schedule.png").stat().st_size > 1000


def test_draws_into_axes_that_are_there():
    axes = plot(keras.optimizers.schedules.CosineDecay(0.1, 5), steps=5)
    assert plot(0.05, steps=5, axes=axes) is axes
    assert len(axes.get_lines()) == 2


def test_draws_a_long_schedule_from_the_first_step_to_the_last():
    (line,) = plot(LinearToZero(1.0, 10**5), steps=10**5).get_lines()
    assert len(line.get_xdata()) == 1000
    assert (line.get_xdata()[0], line.get_xdata()[-1]) == (0, 10**5 - 1)


def test_tells_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"keras_regopt\[plot\]"):
        plot(0.1, steps=10)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"schedule": "cosine", "steps": 3}, "schedule"),
        ({"schedule": 0.1, "steps": 0}, "steps"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of plot must be"):
        plot(**arguments)

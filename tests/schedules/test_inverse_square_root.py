import numpy as np
import pytest
from reference_rates import rates

from keras_regopt.schedules import InverseSquareRoot


def test_equals_the_formula_of_the_transformer_paper_at_every_step():
    size, warmup_steps = 64, 40
    noam = [
        size**-0.5 * min(step**-0.5, step * warmup_steps**-1.5)
        for step in range(1, 300)
    ]
    peak = (size * warmup_steps) ** -0.5
    ours = InverseSquareRoot(peak, warmup_steps)
    np.testing.assert_allclose(rates(ours, range(1, 300)), noam, rtol=1e-6)
    assert float(ours(0)) == 0


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [({"peak": -1}, "peak"), ({"warmup_steps": 0}, "warmup_steps")],
)
def test_refuses_bad_arguments(arguments, name):
    good = {"peak": 0.1, "warmup_steps": 3}
    with pytest.raises(ValueError, match=f"`{name}` of InverseSquareRoot must"):
        InverseSquareRoot(**{**good, **arguments})

import numpy as np
import pytest
from keras import ops

from keras_regopt.augmentation.image.functional import _reductions as reductions


@pytest.mark.any_case
# Parts of equal size, parts and a rest, and too few pixels for parts.
@pytest.mark.parametrize("size", [(32, 16), (33, 17), (2, 3)])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_sums_and_extremes_are_those_of_numpy(size, dtype):
    random = np.random.default_rng(0)
    images = random.integers(1, 255, (3, *size, 2)).astype(dtype)
    # In the first and in the very last place.
    images[0, 0, 0, 0], images[1, -1, -1, 1] = 0, 255
    for name, function in {"sum": np.sum, "min": np.min, "max": np.max}.items():
        result = getattr(reductions, f"pixel_{name}")(
            ops.convert_to_tensor(images)
        )
        np.testing.assert_array_equal(
            ops.convert_to_numpy(result), function(images, (1, 2))
        )

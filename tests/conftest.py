"""Two devices on every backend that can, fixed seeds, repeatable cases."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["XLA_FLAGS"] = (
    os.environ.get("XLA_FLAGS", "")
    + " --xla_force_host_platform_device_count=2"
)

import hypothesis
import keras
import pytest

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    # Must come before TensorFlow is used for the first time.
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration()] * 2,
    )


# The same cases in every run, however slow the machine.
hypothesis.settings.register_profile(
    "repeatable", derandomize=True, deadline=None
)
hypothesis.settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def fixed_seeds():
    keras.utils.set_random_seed(0)
    yield
    keras.backend.clear_session(free_memory=False)

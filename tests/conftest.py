"""Two devices where there can be, fixed seeds, what runs on which backend."""

import gc
import itertools
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Small programs that run once: to optimize them takes longer than it saves.
os.environ["XLA_FLAGS"] = " ".join(
    [
        os.environ.get("XLA_FLAGS", ""),
        "--xla_force_host_platform_device_count=2",
        "--xla_backend_optimization_level=0",
        "--xla_llvm_disable_expensive_passes=true",
        # The older way to fuse compiles in two thirds of the time.
        "--xla_cpu_use_fusion_emitters=false",
    ]
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
    # Nor do its graphs run often enough to be worth rewriting.
    tf.config.optimizer.set_experimental_options(
        {"disable_meta_optimizer": True}
    )


# The same cases in every run, however slow the machine.
hypothesis.settings.register_profile(
    "repeatable", derandomize=True, deadline=None
)
hypothesis.settings.load_profile("repeatable")

# Where tests with a mark run, since they take the least time there.
QUICKEST = {
    "any_backend": {"torch"},
    "any_compiler": {"jax"},
    # TensorFlow traces and compiles a training twice as long as JAX.
    "any_training": {"jax", "torch"},
    # On JAX as on torch, `tf.data` maps in a graph of TensorFlow.
    "any_pipeline": {"tensorflow", "torch"},
    # With `--everywhere` alone.
    "long": set(),
}
# Where a test with the mark `any_case` runs with all of them.
ALL_CASES = {"torch"}

# More seldom than by default, since most of what a test makes is freed at once.
gc.set_threshold(2000, 50, 1000)


def pytest_addoption(parser):
    parser.addoption(
        "--everywhere",
        action="store_true",
        help="run on any backend what otherwise runs on one alone",
    )


def pytest_collection_modifyitems(config, items):
    """Leaves out what another backend's run shows as well."""
    if config.option.everywhere:
        return
    elsewhere = [
        mark
        for mark, quickest in QUICKEST.items()
        if keras.backend.backend() not in quickest
    ]
    left_out = {
        item for item in items if any(map(item.get_closest_marker, elsewhere))
    }
    if keras.backend.backend() not in ALL_CASES:
        left_out.update(all_but_the_last_cases(items))
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


def all_but_the_last_cases(items):
    """Of each test with the mark `any_case`, all of its cases but the last."""
    last = {}
    for item in items:
        if item.get_closest_marker("any_case"):
            test = (item.path, item.originalname)
            if test in last:
                yield last[test]
            last[test] = item


@pytest.fixture(autouse=True)
def fixed_seeds():
    keras.utils.set_random_seed(0)
    yield
    keras.backend.clear_session(free_memory=False)


run_so_far = itertools.count(1)


@pytest.fixture(autouse=True)
def young_garbage_alone():
    """What TensorFlow keeps of each traced function is not searched again.

    It makes millions of objects in the end, and a collection, of which Keras
    Tuner asks for several a trial, would take seconds to walk through them.
    """
    yield
    if next(run_so_far) % 50 == 0:
        gc.collect()
        gc.freeze()

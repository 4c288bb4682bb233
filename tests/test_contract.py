"""Every registered class keeps every promise of its kind."""

import json
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import samples
import saved_models
from apart import environment

from keras_regopt._registry import registered
from keras_regopt.augmentation import StringAugmentation
from keras_regopt.testing import (
    augmentations,
    callbacks,
    common,
    criteria,
    optimizers,
)
from keras_regopt.testing._contract import NotApplicable, Subject, keep
from keras_regopt.testing._kinds import promises_of
from keras_regopt.testing._samples import MODES, modes
from keras_regopt.testing._saving import needs_export

HERE = pathlib.Path(__file__).parent
# These compute nothing that a backend does in its own way.
ON_ONE_BACKEND = {
    *common.PROMISES,
    *criteria.PROMISES,
    *(p for p in callbacks.PROMISES if p is not callbacks.serves_several_fits),
}
# The tests below, which save and serve in another process, hold our own
# classes to what these say of files. The others hang on what all classes of a
# kind share, or are told by the references of each class.
FOR_ALL_OF_A_KIND = {
    # Alone, JAX compiles each layer as it is called in the tests of the class.
    "acts_in_training",
    "bears_nothing",
    "changes_no_input",
    "does_not_depend_on_its_neighbours",
    "does_not_depend_on_padding",
    "draws_for_each_element",
    "exports",
    "follows_a_schedule",
    "gives_the_promised_shape",
    "goes_on_after_a_reload",
    "keeps_to_its_dtypes",
    "leaves_labels_alone",
    "lowers_a_parabola",
    "moves_targets_along",
    "quantizes",
    "refuses_unknown_variables",
    "reloads",
    "reloads_with_its_state",
    "repeats_itself_by_its_seed",
    "serves_several_fits",
    "is_deterministic_in_inference",
    "is_identity_when_exported",
    "is_identity_in_inference",
    "steps_alike_in_data_parallel",
    "steps_on_halves_in_turn",
    "takes_integers_as_floats",
    "takes_iterations_without_state",
    "trains_in_mixed_precision",
    "works_in_tf_data",
}
# All modes are tried with those for their kind. With the others, no graph is,
# since the same is traced for the compiler, and no `fit` of augmentations
# eagerly, since the promise calls the layer eagerly, too.
FEWER_MODES = {
    "acts_in_training": ["jit"],
    "trains_alike_compiled_or_not": ["eager", "jit"],
}


# A class that breaks it breaks it under JAX's compiler or in torch's eager
# steps; TensorFlow, which takes the longest, shows those for their kind.
IN_TRAINING = {"trains_alike_compiled_or_not"}


def marks(cls, promise):
    """Whether a promise of a class is tried on one backend alone."""
    if promise in ON_ONE_BACKEND:
        return pytest.mark.any_backend
    if promise is augmentations.works_in_tf_data and (
        cls.__name__ in saved_models.FOR_THEIR_KIND
        or issubclass(cls, StringAugmentation)
    ):
        return pytest.mark.any_pipeline
    if cls.__name__ in saved_models.FOR_THEIR_KIND:
        return ()
    if issubclass(cls, StringAugmentation):
        # Only TensorFlow has strings, and all others the maps over them.
        return ()
    if promise is optimizers.compiles_once:
        return pytest.mark.any_compiler
    if promise is optimizers.steps_alike_under_torch_compile:
        # Two seconds each, for what the optimizers' engine does for all.
        return pytest.mark.long
    if promise.__name__ in FOR_ALL_OF_A_KIND:
        return pytest.mark.any_backend
    if promise.__name__ in IN_TRAINING:
        return pytest.mark.any_training
    return ()


def fewer_modes(cls, promise):
    """The modes that tell enough of a class, or `None` for all of them."""
    few = FEWER_MODES.get(promise.__name__)
    if few is None or cls.__name__ in saved_models.FOR_THEIR_KIND:
        return None
    return [mode for mode in modes() if mode in few] or None


@pytest.mark.parametrize(
    ("cls", "promise"),
    [
        pytest.param(
            cls,
            promise,
            id=f"{cls.__name__}-{promise.__name__}",
            marks=marks(cls, promise),
        )
        for cls in registered()
        for promise in promises_of(cls)
    ],
)
def test_keeps_its_promise(cls, promise, request, monkeypatch):
    fewer = fewer_modes(cls, promise)
    if fewer and not request.config.option.everywhere:
        monkeypatch.setitem(MODES, keras.backend.backend(), fewer)
    reason = samples.EXCEPTIONS.get((cls.__name__, promise.__name__))
    if reason:
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True))
    try:
        keep(Subject(cls, samples.arguments_of(cls.__name__)), promise)
    except NotApplicable as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def saved(tmp_path_factory, request):
    """A directory of models, one for each class, saved and exported."""
    all_of_them = (
        keras.backend.backend() == "torch" or request.config.option.everywhere
    )
    directory = tmp_path_factory.mktemp("models")
    for cls in saved_models.savable_classes():
        name = cls.__name__
        if not (all_of_them or saved_models.saved_everywhere(cls)):
            continue
        model, x, y = saved_models.model_with(cls)
        model.save(directory / f"{name}.keras")
        state = {
            f"variable_{i}": v.numpy()
            for i, v in enumerate(model.optimizer.variables)
        }
        outputs = saved_models.outputs(model, x)
        try:
            needs_export()
        except NotApplicable:
            pass
        else:
            model.export(
                directory / name, format="tf_saved_model", verbose=False
            )
        loss = saved_models.train(model, x, y)
        np.savez(
            directory / f"{name}.npz",
            x=x,
            y=y,
            outputs=outputs,
            next_loss=loss,
            **state,
        )
    return directory


@pytest.fixture(scope="module")
def reloaded(saved):
    return run_apart("reload_models.py", saved)


@pytest.fixture(scope="module")
def served(saved):
    return run_apart("serve_models.py", saved)


def run_apart(script, directory):
    """Runs a script in one process for all classes; returns what it prints."""
    child = subprocess.run(
        [sys.executable, HERE / script, directory],
        capture_output=True,
        text=True,
        cwd=HERE.parent,
        env=environment(KERAS_BACKEND=keras.backend.backend()),
    )
    assert child.returncode == 0, child.stderr
    return json.loads(child.stdout.splitlines()[-1])


# On torch, which exports nothing, those that are served are skipped.
NAMES = [
    pytest.param(
        cls.__name__,
        marks=()
        if saved_models.saved_everywhere(cls)
        else pytest.mark.any_backend,
    )
    for cls in saved_models.savable_classes()
]


@pytest.mark.parametrize("name", NAMES)
def test_reloads_in_a_fresh_process_with_its_state(name, reloaded):
    assert reloaded[name] is None


@pytest.mark.parametrize("name", NAMES)
def test_is_served_without_this_package(name, request):
    try:
        needs_export()
    except NotApplicable as reason:
        pytest.skip(str(reason))
    assert request.getfixturevalue("served")[name] is None

"""What a class of one's own must declare."""

import keras
import numpy as np
import pytest

from keras_regopt.augmentation import (
    AugMix,
    Compose,
    CutMix,
    ImageAugmentation,
    RandomAffine,
    RandomColor,
    RandomCrop,
)

pytestmark = pytest.mark.any_backend


@pytest.mark.parametrize(
    ("hook", "target"),
    [
        ("apply_to_labels", "labels"),
        ("apply_to_boxes", "bounding_boxes"),
        ("apply_to_masks", "segmentation_masks"),
        ("apply_to_keypoints", "keypoints"),
    ],
)
def test_a_class_that_changes_targets_must_name_them(hook, target):
    written = {hook: lambda self, *arguments: arguments[0]}
    with pytest.raises(
        TypeError, match=f"`{hook}`, .*`targets` must.*{target}"
    ):
        type("Undeclared", (ImageAugmentation,), written)
    written["targets"] = {target}
    declared = type("Declared", (ImageAugmentation,), written)
    # A subclass that writes the method again inherits the declaration.
    type("Further", (declared,), {hook: written[hook]})


def test_a_class_with_inference_parameters_must_say_that_it_acts():
    written = {"inference_parameters": lambda self, shape: {}}
    with pytest.raises(TypeError, match="`acts_in_inference = True`"):
        type("Undeclared", (ImageAugmentation,), written)


def test_what_is_not_declared_passes_untouched():
    class Doubled(ImageAugmentation):
        targets = frozenset({"labels"})

        def sample(self, shape, seed):
            return {}

        def apply(self, inputs, parameters):
            return 2 * inputs

        def apply_to_labels(self, labels, parameters):
            return 2 * labels

    masks = np.ones((2, 4, 4, 1))
    data = {"images": masks, "labels": np.ones(2), "segmentation_masks": masks}
    found = Doubled()(data)
    assert found["segmentation_masks"] is masks
    assert keras.ops.convert_to_numpy(found["labels"]).tolist() == [2, 2]


def test_containers_change_what_their_layers_change():
    assert not Compose([RandomColor(), AugMix()]).targets
    layer = Compose([RandomColor(), RandomAffine(), CutMix()])
    assert layer.targets == RandomAffine.targets | CutMix.targets
    assert not layer.acts_in_inference
    assert Compose([RandomColor(), RandomCrop(2, 2)]).acts_in_inference

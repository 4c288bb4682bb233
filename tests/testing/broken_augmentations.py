"""Image augmentations that break one promise each."""

import keras
import numpy as np
from broken import Broken, only_on, register, traced
from own_classes import RandomShade

from keras_regopt.testing import augmentations


class ActsByDefault(RandomShade):
    """Acts where nothing is said of training, as Keras' own layers do."""

    def call(self, inputs, training=None):
        return super().call(inputs, training is not False)


class ActsInPredict(RandomShade):
    """Does not ask whether it is trained, unless the call is eager."""

    def call(self, inputs, training=None):
        return super().call(inputs, traced(inputs))


class ActsIfTold(RandomShade):
    """Rests where nothing is said of training."""

    def call(self, inputs, training=None):
        return super().call(inputs, bool(training))


class ActsEagerly(RandomShade):
    """Rests in every graph."""

    def call(self, inputs, training=None):
        training = training is not False and not traced(inputs)
        return super().call(inputs, training)


class RestsInContainers(RandomShade):
    """Does not say that it is an augmentation."""

    is_augmentation = False


class KeepsBatchAxis(RandomShade):
    """Returns single images in batches of one."""

    def call(self, inputs, training=None):
        output = super().call(inputs, training)
        if len(output.shape) == 3:
            output = self.ops.expand_dims(output, axis=0)
        return output


class OneDrawForAll(RandomShade):
    """Draws once for the batch."""

    def sample(self, shape, seed):
        return super().sample((1, *shape[1:]), seed)


class DrawsByNumPy(RandomShade):
    """Draws past its seed."""

    def sample(self, shape, seed):
        return {"loss": self.ops.cast(np.random.rand(shape[0]), "float32")}


class DrawsTheSame(RandomShade):
    """Takes the seed itself where a generator belongs."""

    def sample(self, shape, seed):
        return super().sample(shape, self.seed)


@register
class ForgetsSeedState(RandomShade):
    """Begins its draws again after a reload."""

    def save_own_variables(self, store):
        pass

    def load_own_variables(self, store):
        pass


class EditsImages(RandomShade):
    """Scales the caller's array instead of a copy."""

    def call(self, inputs, training=None):
        data = getattr(inputs, "content", inputs)
        if isinstance(data, dict):
            data["images"] *= 0.5
        return super().call(inputs, training)


class EditsDict(RandomShade):
    """Puts its result into the caller's dict."""

    def __call__(self, inputs, **kwargs):
        outputs = super().__call__(inputs, **kwargs)
        inputs["images"] = outputs["images"]
        return inputs


class CastsLabels(RandomShade):
    """Casts everything to the dtype in which it computes."""

    targets = frozenset({"labels"})

    def apply_to_labels(self, labels, parameters):
        labels = self.ops.cast(labels, self.compute_dtype)
        return self.ops.cast(labels, "int32")


class SinglePrecisionAlways(RandomShade):
    """Returns float32, whatever came and was asked for."""

    def output_dtype(self, input_dtype):
        return "float32"


class BytesBecomeFloats(RandomShade):
    """Leaves bytes as floats, in training only."""

    def transform(self, tensor, parameters, chosen):
        result = super().transform(tensor, parameters, chosen)
        return self.ops.cast(result, self.compute_dtype)


class Crops(RandomShade):
    """Loses a row, and promises not to."""

    def apply(self, inputs, parameters):
        return super().apply(inputs, parameters)[:, 1:]


class FixesBatchSize(RandomShade):
    """Promises batches of six, however many come."""

    def compute_output_spec(self, inputs, training=None):
        return keras.KerasTensor((6, *inputs.shape[1:]), inputs.dtype)


BROKEN = {
    augmentations.is_identity_in_inference: [
        Broken(ActsByDefault, r"model\(x\) augments"),
        only_on("tensorflow jax", ActsInPredict, "predict augments"),
    ],
    augmentations.is_identity_when_exported: [
        Broken(ActsByDefault, "the exported model augments"),
    ],
    augmentations.acts_in_training: [
        Broken(RestsInContainers, "container of augmentations does not act"),
        Broken(ActsIfTold, "a plain eager call does not act"),
        only_on("tensorflow jax", ActsEagerly, "fit, mode (graph|jit): 0.0"),
    ],
    augmentations.works_in_tf_data: [
        Broken(ActsEagerly, "the map does not augment"),
        Broken(KeepsBatchAxis, "the shape is"),
    ],
    augmentations.draws_for_each_element: [
        Broken(OneDrawForAll, "all elements are augmented alike"),
    ],
    augmentations.repeats_itself_by_its_seed: [
        Broken(DrawsByNumPy, "two layers with one seed differ"),
        Broken(DrawsTheSame, "two calls draw the same"),
    ],
    augmentations.goes_on_after_a_reload: [
        Broken(ForgetsSeedState, "the state of the seed is lost"),
    ],
    augmentations.changes_no_input: [
        Broken(EditsImages, "the caller's images changed"),
        Broken(EditsDict, "the caller's dict changed"),
    ],
    augmentations.leaves_labels_alone: [
        Broken(CastsLabels, "2049 .* became .* 2048"),
    ],
    augmentations.keeps_to_its_dtypes: [
        Broken(
            SinglePrecisionAlways, "float32 became float32 under the policy"
        ),
        Broken(BytesBecomeFloats, "uint8 became float32"),
    ],
    augmentations.gives_the_promised_shape: [
        Broken(Crops, r"the shape is \(6, 11, 10, 3\), promised"),
        Broken(KeepsBatchAxis, "one element has the shape"),
        Broken(FixesBatchSize, "an open batch size became 6"),
    ],
}

"""The call of an augmentation, and what containers ask of one."""

import keras

from keras_regopt._config import SignatureConfig
from keras_regopt._roles import refuse_role
from keras_regopt.augmentation._batch import Batch, select
from keras_regopt.augmentation._compile import run_compiled, without_jit
from keras_regopt.augmentation._inputs import (
    Wrapped,
    as_tensor,
    checked_training,
    like,
    missing_data,
    wrapped,
)
from keras_regopt.augmentation._layout import (
    Layout,
    cast_within,
    sample_shape,
)
from keras_regopt.augmentation._training import augments_by_default
from keras_regopt.augmentation._value_ranges import look_at_range


class AugmentationLayer(SignatureConfig, keras.layers.Layer):
    """What `RandomAugmentation` does with that which its subclasses write."""

    def __call__(self, inputs, *others, training=None, **kwargs):
        refuse_role(self, inputs)
        if others or not (training is None or isinstance(training, bool)):
            training = checked_training(self, others, training)
        # Said outright, `None` would hide what the caller of the model said.
        if training is not None:
            kwargs["training"] = training
        inputs = wrapped(inputs) if isinstance(inputs, dict) else inputs
        return super().__call__(inputs, **kwargs)

    def call(self, inputs, training=None):
        """Augments a batch or one element, or leaves it as it is.

        Args:
            inputs: A tensor, or a dict of the data and what belongs to it.
            training: `True` to augment, `False` not to, `None` to follow
                the rule in the description of the class.

        Returns:
            The same structure, in new containers.
        """
        if isinstance(inputs, Wrapped):
            inputs = inputs.content
        data = self.read(inputs)
        tensor = data[self.key]
        if training is None:
            training = augments_by_default(self, tensor)
        if training:
            self.look(inputs, tensor)
        if training or self.acts_in_inference:
            data.update(self._augmented(data, training))
        else:
            dtype = self.output_dtype(tensor.dtype)
            data[self.key] = cast_within(tensor, dtype)
        return data if isinstance(inputs, dict) else data[self.key]

    def _augmented(self, data, training):
        """The entries of the dict that change."""
        additional = self.kind.additional_targets(self)
        batch = Batch(self, data, {**self.kinds_to_read(), **additional})
        tensor, targets = batch.tensor, batch.entries
        shape = sample_shape(self, tensor)
        with without_jit(if_served=not training):
            parameters, chosen = batch.draw(self, shape, training)
            tensor, changed = self.advance(
                tensor, targets, parameters, chosen, shape
            )
            for key in [key for key in additional if key in targets]:
                changed[key] = additional[key].moved(
                    self, targets[key], parameters, chosen, shape
                )
            changed[self.key] = tensor
        return batch.restored(changed)

    def compute_output_spec(self, inputs, training=None):
        # New tensors all: Keras notes on each which layer it came from.
        data = keras.tree.map_structure(like, self.read(inputs))
        spec = data[self.key]
        data[self.key] = keras.KerasTensor(
            self.compute_output_shape(spec.shape),
            self.output_dtype(spec.dtype),
        )
        if not isinstance(inputs, dict):
            return data[self.key]
        return self.kind.output_spec(self, data)

    # From here on, what containers ask of the layers that they hold.

    def read(self, inputs):
        """The inputs as a new dict, with the data as a tensor.

        Raises:
            ValueError: If there are no data, or none that the layer can take.
        """
        if not isinstance(inputs, dict):
            return {self.key: as_tensor(self, inputs)}
        if self.key not in inputs:
            raise missing_data(self, inputs)
        data = {**inputs, self.key: as_tensor(self, inputs[self.key])}
        return self.kind.read(self, data)

    def look(self, inputs, tensor):
        """Warns of what is legal, but probably a mistake."""
        ranged = self.ranged_layers()
        if ranged:
            look_at_range(self, ranged, tensor)
        self.kind.look(self, inputs, tensor)

    def ranged_layers(self):
        """The layers here that compute with their `value_range`."""
        return [] if self.value_range is None else [self]

    def draw(self, shape, training, seed=None, among=None):
        """Draws for one batch.

        Args:
            shape: What `sample` gets.
            training: Whether anything is drawn.
            seed: A seed generator of the container. Defaults to `None`, that
                of the layer.
            among: Which elements can change, a boolean tensor. Defaults to
                `None`: all.

        Returns:
            The parameters, and which elements they are for, `None` for all.
        """
        if not training:
            return self.inference_parameters(shape), None
        seed = self._seeds.current() if seed is None else seed
        parameters = self.sample(shape, seed)
        chosen = self.choose(shape, seed, among)
        if chosen is None or not self.acts_in_inference:
            return parameters, chosen
        others = self.inference_parameters(shape)
        return {
            name: select(chosen, parameters[name], others[name])
            for name in parameters
        }, None

    def choose(self, shape, seed, among=None):
        """Which elements `rate` lets through: `None` is all."""
        if self.rate == 1:
            return among
        (draw,) = self.uniforms(1, shape[0], seed)
        if among is None:
            return draw < self.rate
        return self.ops.logical_and(among, draw < self.rate)

    def advance(self, tensor, targets, parameters, chosen, shape):
        """What becomes of the data of a batch, and of their targets.

        Args:
            tensor: The data.
            targets: The dict of the inputs, with a batch axis.
            parameters: What `draw` returned first.
            chosen: What it returned second.
            shape: What `sample` got.

        Returns:
            The data, and a dict of the targets that change.
        """
        parameters = self.resolved(tensor, targets, parameters)
        changed = self.move_targets(targets, parameters, chosen, shape)
        return self.run(tensor, parameters, chosen), changed

    def resolved(self, tensor, targets, parameters):
        """The parameters with what hangs on the data."""
        if not self.resolves:
            return parameters
        context = {
            key: targets[key] for key in self.context_keys if key in targets
        }
        arguments = (tensor, parameters, context)
        if self.resolves_costly:
            return run_compiled(self, "resolve_all", *arguments)
        return self.resolve_all(*arguments)

    def resolve_all(self, tensor, parameters, context):
        """`resolve`, with the data as `apply` gets them."""
        inputs = Layout(self, tensor).to_compute(tensor)
        return self.resolve(inputs, parameters, context)

    def hangs_on_data(self):
        """Whether what happens hangs on more than what is drawn."""
        return self.resolves

    def kinds_to_read(self):
        """The kinds of the targets that change or are looked at, by keys."""
        read = {*self.targets, *self.context_keys}
        kinds = self.target_kinds.items()
        return {key: kind for key, kind in kinds if key in read}

    def moved_kinds(self):
        """The kinds of `targets`, by their keys."""
        moved = self.targets
        kinds = self.target_kinds.items()
        return {key: kind for key, kind in kinds if key in moved}

    def move_targets(self, data, parameters, chosen, shape):
        """What becomes of the targets.

        Args:
            data: The dict of the inputs. Others than `targets` are
                ignored.
            parameters: What `draw` returned first.
            chosen: What it returned second.
            shape: What `sample` got.

        Returns:
            A dict of the targets that change.
        """
        return {
            key: kind.moved(self, data[key], parameters, chosen, shape)
            for key, kind in self.moved_kinds().items()
            if key in data
        }

    def run(self, tensor, parameters, chosen):
        """`transform`, compiled where that pays."""
        return run_compiled(self, "transform", tensor, parameters, chosen)

    def transform(self, tensor, parameters, chosen):
        """What becomes of the data, from their input to their output dtype."""
        layout = Layout(self, tensor)
        result = self.apply(layout.to_compute(tensor), parameters)
        result = layout.to_output(result)
        if chosen is None:
            return result
        return select(chosen, result, cast_within(tensor, layout.output_dtype))

    def output_dtype(self, input_dtype):
        """The dtype in which data of a dtype leave."""
        input_dtype = keras.backend.standardize_dtype(input_dtype)
        if keras.backend.is_float_dtype(input_dtype):
            return self.compute_dtype
        return input_dtype

    def output_shape(self, shape):
        """The shape of the output for what `sample` gets."""
        return shape

    def merging_key(self):
        """Equal for neighbours in a chain that can be one layer.

        Returns:
            `None` if this layer is one of its own.
        """
        return None

    def merged_with(self, others):
        """One layer for this one and others of its `merging_key`."""
        raise NotImplementedError

    def merged_parameters(self, parameters):
        """What was drawn for several layers, for that which is one of them."""
        raise NotImplementedError

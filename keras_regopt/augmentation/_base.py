import contextlib
import functools

import keras

from keras_regopt._config import SignatureConfig
from keras_regopt._keras import data_ops, data_random, in_tf_graph
from keras_regopt._roles import refuse_role
from keras_regopt._validate import in_range, integer
from keras_regopt.augmentation._batches import on_batch, selected
from keras_regopt.augmentation._clips import draw_for_clips
from keras_regopt.augmentation._compile import plain, run_compiled
from keras_regopt.augmentation._dtypes import cast_within, working
from keras_regopt.augmentation._inputs import (
    Sealed,
    check_labels,
    checked_training,
    like,
    opened,
    sealed,
)
from keras_regopt.augmentation._seeds import Seeds
from keras_regopt.augmentation._training import acts_by_itself, in_tf_data
from keras_regopt.augmentation._value_ranges import look_at_range


class RandomAugmentation(SignatureConfig, keras.layers.Layer):
    """Base of the random augmentations of every kind of data.

    A subclass writes `__init__`, which hands `seed` and `**kwargs` on, and

    - `sample(shape, seed)`, which draws what is random and returns a dict of
      tensors, each with a leading batch axis;
    - `apply(inputs, parameters)`, a pure function of its arguments;
    - where elements that are not augmented change too, `at_rest(shape)`.

    They compute with `self.ops` and `self.random`. These are `keras.ops` and
    `keras.random`, except in a `tf.data` function under JAX or torch, where
    the same names compute with TensorFlow.

    The layer acts where it is told to, by `training=True` or by `fit`. Where
    nothing is said of training, it acts only if it was itself called, either
    eagerly or in a `tf.data` function, or if it was called by a container
    that holds nothing but augmentations. It never acts in `model(x)`, in
    `predict` and `evaluate`, or in an exported model.

    Args:
        rate: Probability from 0 to 1 that an element of the batch is
            augmented at all, drawn for each by itself. Defaults to `1.0`.
        seed: Integer from 0 to 2147483647 that fixes all draws. Defaults to
            `None`, a random seed.
        **kwargs: `name` and `dtype` of a Keras layer.

    Raises:
        ValueError: If `rate` or `seed` is out of bounds.
    """

    # The key of the data in a dict, and the rank of one element of it.
    key = None
    element_rank = None

    # Whether `apply` computes with the values, in floats. What only moves
    # them about gets them in the dtype in which they came.
    computes_in_floats = True

    # A subclass that must know the lowest and the highest value that the data
    # can have takes this as an argument.
    value_range = None

    # Whether the elements of a batch are mixed with one another, and their
    # labels with them. Then there are no single elements.
    mixes = False

    # Whether batches of clips, with an axis of time behind that of the batch,
    # are taken too.
    takes_clips = False

    is_augmentation = True

    ops = data_ops
    random = data_random

    def __init__(self, *, rate: float = 1.0, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        # Keras would cast labels, ids and strings along with the data.
        self._convert_input_args = False
        self._allow_non_tensor_positional_args = True
        self.rate = in_range(self, "rate", rate, 0, 1)
        self.seed = integer(
            self, "seed", seed, low=0, high=2**31 - 1, optional=True
        )
        self._seeds = Seeds(self.seed)
        # Nothing is left to build.
        self.built = True
        # Keras finds the state to carry through jitted steps by this name.
        self.seed_generator = self._seeds.usual

    def sample(self, shape, seed):
        """Draws the parameters of one batch.

        Args:
            shape: The shape of the batch, a tuple of integers and, where a
                size is not known yet, scalar tensors.
            seed: A seed generator, or an integer.

        Returns:
            A dict of tensors with a leading batch axis.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must write `sample(self, shape, seed)`."
        )

    def apply(self, inputs, parameters):
        """Augments one batch, as the parameters say.

        Args:
            inputs: The batch, as a float tensor.
            parameters: What `sample` returned.

        Returns:
            A tensor.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must write "
            "`apply(self, inputs, parameters)`."
        )

    def at_rest(self, shape):
        """The parameters of elements that are not augmented.

        Args:
            shape: What `sample` gets.

        Returns:
            `None` if such elements leave as they came, which is the usual;
            parameters such as those of `sample`, but not random, if they
            too must change: a crop takes the middle.
        """
        return None

    def apply_to_labels(self, labels, parameters):
        """What becomes of the labels of a batch; here, nothing."""
        return labels

    def uniforms(self, count, batch, seed):
        """Draws numbers from 0 to 1, all in one go.

        Args:
            count: How many numbers an element of the batch needs.
            batch: The size of the batch.
            seed: A seed generator, or an integer.

        Returns:
            A list of `count` tensors of shape `(batch,)`.
        """
        draws = self.random.uniform((count, batch), seed=seed, dtype="float32")
        # Behind `take`, XLA cannot move the draw into a loop over pixels.
        return [self.ops.take(draws, row, axis=0) for row in range(count)]

    def __call__(self, inputs, *others, training=None, **kwargs):
        refuse_role(self, inputs)
        training = checked_training(self, others, training)
        # Said outright, `None` would hide what the caller of the model said.
        if training is not None:
            kwargs["training"] = training
        return super().__call__(sealed(inputs), **kwargs)

    def call(self, inputs, training=None):
        """Augments a batch or one element, or leaves it as it is.

        Args:
            inputs: A tensor, or a dict of the data and what belongs to it.
            training: `True` to augment, `False` not to, `None` to follow
                the rule in the description of the class.

        Returns:
            The same structure, in new containers.
        """
        if isinstance(inputs, Sealed):
            inputs = inputs.content
        data = self._opened(inputs)
        tensor = data[self.key]
        if training is None:
            training = acts_by_itself(self, tensor)
        if training:
            self._look(inputs, tensor)
        if training or self._overrides("at_rest"):
            single = len(tensor.shape) == self.element_rank
            data.update(self._changed(data, single, training))
        else:
            dtype = self._output_dtype(tensor.dtype)
            data[self.key] = self.ops.cast(tensor, dtype)
        return data if isinstance(inputs, dict) else data[self.key]

    def compute_output_spec(self, inputs, training=None):
        # New tensors all: Keras notes on each which layer it came from.
        data = keras.tree.map_structure(like, self._opened(inputs))
        spec = data[self.key]
        data[self.key] = keras.KerasTensor(
            self.compute_output_shape(spec.shape),
            self._output_dtype(spec.dtype),
        )
        return data if isinstance(inputs, dict) else data[self.key]

    def compute_output_shape(self, input_shape):
        return input_shape

    def save_own_variables(self, store):
        # Keras leaves out the state of seed generators.
        self._seeds.save(store)

    def load_own_variables(self, store):
        self._seeds.load(store)

    def _keras_config(self):
        return keras.layers.Layer.get_config(self)

    def _opened(self, inputs):
        return opened(self, inputs)

    def _look(self, inputs, tensor):
        """Warns of what is legal, but probably a mistake."""
        look_at_range(self, tensor)

    def _ranged(self):
        """The layers here that compute with their `value_range`."""
        return [] if self.value_range is None else [self]

    def _changed(self, data, single, training):
        """The entries of the dict that change."""
        changed = functools.partial(self._batch_changed, training=training)
        served = not training and in_tf_graph() and not in_tf_data()
        with plain() if served else contextlib.nullcontext():
            return on_batch(
                changed, self._followers(data), self.key, not single
            )

    def _batch_changed(self, data, training):
        tensor = data[self.key]
        shape = self._sample_shape(tensor)
        parameters, chosen = draw_for_clips(self, shape, training)
        results = self._follow(data, parameters, chosen, shape)
        results[self.key] = run_compiled(
            self, "_apply", tensor, parameters, chosen
        )
        return results

    def _drawn(self, shape, training, seed=None, among=None):
        """The parameters, and which elements they are for: `None` for all.

        A layer that holds this one may draw from a seed of its own, and
        among some elements only.
        """
        rest = self.at_rest(shape)
        if not training:
            return rest, None
        seed = self._seeds.current() if seed is None else seed
        parameters = self.sample(shape, seed)
        chosen = self._chosen(shape, seed, among)
        if chosen is None or rest is None:
            return parameters, chosen
        return {
            name: self._select(chosen, parameters[name], rest[name])
            for name in parameters
        }, None

    def _chosen(self, shape, seed, among=None):
        """Which elements `rate` lets through: `None` is all."""
        if self.rate == 1:
            return among
        (draw,) = self.uniforms(1, shape[0], seed)
        if among is None:
            return draw < self.rate
        return self.ops.logical_and(among, draw < self.rate)

    def _followers(self, data):
        """The entries that change, as tensors, in their own dtypes."""
        keys = {self.key}
        if self._overrides("apply_to_labels"):
            keys.add("labels")
        followers = keras.tree.map_structure(
            self.ops.convert_to_tensor,
            {k: v for k, v in data.items() if k in keys},
        )
        if "labels" in followers:
            check_labels(self, followers["labels"], followers[self.key])
        return followers

    def _follow(self, data, parameters, chosen, shape):
        """What becomes of the entries other than the data themselves."""
        if "labels" not in data:
            return {}
        labels = self.apply_to_labels(data["labels"], parameters)
        return {"labels": self._select(chosen, labels, data["labels"])}

    def _apply(self, tensor, parameters, chosen):
        result = self.apply(self._working(tensor), parameters)
        result = self._finished(result, tensor.dtype)
        before = self.ops.cast(tensor, self._output_dtype(tensor.dtype))
        return self._select(chosen, result, before)

    def _select(self, chosen, new, old):
        return selected(chosen, new, old)

    def _sample_shape(self, tensor):
        return tuple(self.ops.shape(tensor))

    def _working(self, tensor):
        return working(tensor, self.computes_in_floats, self.compute_dtype)

    def _finished(self, tensor, input_dtype):
        return cast_within(tensor, self._output_dtype(input_dtype))

    def _overrides(self, method):
        """Whether there is more to a method than its default."""
        return _is_overridden(self, method, RandomAugmentation)

    def _output_dtype(self, input_dtype):
        input_dtype = keras.backend.standardize_dtype(input_dtype)
        if keras.backend.is_float_dtype(input_dtype):
            return self.compute_dtype
        return input_dtype


def _is_overridden(layer, method, base):
    return getattr(type(layer), method) is not getattr(base, method)

from collections.abc import Collection

import keras

from keras_regopt._keras import data_ops, data_random
from keras_regopt._validate import in_range, integer
from keras_regopt.augmentation._kind import ANY, Kind
from keras_regopt.augmentation._layer import AugmentationLayer
from keras_regopt.augmentation._seeds import Seeds
from keras_regopt.augmentation._targets import (
    Labels,
    Target,
    check_declarations,
)


class RandomAugmentation(AugmentationLayer):
    """Base of the random augmentations of every kind of data.

    A subclass writes `__init__`, which hands `seed` and `**kwargs` on, and

    - `sample(shape, seed)`, which draws what is random and returns a dict of
      tensors, each with a leading batch axis;
    - `apply(inputs, parameters)`, a pure function of its arguments;
    - where what happens hangs on the data, `resolve(inputs, parameters,
      context)`, which adds that to the parameters;
    - where targets change with the data, `targets`, the set of their keys, and
      for each the method that changes it, `apply_to_labels` for `"labels"`;
    - where elements that are not augmented change too, `acts_in_inference =
      True` and `inference_parameters(shape)`.

    They compute with `self.ops` and `self.random`. These are `keras.ops` and
    `keras.random`, except in a `tf.data` function under JAX or torch, where
    the same names compute with TensorFlow.

    The layer acts where it is told to, by `training=True` or by `fit`. Where
    nothing is said of training, it acts only if it was itself called, either
    eagerly or in a `tf.data` function, or if it was called by a container
    that holds nothing but augmentations and layers that prepare data, such as
    `Rescaling` or `MelSpectrogram`. It never acts in `model(x)`, in `predict`
    and `evaluate`, or in an exported model.

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

    # The keys of what changes along with the data, and all that could.
    targets: Collection[str] = frozenset()
    target_kinds: dict[str, Target] = {"labels": Labels()}

    # Those of them that are looked at, whether they change or not.
    context_keys: Collection[str] = ()

    # What all layers of the same data have in common.
    kind: Kind = ANY

    # Whether the data are strings, which only TensorFlow has.
    holds_strings = False

    # Whether the data lack the axis of channels with which `apply` gets them,
    # or have the last of its axes in front.
    lacks_channels = False
    last_axis_first = False

    # Whether eager calls on few values are compiled, too: of what is a loop.
    compiles_small = False

    # What is 1 to `apply`, in the units of the data.
    unit = 1.0

    # Whether a subclass writes `resolve`, and whether to compile that pays.
    resolves = False
    resolves_costly = False

    # Whether elements that are not augmented change too: a crop takes the
    # middle of them.
    acts_in_inference = False

    # Whether `apply` computes with the values, in floats. What only moves
    # them about gets them in the dtype of the inputs.
    computes_in_floats = True

    # `"channels_first"` if the inputs can have their channels there.
    data_format: str | None = None

    # A subclass that must know the lowest and the highest value that the data
    # can have takes this as an argument. Beyond this share of it, they are
    # warned of.
    value_range = None
    range_tolerance = 1e-5

    # Whether the elements of a batch are mixed with one another, and their
    # labels with them, and how many make one. Then there are no single
    # elements.
    mixes = False
    mixed_count = 1

    # Whether batches of clips, with an axis of time behind that of the batch,
    # are taken too.
    takes_clips = False

    is_augmentation = True

    ops = data_ops
    random = data_random

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        check_declarations(cls)
        cls.resolves = cls.resolve is not RandomAugmentation.resolve

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

    def resolve(self, inputs, parameters, context):
        """Adds to the parameters what hangs on the data.

        Args:
            inputs: The batch, as `apply` gets it.
            parameters: What `sample` returned.
            context: A dict of what the inputs hold of `context_keys`.

        Returns:
            The parameters that `apply` and the methods of targets get.
        """
        return parameters

    def inference_parameters(self, shape):
        """The parameters of elements that are not augmented.

        Args:
            shape: What `sample` gets.

        Returns:
            `None` if such elements leave as they are, which is the usual;
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

    def compute_output_shape(self, input_shape):
        return input_shape

    def save_own_variables(self, store):
        # Keras leaves out the state of seed generators.
        self._seeds.save(store)

    def load_own_variables(self, store):
        self._seeds.load(store)

    def _keras_config(self):
        return keras.layers.Layer.get_config(self)

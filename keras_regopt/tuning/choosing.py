"""Classes and their arguments as hyperparameters."""

import inspect
from collections.abc import Sequence
from typing import Any, TypeAlias

import keras
import keras_tuner

from keras_regopt import augmentation as images
from keras_regopt import layers, optimizers, regularizers, schedules
from keras_regopt._search_space import Nested, Range
from keras_regopt._validate import fail, instance_of

Classes: TypeAlias = Sequence[type]

OPTIMIZERS = (
    optimizers.AdamW,
    optimizers.SGD,
    optimizers.Lion,
    optimizers.RAdam,
)
REGULARIZERS = (regularizers.L2, regularizers.L1, regularizers.ElasticNet)
SCHEDULES = (schedules.CosineDecay, schedules.OneCycle)
AUGMENTATIONS = (
    images.RandomAffine,
    images.RandAugment,
    images.RandomErasing,
)
DROPOUTS = (layers.Dropout, layers.GaussianDropout)


def choose(
    hp: keras_tuner.HyperParameters,
    classes: Classes,
    name: str,
    shared: Sequence[str] = (),
    none: bool = False,
    **fixed,
) -> Any:
    """An object of one of several classes, as a hyperparameter.

    The class is a choice `name`; the arguments in its `search_space` are
    hyperparameters `name/Class/argument`, which are active only where that
    class is chosen. All of them are declared at each call, so that an oracle
    knows the whole space after one build.

    Args:
        hp: The `HyperParameters` of a build.
        classes: The classes, of this package or your own, with a
            `search_space`; without one, only `fixed` is set.
        name: Name of the choice, which differs from other choices'.
        shared: Names of arguments that all classes take from one
            hyperparameter `name/argument`, of the first class' range.
        none: Whether `None` may be chosen, too. Defaults to `False`.
        **fixed: Arguments that are not searched, for the classes that take
            them.

    Returns:
        The object, or `None`.

    Raises:
        ValueError: If `classes` are no classes, or an argument is one that
            none of the classes, or in `shared` not each of them, has.

    Examples:
        >>> import keras_tuner
        >>> from keras_regopt.regularizers import L1, ElasticNet
        >>> hp = keras_tuner.HyperParameters()
        >>> choose(hp, [L1, ElasticNet], "penalty")
        L1()
        >>> [h.name for h in hp.space][:3]
        ['penalty', 'penalty/L1/l1', 'penalty/ElasticNet/rate']
    """
    spaces = _checked(hp, classes, name, shared, fixed)
    names = [cls.__name__ for cls in spaces]
    chosen = hp.Choice(name, [*(["none"] if none else []), *names])
    first = next(iter(spaces))
    common = {
        argument: _ask(hp, f"{name}/{argument}", first, argument, spaces[first])
        for argument in shared
    }
    made = None
    for cls, space in spaces.items():
        with hp.conditional_scope(name, [cls.__name__]):
            own = {
                argument: _ask(
                    hp,
                    f"{name}/{cls.__name__}/{argument}",
                    cls,
                    argument,
                    space,
                )
                for argument in space
                if argument not in common and argument not in fixed
            }
            if chosen == cls.__name__:
                given = {k: v for k, v in fixed.items() if _takes(cls, k)}
                made = cls(**{**common, **own, **given})
    return made


def choose_optimizer(
    hp: keras_tuner.HyperParameters,
    classes: Classes = OPTIMIZERS,
    name: str = "optimizer",
    **options,
) -> keras.optimizers.Optimizer:
    """An optimizer as a hyperparameter; see `choose`.

    Args:
        hp: The `HyperParameters` of a build.
        classes: Optimizers. Defaults to `AdamW`, `SGD`, `Lion` and `RAdam`.
        name: Name of the choice. Defaults to `"optimizer"`.
        **options: More of `choose`'s, such as `learning_rate=schedule`.

    Returns:
        The optimizer.
    """
    return choose(hp, classes, name, **options)


def choose_regularizer(
    hp: keras_tuner.HyperParameters,
    classes: Classes = REGULARIZERS,
    name: str = "regularizer",
    none: bool = True,
    **options,
) -> keras.regularizers.Regularizer | None:
    """A regularizer as a hyperparameter; see `choose`.

    Args:
        hp: The `HyperParameters` of a build.
        classes: Regularizers. Defaults to `L2`, `L1` and `ElasticNet`.
        name: Name of the choice. Defaults to `"regularizer"`.
        none: Whether `None` may be chosen. Defaults to `True`.
        **options: More of `choose`'s.

    Returns:
        The regularizer, or `None`.
    """
    return choose(hp, classes, name, none=none, **options)


def choose_schedule(
    hp: keras_tuner.HyperParameters,
    total_steps: int,
    classes: Classes = SCHEDULES,
    name: str = "schedule",
    **options,
) -> keras.optimizers.schedules.LearningRateSchedule:
    """A learning-rate schedule as a hyperparameter; see `choose`.

    Args:
        hp: The `HyperParameters` of a build.
        total_steps: Number of steps of the training.
        classes: Schedules with an argument `total_steps` or `decay_steps`.
            Defaults to `CosineDecay` and `OneCycle`.
        name: Name of the choice. Defaults to `"schedule"`.
        **options: More of `choose`'s.

    Returns:
        The schedule.
    """
    steps: dict[str, Any] = {
        argument: total_steps
        for argument in ("total_steps", "decay_steps")
        if any(_takes(cls, argument) for cls in classes)
    }
    return choose(hp, classes, name, **steps, **options)


def choose_augmentation(
    hp: keras_tuner.HyperParameters,
    classes: Classes = AUGMENTATIONS,
    name: str = "augmentation",
    none: bool = True,
    **options,
) -> keras.layers.Layer | None:
    """A random augmentation as a hyperparameter; see `choose`.

    Args:
        hp: The `HyperParameters` of a build.
        classes: Augmentations. Defaults to `RandomAffine`, `RandAugment` and
            `RandomErasing`, for images.
        name: Name of the choice. Defaults to `"augmentation"`.
        none: Whether `None` may be chosen. Defaults to `True`.
        **options: More of `choose`'s, such as `value_range=(0, 1)`.

    Returns:
        The layer, or `None`.
    """
    return choose(hp, classes, name, none=none, **options)


def choose_dropout(
    hp: keras_tuner.HyperParameters,
    classes: Classes = DROPOUTS,
    name: str = "dropout",
    none: bool = True,
    **options,
) -> keras.layers.Layer | None:
    """A dropout layer as a hyperparameter; see `choose`.

    Args:
        hp: The `HyperParameters` of a build.
        classes: Layers. Defaults to `Dropout` and `GaussianDropout`.
        name: Name of the choice. Defaults to `"dropout"`.
        none: Whether `None` may be chosen. Defaults to `True`.
        **options: More of `choose`'s.

    Returns:
        The layer, or `None`.
    """
    return choose(hp, classes, name, none=none, **options)


def _checked(hp, classes, name, shared, fixed):
    """The search space of each class."""
    kind = "the HyperParameters of a build"
    instance_of("choose", "hp", hp, keras_tuner.HyperParameters, kind)
    instance_of("choose", "name", name, str, "a string")
    good = isinstance(classes, (list, tuple)) and len(classes) > 0
    if not good or not all(isinstance(cls, type) for cls in classes):
        fail("choose", "classes", "a list of classes", classes)
    if len({cls.__name__ for cls in classes}) < len(classes):
        fail("choose", "classes", "classes of different names", classes)
    for argument in fixed:
        if not any(_takes(cls, argument) for cls in classes):
            allowed = "an argument of one of the classes"
            fail("choose", argument, allowed, fixed[argument])
    spaces = {cls: dict(getattr(cls, "search_space", {})) for cls in classes}
    for argument in shared:
        if not all(argument in space for space in spaces.values()):
            allowed = "in the search space of each of the classes"
            fail("choose", "shared", allowed, argument)
    return spaces


def _takes(cls, argument):
    """Whether the constructor of a class takes an argument."""
    return any(
        argument in inspect.signature(vars(base)["__init__"]).parameters
        for base in cls.__mro__
        if inspect.isfunction(vars(base).get("__init__"))
    )


def _ask(hp, name, cls, argument, space):
    """The value of an argument, or `None` where it is inactive."""
    values = space[argument]
    if isinstance(values, Nested):
        return choose(hp, values.classes, name)
    default = default_of(cls, argument)
    default = default if default in values else None
    if not isinstance(values, Range):
        return hp.Choice(name, list(values.values), default=default)
    ask = hp.Int if values.whole else hp.Float
    scale = "log" if values.log else "linear"
    return ask(name, *values.ends(), sampling=scale, default=default)


def default_of(cls, argument):
    """The default of a constructor's argument, `None` if there is none."""
    for base in cls.__mro__:
        if inspect.isfunction(vars(base).get("__init__")):
            found = inspect.signature(vars(base)["__init__"]).parameters
            if argument in found:
                default = found[argument].default
                return None if default is inspect.Parameter.empty else default
    return None

"""What is public is registered, and changes on purpose alone."""

import inspect
import pathlib

import keras
import pytest

import keras_regopt
from keras_regopt._registry import registered

pytestmark = pytest.mark.any_backend

NAMES = pathlib.Path(__file__).parent / "public_names.txt"


def packages():
    return {
        name: getattr(keras_regopt, name)
        for name in keras_regopt.__all__
        if inspect.ismodule(getattr(keras_regopt, name))
    }


def test_the_public_names_are_those_of_the_checked_in_list():
    names = [
        f"{package}.{name}"
        for package, module in packages().items()
        for name in module.__all__
    ]
    assert sorted(names) == sorted(NAMES.read_text().split()), (
        "A name that goes breaks users' code and saved models; "
        "a new one goes into tests/public_names.txt."
    )


def test_every_registered_class_is_public_in_its_own_package():
    for cls in registered():
        package = packages()[cls.__module__.split(".")[1]]
        assert cls.__name__ in package.__all__
        assert getattr(package, cls.__name__) is cls


def test_every_public_name_is_there_once_and_documented():
    for module in packages().values():
        assert len(module.__all__) == len(set(module.__all__))
        for name in module.__all__:
            assert inspect.getdoc(getattr(module, name))


def test_the_file_of_a_class_bears_its_name():
    for cls in registered():
        words = cls.__module__.rpartition(".")[2].replace("_", "")
        assert words == cls.__name__.lower()


def public_arguments():
    """The arguments of public functions, and of all our constructors."""
    for module in packages().values():
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isfunction(thing):
                yield name, list(inspect.signature(thing).parameters.values())
            for cls in thing.__mro__ if inspect.isclass(thing) else ():
                if cls.__module__.startswith("keras_regopt."):
                    yield name, own_arguments(cls)


def own_arguments(cls):
    found = []
    for method in {"__init__", "__new__"} & set(vars(cls)):
        signature = inspect.signature(vars(cls)[method])
        found += list(signature.parameters.values())[1:]
    return found


def test_every_argument_of_a_public_class_or_function_has_a_type():
    bare = {
        f"{name}({argument.name}=)"
        for name, arguments in public_arguments()
        for argument in arguments
        if argument.annotation is argument.empty
        and argument.kind not in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD)
    }
    assert not bare, "Type checkers and editors read the annotations."


# Where both mean the same under two names.
SAME = {("RandomGrayscale", "rate"): "factor"}
# Where Keras has the name, and counts from elsewhere: 0.5 changes nothing.
OF_ANOTHER_MEANING = {"RandomSharpness": "factor"}


def positional(cls):
    return [
        parameter.name
        for parameter in inspect.signature(cls).parameters.values()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    ]


@pytest.mark.parametrize(
    ("name", "of_keras"),
    [
        ("augmentation", keras.layers),
        ("callbacks", keras.callbacks),
        ("constraints", keras.constraints),
        ("layers", keras.layers),
        ("optimizers", keras.optimizers),
        ("regularizers", keras.regularizers),
        ("schedules", keras.optimizers.schedules),
    ],
)
def test_under_a_name_of_keras_a_position_means_what_it_means_there(
    name, of_keras
):
    for cls in registered():
        theirs = getattr(of_keras, cls.__name__, None)
        if cls.__name__ in packages()[name].__all__ and theirs is not None:
            ours = [
                SAME.get((cls.__name__, argument), argument)
                for argument in positional(cls)
            ]
            assert OF_ANOTHER_MEANING.get(cls.__name__) not in ours
            assert ours == positional(theirs)[: len(ours)], cls.__name__


@pytest.mark.parametrize("name", ["", *packages()])
def test_completion_shows_the_public_names_and_no_others(name):
    module = packages()[name] if name else keras_regopt
    assert dir(module) == sorted(module.__all__)

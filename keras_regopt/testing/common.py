"""The promises of every registered class, whatever its kind."""

import inspect
import json
import re

from keras_regopt._config import SignatureConfig, signature_arguments
from keras_regopt._search_space import Nested
from keras_regopt.testing._contract import NotApplicable, require


def survives_its_config(subject):
    """An object and its copy through JSON have the same configuration."""
    config = subject.make().get_config()
    through_json = json.loads(json.dumps(config))
    require(
        through_json == config,
        f"the configuration is not plain JSON: {config}",
    )
    again = subject.cls.from_config(through_json).get_config()
    require(
        again == config,
        f"the configuration changes: {config} becomes {again}",
    )
    missing = [name for name in _own_arguments(subject) if name not in config]
    require(not missing, f"the configuration lacks {missing}")


def documents_every_argument(subject):
    """The docstring of each class lists its own arguments under `Args:`."""
    for cls in _constructing_classes(subject.cls):
        text = inspect.getdoc(cls) or ""
        section = text.partition("Args:")[2].partition("\n\n")[0]
        missing = [
            name
            for name in inspect.signature(vars(cls)["__init__"]).parameters
            if name not in ("self", "name", "args")
            and not re.search(rf"^\s+\**{name}:", section, re.MULTILINE)
        ]
        require(
            not missing,
            f"the docstring of {cls.__name__} has no entry under Args for "
            f"{missing}",
        )


def refuses_bad_arguments(subject):
    """A meaningless value is refused at construction, by name."""
    for name in _own_arguments(subject):
        try:
            subject.make(**{name: _Meaningless()})
        except (TypeError, ValueError) as error:
            require(
                name in str(error),
                f"the error on a bad `{name}` does not name it: {error}",
            )
        else:
            require(False, f"a meaningless `{name}` is accepted")
    try:
        subject.make(no_such_argument=1)
    except (TypeError, ValueError):
        return
    require(False, "an unknown argument is accepted")


def shows_its_arguments(subject):
    """`repr` is the call that makes the object, without default values."""
    if not issubclass(subject.cls, SignatureConfig):
        raise NotApplicable("its `repr` is not ours")
    shown = repr(subject.make())
    require(
        shown.startswith(f"{subject.name}(") and " at 0x" not in shown,
        f"`repr` is no call of {subject.name}: {shown}",
    )
    usual = {
        name: parameter.default
        for name, parameter in signature_arguments(subject.cls).items()
    }
    missing = [
        name
        for name, value in subject.arguments.items()
        if name in usual
        and repr(value) != repr(usual[name])
        and f"{name}=" not in shown
    ]
    require(not missing, f"`repr` does not show {missing}: {shown}")


def can_be_searched(subject):
    """The ranges of `search_space` fit the arguments, and their ends work."""
    space = getattr(subject.cls, "search_space", None)
    if space is None:
        raise NotApplicable("it states no ranges")
    for name, values in space.items():
        require(
            name in _own_arguments(subject),
            f"`search_space` has `{name}`, which is no argument",
        )
        if isinstance(values, Nested):
            continue
        default = inspect.signature(subject.cls).parameters[name].default
        require(
            default is inspect.Parameter.empty or default in values,
            f"the default {name}={default!r} is not in {values}",
        )
        for end in values.ends():
            try:
                subject.make(**{name: end})
            except (TypeError, ValueError) as error:
                require(False, f"{name}={end} of `search_space`: {error}")


class _Meaningless:
    """Nothing that an argument could mean."""

    def __repr__(self):
        return "<meaningless>"


def _constructing_classes(cls):
    """The class itself and our bases that it hands arguments on to."""
    if "__init__" not in vars(cls):
        return []
    return [cls] + [
        base
        for base in cls.__mro__[1:]
        if issubclass(base, SignatureConfig)
        and "__init__" in vars(base)
        and set(signature_arguments(base)) <= set(signature_arguments(cls))
    ]


def _own_arguments(subject):
    if issubclass(subject.cls, SignatureConfig):
        names = signature_arguments(subject.cls)
    else:
        parameters = inspect.signature(subject.cls).parameters.values()
        names = [
            p.name
            for p in parameters
            if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        ]
    return [name for name in names if name != "name"]


PROMISES = [
    survives_its_config,
    documents_every_argument,
    refuses_bad_arguments,
    shows_its_arguments,
    can_be_searched,
]

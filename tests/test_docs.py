"""What is shown to users runs and is up to date."""

import doctest
import importlib
import importlib.util
import inspect
import pathlib
import pkgutil

import keras
import numpy as np
import pytest

import keras_regopt

# What a class computes is compared on every backend, by its own tests.
pytestmark = pytest.mark.any_backend

ROOT = pathlib.Path(__file__).parent.parent
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(keras_regopt.__path__, "keras_regopt.")
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_run(name):
    module = importlib.import_module(name)
    known = {**vars(module), "keras": keras, "np": np}
    outcome = doctest.testmod(module, extraglobs=known)
    assert outcome.failed == 0


def test_the_examples_in_the_readme_run():
    outcome = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert outcome.attempted > 5
    assert outcome.failed == 0


def test_the_ratios_of_the_readme_stand_in_the_tables():
    lines = (ROOT / "README.md").read_text().splitlines()
    rows = [line.split(" | ") for line in lines if "](docs/benchmarks/" in line]
    rows = [row for row in rows if len(row) == 5]
    assert len(rows) == 5
    for _, ratio, _, page, command in rows:
        table = (ROOT / page.partition("(")[2].rstrip(")")).read_text()
        assert f"| {ratio} " in table
        target = command.strip(" `|").removeprefix("make ")
        assert target in (ROOT / "Makefile").read_text()


def test_every_public_class_shows_an_example():
    from keras_regopt._registry import registered

    for cls in registered():
        assert ">>> " in cls.__doc__, f"{cls.__name__} has no example"


def test_the_catalogue_is_up_to_date():
    catalogue = docs_module("catalogue")
    text = (ROOT / "docs" / "catalogue.md").read_text()
    assert catalogue.page() == text, "Run `python docs/catalogue.py`."


def test_every_package_has_a_page():
    reference = (ROOT / "docs" / "api.md").read_text().split()
    for name in set(keras_regopt.__all__) - {"__version__"}:
        assert f"keras_regopt.{name}" in reference
        if inspect.ismodule(getattr(keras_regopt, name)):
            page = (ROOT / "docs" / f"{name}.md").read_text()
            assert f"_api/keras_regopt.{name}.rst" in page


def test_every_public_object_has_a_page():
    """The build writes a page for each name that `objects` gives it."""
    pages = docs_module("_extensions/object_pages").objects()
    for name in (ROOT / "tests" / "public_names.txt").read_text().split():
        package = name.partition(".")[0]
        assert f"keras_regopt.{name}" in pages[f"keras_regopt.{package}"]


def test_the_gallery_can_make_every_image_layer():
    gallery = docs_module("augmentation_pictures")
    for cls in gallery.image_layers():
        assert isinstance(gallery.sample(cls), cls)


def test_the_gallery_can_make_every_audio_layer():
    gallery = docs_module("audio_pictures")
    for cls in gallery.audio_layers():
        assert isinstance(gallery.sample(cls), cls)
        assert cls.key in gallery.sounds(cls)


def docs_module(name):
    path = ROOT / "docs" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

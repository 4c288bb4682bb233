"""Configuration of the documentation; `make docs` builds it."""

import inspect
import pathlib
import sys

from sphinx.util import logging

import keras_regopt

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))

project = "keras_regopt"
copyright = "the keras_regopt developers"
author = "the keras_regopt developers"
version = release = keras_regopt.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
html_theme = "alabaster"
html_theme_options = {"page_width": "60em", "fixed_sidebar": True}
html_sidebars = {"**": ["about.html", "navigation.html", "searchbox.html"]}
exclude_patterns = ["_build", "benchmarks/README.md"]

# A page shows what its package offers, in the order of the package's list.
autodoc_default_options = {
    "members": True,
    "ignore-module-all": False,
    "show-inheritance": True,
}
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_inherit_docstrings = False
napoleon_use_rtype = False
napoleon_use_ivar = True
# Docstrings are written in Markdown's single backticks.
default_role = "code"
napoleon_custom_sections = ["Input shape", "Output shape"]


def setup(app):
    app.connect("builder-inited", draw_pictures)
    # Before the sections of the docstring are read.
    app.connect("autodoc-process-docstring", show_formulas, priority=400)
    app.connect("env-check-consistency", warn_of_the_undocumented)


def show_formulas(app, what, name, obj, options, lines):
    """Shows the indented formulas of a docstring's description as they are."""
    shown = []
    for i, line in enumerate(lines):
        if line in ("Args:", "Returns:", "Raises:", "Examples:"):
            shown += lines[i:]
            break
        before = lines[i - 1] if i else ""
        if line.startswith("    ") and not before.strip():
            shown += ["::", ""]
        shown.append(line)
    lines[:] = shown


def draw_pictures(app):
    """Draws what the pages show, again in each build."""
    import audio_pictures
    import augmentation_pictures
    import schedule_pictures

    schedule_pictures.draw(HERE / "_pictures")
    augmentation_pictures.draw(HERE / "_pictures")
    audio_pictures.draw(HERE / "_pictures")


def warn_of_the_undocumented(app, env):
    """Makes the build fail (`-W`) on a public name without an entry."""
    documented = env.domaindata["py"]["objects"]
    for package in keras_regopt.__all__:
        module = getattr(keras_regopt, package)
        names = [f"{package}.{name}" for name in getattr(module, "__all__", ())]
        if inspect.isfunction(module):
            names = [package]
        for name in names:
            if f"keras_regopt.{name}" not in documented:
                logging.getLogger(__name__).warning(
                    "keras_regopt.%s is not in the docs", name
                )

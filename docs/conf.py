"""Configuration of the documentation; `make docs` builds it."""

import inspect
import pathlib
import sys

from sphinx.util import logging

import keras_regopt

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "_extensions")]
import object_pages  # noqa: E402
import object_sections  # noqa: E402

project = "keras_regopt"
copyright = "the keras_regopt developers"
author = "the keras_regopt developers"
version = release = keras_regopt.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "mathml",
    "name_links",
    "object_pages",
]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
templates_path = ["_templates"]
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["wide.css"]
html_title = "keras_regopt"
html_math_renderer = "mathml"
exclude_patterns = ["_build", "benchmarks/README.md"]
# The prompt and the output of an example are not copied.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
maximum_signature_line_length = 70

# Each package has a page, and each of its objects one below it.
autosummary_generate = True
autosummary_imported_members = True
autosummary_context = {
    "objects": object_pages.objects(),
    "sections": object_sections.Sections(),
}
# A page shows what its package offers, in the order of the package's list.
autodoc_default_options = {
    "members": True,
    "ignore-module-all": False,
    "show-inheritance": True,
}
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_inherit_docstrings = False
# Types of attributes that are read, not made by users.
nitpick_ignore_regex = [
    ("py:class", r"keras_regopt\.\w+\._.*"),
    ("py:class", r"keras_regopt\.diagnosis\.service\..*"),
    ("py:class", r"numpy\.ndarray"),
    # In the annotations of a dataclass, of which none has a page here.
    ("py:class", r"keras\.src\..*"),
    ("py:class", r"collections\.abc\.Callable"),
    ("py:exc", "Skip"),
]
napoleon_use_rtype = False
napoleon_use_ivar = True
# Docstrings are written in Markdown's single backticks.
default_role = "code"
napoleon_custom_sections = ["Input shape", "Output shape"]


def setup(app):
    # Before autosummary writes the pages that show them.
    app.connect("builder-inited", draw_pictures, priority=400)
    app.connect("env-check-consistency", warn_of_the_undocumented)


def draw_pictures(app):
    """Draws what the pages show, unless nothing has changed since."""
    drawn = HERE / "_pictures" / "audio.txt"
    package = pathlib.Path(keras_regopt.__file__).parent
    sources = [*package.rglob("*.py"), *HERE.glob("*_pictures.py")]
    sources += HERE.glob("benchmarks/*.md")
    newest = max(path.stat().st_mtime for path in sources)
    if drawn.exists() and drawn.stat().st_mtime > newest:
        return
    import audio_pictures
    import augmentation_pictures
    import benchmark_pictures
    import concept_pictures
    import schedule_pictures

    schedule_pictures.draw(HERE / "_pictures")
    augmentation_pictures.draw(HERE / "_pictures")
    concept_pictures.draw(HERE / "_pictures")
    benchmark_pictures.draw(HERE / "_pictures")
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

"""Configuration of the documentation; `make docs` builds it."""

import keras_regopt

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
napoleon_use_rtype = False
napoleon_use_ivar = True
# Docstrings are written in Markdown's single backticks.
default_role = "code"
napoleon_custom_sections = ["Input shape", "Output shape"]

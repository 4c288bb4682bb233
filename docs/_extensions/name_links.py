"""Links every public name in a text or a table to its page."""

import re

from docutils import nodes
from sphinx.addnodes import pending_xref

# `Dropout`, `layers.Dropout` or `kr.layers.Dropout(0.5)`.
NAME = re.compile(
    r"(?:(?:keras_regopt|kr)\.)?((?:[a-z]+\.)?[A-Za-z_]\w*)(?:\(.*\))?", re.S
)
# Of these the object is another one.
ANOTHERS = re.compile(r"(Keras'|Keras's|optax's|torch's|keras\.\w*\.?)\s*$")


def setup(app):
    app.connect("doctree-resolved", link_names)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def link_names(app, doctree, docname):
    """Makes a link of each literal that is the name of one of our objects."""
    if app.builder.format != "html":
        return
    targets = pages_of_names(app.env)
    for literal in list(doctree.findall(nodes.literal)):
        target = target_of(literal, targets)
        if target is None or target[0] == docname:
            continue
        page, anchor = target
        uri = app.builder.get_relative_uri(docname, page)
        link = nodes.reference("", "", internal=True, refuri=f"{uri}#{anchor}")
        literal.replace_self(link)
        link += literal


def target_of(literal, targets):
    """The page and the anchor that a literal names, or None."""
    within = literal.parent
    while within is not None:
        if isinstance(within, (nodes.reference, nodes.title, pending_xref)):
            return None
        within = within.parent
    match = NAME.fullmatch(literal.astext())
    target = targets.get(match[1]) if match else None
    if target is None:
        return None
    siblings = literal.parent.children
    place = siblings.index(literal)
    before = siblings[place - 1].astext() if place else ""
    return None if ANOTHERS.search(before) else target


def pages_of_names(env):
    """Page and anchor of each object, by its name with and without package."""
    pages = {}
    for name, entry in env.domaindata["py"]["objects"].items():
        parts = name.split(".")
        if parts[0] != "keras_regopt" or entry.objtype not in (
            "class",
            "function",
        ):
            continue
        pages[".".join(parts[1:])] = entry.docname, entry.node_id
        if len(parts) == 3:
            pages.setdefault(parts[2], (entry.docname, entry.node_id))
    return pages

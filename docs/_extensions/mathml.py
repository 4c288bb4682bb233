"""Sets mathematics as MathML, which browsers draw without a script."""

from docutils import nodes
from latex2mathml import converter


def setup(app):
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def convert(latex, display="inline"):
    """Writes a formula as browsers draw it best.

    Primes are not raised twice, and relations have space around them.
    """
    formula = converter.convert(
        latex.replace("'", "{\N{PRIME}}"), display=display
    )
    return formula.replace("<mi>&#x0007E;</mi>", "<mo>&#x0223C;</mo>")


def inline(self, node):
    self.body.append(convert(node.astext()))
    raise nodes.SkipNode


def block(self, node):
    """Sets each line of a formula below the one before."""
    lines = filter(str.strip, node.astext().splitlines())
    formulas = "".join(convert(line, display="block") for line in lines)
    self.body.append(f'<div class="math">{formulas}</div>')
    raise nodes.SkipNode

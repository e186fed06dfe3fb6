"""The report of a call: one self-contained page."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.report.shown import ShownCall
from gateway.report.view import FILTERS, view
from gateway.text import printable

TEMPLATES = Path(__file__).parent
"""The folder of the page's templates, styles and script."""


def render(call: ShownCall) -> str:
    """Return the page as HTML. Nothing in it is loaded from elsewhere, but for a recording that is beside it."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    return printable(environment.get_template("report.html.j2").render(view(call)))

"""Makes pages from templates. Whatever a template shows is escaped: names and words come from callers."""

from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway import report
from gateway.console import forms, wording
from gateway.console.route import visitor_of
from gateway.console.state import console_of
from gateway.console.visitors import Need
from gateway.path_segment import segment
from gateway.report.view import FILTERS
from gateway.text import printable

TEMPLATES = (Path(__file__).parent / "templates", Path(report.__file__).parent)
"""The templates of the console, and those of the report of a call."""
NAVIGATION = (
    ("/", "Now", Need.VIEWER),
    ("/calls", "Calls", Need.VIEWER),
    ("/lines", "Lines", Need.VIEWER),
    ("/figures", "Figures", Need.VIEWER),
    ("/phone", "Try", Need.LISTENER),
    ("/audit", "Audit", Need.OPERATOR),
)
"""The pages of the navigation, each with its path and what it needs."""


def environment() -> Environment:
    """Return the environment of all templates."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(Need=Need, navigation=NAVIGATION)
    made.filters.update(
        FILTERS,
        segment=segment,
        end_of=wording.end_of,
        failures_of=wording.failures_of,
        length_of=wording.length,
        cost_of=wording.cost_of,
        counted=wording.counted,
    )
    return made


_ENVIRONMENT = environment()


def render(request: web.Request, name: str, *, status: int = 200, **values: Any) -> web.Response:
    """Return a page: the template ``name`` with ``values``, and with ``visitor``, ``csrf`` and ``path``."""
    text = _ENVIRONMENT.get_template(name).render(
        visitor=visitor_of(request),
        csrf=forms.token_of(request),
        path=request.path,
        signs_out=not console_of(request).deployment.console.is_open,
        **values,
    )
    response = web.Response(status=status, text=printable(text), content_type="text/html", charset="utf-8")
    forms.set_cookie(request, response)
    return response


def fragment(name: str, **values: Any) -> str:
    """Return a part of a page, without what a request adds."""
    return printable(_ENVIRONMENT.get_template(name).render(**values))

"""All routes of the console, each with what it needs."""

from gateway.console import static_files
from gateway.console.pages import now, phone

ROUTES = (*static_files.ROUTES, *now.ROUTES, *phone.ROUTES)
"""Whatever is not here is answered with 404."""

"""All routes of the console, each with what it needs."""

from gateway.console import static_files
from gateway.console.pages import audit, call, calls, figures, lines, now, phone, recording, signing_in

ROUTES = (
    *static_files.ROUTES,
    *now.ROUTES,
    *calls.ROUTES,
    *call.ROUTES,
    *recording.ROUTES,
    *lines.ROUTES,
    *figures.ROUTES,
    *phone.ROUTES,
    *audit.ROUTES,
    *signing_in.ROUTES,
)
"""Whatever is not here is answered with 404."""

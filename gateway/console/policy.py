"""The headers of every answer: nothing inline, nothing from elsewhere, nothing kept, in no frame. Pure."""

from collections.abc import Iterable

from multidict import CIMultiDict


def content_security(*, connect: Iterable[str] = (), style: Iterable[str] = ()) -> str:
    """Return a Content-Security-Policy (W3C CSP 3); ``connect`` and ``style`` are further sources."""
    own = "'self'"
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {own}",
            f"style-src {' '.join((own, *style))}",
            f"img-src {own} data:",
            f"media-src {own} blob:",
            f"connect-src {' '.join((own, *connect))}",
            f"form-action {own}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


HEADERS = {
    "Content-Security-Policy": content_security(),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
"""The headers that an answer has unless its handler has set others."""


def protect(headers: CIMultiDict[str]) -> None:
    """Add the headers that are missing."""
    for name, value in HEADERS.items():
        headers.setdefault(name, value)

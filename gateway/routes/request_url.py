"""The public URL of a request, in the form that signatures cover."""

from aiohttp import web


def requested_url(public_url: str, request: web.Request) -> str:
    """Return ``public_url`` with the request's path and query; headers of proxies and ``Host`` are ignored."""
    return public_url + path_and_query(request.raw_path)


def path_and_query(target: str) -> str:
    """Return path and query of a request's target, which may also be a whole URL (RFC 9112 §3.2.2)."""
    if target.startswith("/"):
        return target
    _, _, rest = target.partition("://")
    _, slash, path = rest.partition("/")
    return slash + path

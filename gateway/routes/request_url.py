"""The public URL that a request was made to, as signatures cover it."""

from aiohttp import web


def requested_url(public_url: str, request: web.Request) -> str:
    """``public_url`` with the request's own path and query; what a proxy's header or ``Host`` claims does not count."""
    return public_url + path_and_query(request.raw_path)


def path_and_query(target: str) -> str:
    """Path and query of a request's target, which may be written as a whole URL too (RFC 9112 §3.2.2)."""
    if target.startswith("/"):
        return target
    _, _, rest = target.partition("://")
    _, slash, path = rest.partition("/")
    return slash + path

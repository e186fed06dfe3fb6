"""Server-sent events (HTML, section 9.2): a page learns what changes on a connection that stays open."""

from aiohttp import web

from gateway.console.policy import protect


async def event_stream(request: web.Request) -> web.StreamResponse:
    """Begin the answer to a page that follows events."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
    protect(response.headers)
    await response.prepare(request)
    return response


def event(data: str) -> bytes:
    """Return an event with this text."""
    lines = "".join(f"data: {line}\n" for line in data.splitlines() or [""])
    return f"{lines}\n".encode()

"""Names the fault of a request that is no proper HTTP, without its content. Pure."""

from aiohttp.http_exceptions import HttpProcessingError


def fault_of(error: HttpProcessingError) -> str:
    """Name the fault. The text after a colon or a line end is the request's, and may hold credentials."""
    return f"{type(error).__name__}: {error.message.partition(chr(10))[0].partition(':')[0][:80]}"

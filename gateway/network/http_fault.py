"""What is wrong with a request that is no proper HTTP, without what stands in it. Pure."""

from aiohttp.http_exceptions import HttpProcessingError


def fault_of(error: HttpProcessingError) -> str:
    """Name what is wrong. What stands behind a colon or a line end is the request's, which may hold credentials."""
    return f"{type(error).__name__}: {error.message.partition(chr(10))[0].partition(':')[0][:80]}"

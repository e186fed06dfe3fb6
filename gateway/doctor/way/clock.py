"""Compares this machine's clock with that of a server, by the ``Date`` of an answer (RFC 9110 §6.6.1)."""

import asyncio
from collections.abc import Callable
from email.utils import parsedate_to_datetime

import aiohttp

from gateway.doctor.row import Row, failed, fine, reduced, unclear
from gateway.doctor.way.address import Address

LIMIT_S = 5.0
TOLERATED_S = 5.0
"""A ``Date`` has no fractions, and the answer takes a while."""
REFUSED_S = 60.0
"""From here on signatures and tokens may be refused: Telnyx and jambonz tolerate 300 s, others less."""


async def compared(http: aiohttp.ClientSession, address: Address, about: str, now_s: Callable[[], float]) -> Row:
    """Return the row of the clock; ``now_s`` returns this machine's time in seconds since the epoch."""
    try:
        async with asyncio.timeout(LIMIT_S), http.get(address.root, allow_redirects=False) as answer:
            date = answer.headers.get("Date", "")
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        detail = f"{address.host} told no time: {str(error) or type(error).__name__}"
        return unclear("clock", detail, "compare this machine's clock with another one", about)
    try:
        server_s = parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return unclear("clock", f"{address.host} told no time", "compare this machine's clock with another one", about)
    off_s = now_s() - server_s
    if abs(off_s) <= TOLERATED_S:
        return fine("clock", f"as that of {address.host}", about)
    detail = f"this machine's clock is {_length(abs(off_s))} {'ahead of' if off_s > 0 else 'behind'} {address.host}"
    remedy = "set the clock, and keep it by NTP: signatures and tokens are refused by their time"
    if abs(off_s) >= REFUSED_S:
        return failed("clock", detail, remedy, about)
    return reduced("clock", detail, remedy, about)


def _length(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"

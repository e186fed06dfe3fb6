"""A connection that nobody reads: whether its peer has closed it."""

import asyncio
import select

LOOK_AGAIN_S = 0.1
ABANDONED_LIMIT_S = 60.0
"""The longest that such a connection is kept: a FIN behind more bytes than the kernel takes never arrives."""


async def until_closed_by_peer(transport: asyncio.Transport) -> None:
    """Return once the peer has closed a connection that is not read, or after ``ABANDONED_LIMIT_S``."""
    loop = asyncio.get_running_loop()
    until = loop.time() + ABANDONED_LIMIT_S
    if transport.is_closing():
        return
    watched = select.poll()  # a FIN behind bytes that are not read is seen by POLLRDHUP alone
    watched.register(transport.get_extra_info("socket").fileno(), getattr(select, "POLLRDHUP", 0))
    while loop.time() < until and not transport.is_closing() and not watched.poll(0):  # noqa: ASYNC110 -- no event
        await asyncio.sleep(LOOK_AGAIN_S)

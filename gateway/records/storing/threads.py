"""Work with files in threads, so that no call waits for a disk."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Result = TypeVar("Result")

BLOCK = 1024 * 1024
"""Bytes of a recording that are read at once."""


async def in_thread(work: Callable[Given, Result], *arguments: Given.args, **options: Given.kwargs) -> Result:
    """Return the result of ``work``, which is done in a thread; a caller who is cancelled meanwhile waits for its end.

    So nothing goes on behind the back of those who then release a file or a lock.
    """
    doing = asyncio.get_running_loop().run_in_executor(None, partial(work, *arguments, **options))
    try:
        return await asyncio.shield(doing)
    except asyncio.CancelledError:
        while not doing.done():
            with suppress(asyncio.CancelledError):  # cancelled twice
                await asyncio.wait([doing])
        if not doing.cancelled():
            doing.exception()
        raise

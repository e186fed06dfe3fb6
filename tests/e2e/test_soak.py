"""Many calls and many refusals, one wave after another: nothing of them stays.

``SOAK=3000 .venv/bin/pytest -s tests/e2e/test_soak.py`` tries so many of each and prints the figures.
"""

import asyncio
import gc
import os
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest
from msgspec import Struct

from tests.e2e.bare_phone import bare_phone, media
from tests.e2e.rig import LINE, Rig, configuration, instant, noise, rig
from tests.e2e.test_hang_up import open_files
from tests.virtual_time import virtual_time

COUNT = int(os.environ.get("SOAK", "160"))
"""Calls, and as many refusals."""
WAVE = 20
"""At a time."""
WARM_UP = 2 * WAVE
"""Until then caches fill, and tables grow to the size that they keep."""
SPARE_BYTES = 100_000
"""Of the test's own, the interpreter's and what the log last told; a call that is kept takes 20,000 and more."""
BYTES_EACH = 100


class Held(Struct, frozen=True):
    """What the process holds."""

    tasks: int
    descriptors: Counter[str]
    """By kind: ``socket``, ``pipe`` or the path of a file."""
    threads: int
    memory: int

    @classmethod
    def now(cls) -> "Held":
        """Count it."""
        gc.collect()
        kinds = Counter(path.partition(":[")[0] for path in open_files())
        return cls(len(asyncio.all_tasks()), kinds, threading.active_count(), tracemalloc.get_traced_memory()[0])


@contextmanager
def traced() -> Iterator[None]:
    """Count the memory of Python's objects."""
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


async def call(held: Rig, number: int) -> None:
    """Hear the greeting, say a word, and hang up in one of three ways."""
    call_id = f"CA{number}"
    async with bare_phone(held.stream_url, call_id) as phone:
        await phone.start()
        await phone.next("media")
        await phone.send(media())
        await phone.hang_up(("stop", "close", "reset")[number % 3])
    await held.end_of(call_id)


async def refused(held: Rig, number: int) -> None:
    """Be turned away: a webhook without a signature, a stream to nobody, one for a provider that is not served."""
    if number % 3 == 0:
        async with aiohttp.ClientSession() as http:
            answer = await http.post(f"{held.gateway.url}/answer/twilio", data={"CallSid": f"CA{number}"})
            assert answer.status == 403
    elif number % 3 == 1:
        async with bare_phone(held.stream_url, f"CB{number}") as phone:
            await phone.start(to="+19995550100")
            await phone.closed()
    else:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            async with bare_phone(held.stream_url.replace("twilio", "nobody")):
                pass


async def waves(held: Rig, act: Callable[[Rig, int], Awaitable[None]], first: int, last: int) -> Held:
    """Do it with each number, some at a time; returns what is held when all is over."""
    for start in range(first, last, WAVE):
        await asyncio.gather(*(act(held, number) for number in range(start, min(start + WAVE, last))))
        await held.until_quiet()
        held.notes.clear()
    for _ in range(10):
        await asyncio.sleep(30)  # what is closed is closed in the background, and idle connections after a minute
    return Held.now()


@pytest.mark.timeout(120 + COUNT)
@pytest.mark.parametrize("act", [call, refused])
@virtual_time
async def test_nothing_stays_of_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: Callable[[Rig, int], Awaitable[None]]
) -> None:
    """No task, descriptor or thread, and next to no memory."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)
    line = LINE.replace("Hello.", "200 ms")
    with traced():
        async with rig(configuration(tmp_path, {"support": line}), instant(), limit_s=1e6, keep_sessions=1) as held:
            before = await waves(held, act, 0, WARM_UP)
            after = await waves(held, act, WARM_UP, WARM_UP + COUNT)
            for _ in range(50):  # a thread, such as the one that follows the lines, may have a file open for a moment
                if not after.descriptors - before.descriptors:
                    break
                await asyncio.to_thread(time.sleep, 0.02)
                after = Held.now()
    print(f"{COUNT} of {act.__name__}: before {before}, after {after}")  # noqa: T201 -- figures for whoever runs it
    assert (after.tasks, after.threads) == (before.tasks, before.threads)
    assert not after.descriptors - before.descriptors
    assert after.memory - before.memory < SPARE_BYTES + BYTES_EACH * COUNT

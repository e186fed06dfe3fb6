"""The loop whose time jumps: real sockets and threads of the process, and timers without waiting."""

import asyncio
import threading
import time

from gateway.sim.virtual_time import VirtualTimeLoop, clock_of
from tests.virtual_time import virtual_time


@virtual_time
async def test_a_timer_of_an_hour_is_due_at_once() -> None:
    """And at its time, to the microsecond."""
    loop = asyncio.get_running_loop()
    before, really = loop.time(), time.process_time()
    await asyncio.sleep(3600)
    assert abs(loop.time() - before - 3600) < 1e-3
    assert time.process_time() - really < 1


@virtual_time
async def test_what_a_socket_brings_comes_before_the_next_timer() -> None:
    """Bytes on their way are served first, so that no time-out strikes in place of them."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(100))
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server, asyncio.timeout(0.001):
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        writer.write(b"hello")
        assert await reader.read() == b"hello"
        writer.close()
        await writer.wait_closed()


@virtual_time
async def test_time_stands_still_while_a_thread_works() -> None:
    """A thread takes real time, in which no timer comes due."""
    loop = asyncio.get_running_loop()
    before = loop.time()
    async with asyncio.timeout(0.001):
        await asyncio.to_thread(time.sleep, 0.01)
    assert loop.time() == before


@virtual_time
async def test_time_stands_still_within_a_block() -> None:
    """For whoever waits for a thread of its own, or for another process, and says so."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    before, done = loop.time(), asyncio.Event()
    thread = threading.Timer(0.01, loop.call_soon_threadsafe, [done.set])
    thread.start()
    with loop.standing_still():
        async with asyncio.timeout(0.001):
            await done.wait()
    assert loop.time() == before
    thread.join()


@virtual_time
async def test_the_end_of_the_threads_is_waited_for_in_real_time() -> None:
    """Five minutes, which Python 3.12 and later give them, would be over before the first of them ends."""
    loop = asyncio.get_running_loop()
    before, goes_on, ended = loop.time(), threading.Event(), threading.Event()

    def work() -> None:
        goes_on.wait()
        ended.set()

    loop.run_in_executor(None, work)
    threading.Timer(0.05, goes_on.set).start()
    await loop.shutdown_default_executor(300.0)  # type: ignore[call-arg, unused-ignore]  # as asyncio.Runner does
    assert ended.is_set()
    assert loop.time() - before < 1


@virtual_time
async def test_time_goes_on_while_the_loop_is_busy() -> None:
    """Else who asks again and again whether it is time yet would ask for ever."""
    loop = asyncio.get_running_loop()
    due = loop.time() + 1e-4
    async with asyncio.timeout(1):
        while loop.time() < due:  # noqa: ASYNC110 -- that is what is tried
            await asyncio.sleep(0)


def test_calls_have_the_clock_of_a_virtual_loop() -> None:
    """And the machine's on any other."""
    virtual, real = VirtualTimeLoop(), asyncio.new_event_loop()
    try:
        assert clock_of(virtual) == virtual.time
        assert clock_of(real) is time.monotonic
    finally:
        virtual.close()
        real.close()

"""Memory of several processes."""

import asyncio
import os
import sys
import time
from collections.abc import Iterator

import pytest

from gateway.fleet.memory import Memory, shared_file

SIZE = 4096
HOLDER = """
import fcntl, mmap, sys
memory = mmap.mmap(int(sys.argv[1]), 4096)
fcntl.lockf(int(sys.argv[1]), fcntl.LOCK_EX)
memory[0] = 7
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def descriptor() -> Iterator[int]:
    """A file for the memory, closed in the end."""
    made = shared_file(SIZE)
    yield made
    os.close(made)


async def test_a_process_that_stops_with_the_lock_holds_up_nobody(descriptor: int) -> None:
    """The others go on after a moment; with its end the lock is free."""
    memory = Memory(SIZE, descriptor)
    holder = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLDER, str(descriptor)),
        pass_fds=[descriptor],
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert holder.stdout is not None
    try:
        async with asyncio.timeout(60):
            assert await holder.stdout.readline() == b"locked\n"
        assert memory.bytes[0] == 7
        before = time.monotonic()
        with memory.locked():
            assert memory._lock() is None
        assert time.monotonic() - before < 30
    finally:
        holder.kill()
        await holder.communicate()
    assert memory._lock() == descriptor


def test_alone_a_process_needs_no_file() -> None:
    """Memory of its own, and no lock."""
    memory = Memory(SIZE)
    with memory.locked():
        memory.bytes[SIZE - 1] = 9
    assert memory.bytes[SIZE - 1] == 9

"""The time that the pages of the console take with ten thousand recorded calls: ``python -m bench.console [CALLS]``.

Each page is asked for several times; the fastest is what the page itself takes, whatever else the machine does.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp

from gateway.config import load_deployment
from gateway.console.application import console_listening
from gateway.console.state import console_for
from gateway.records.store.database import Database
from tests.records.many import fill

CALLS, TIMES, LIMIT_MS = 10_000, 7, 200
LINE = 'numbers: ["+1425555{n:04}"]\ninstructions: Answer.\n'


async def _measured(calls: int) -> int:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "gateway.yaml"
        file.write_text("records: {}\n", "utf-8")
        (file.parent / "lines").mkdir()
        for n, name in enumerate(("support", "sales", "restaurant")):
            (file.parent / "lines" / f"{name}.yaml").write_text(LINE.format(n=n), "utf-8")
        deployment = load_deployment(file, {})
        async with Database(deployment.database) as database:
            await database.migrate()
            await fill(database, calls, datetime.now(UTC))
        listening = console_listening(console_for(deployment), "127.0.0.1", 0)
        async with listening as url, aiohttp.ClientSession(base_url=url) as client:
            return await _pages(client)


async def _pages(client: aiohttp.ClientSession) -> int:
    async with client.get("/calls") as answer:
        key = (await answer.text()).partition('href="/calls/')[2].partition('"')[0]
    slow = 0
    for path in _paths(key):
        wall, cpu = [], []
        for _ in range(TIMES):
            began, used = time.perf_counter(), time.process_time()
            async with client.get(path) as answer:
                assert answer.status == 200, (path, answer.status)
                await answer.read()
            wall.append((time.perf_counter() - began) * 1000)
            cpu.append((time.process_time() - used) * 1000)
        slow += min(cpu) > LIMIT_MS
        print(f"{min(cpu):6.0f} ms of a core, {min(wall):6.0f} ms in all  {path}")
    return int(slow > 0)


def _paths(key: str) -> Iterator[str]:
    yield from ("/", "/calls", "/calls?problem=1", "/calls?recorded=1&line=sales", "/calls?said=no+such+words")
    yield from (f"/calls/{key}", f"/calls/{key}/call.json", "/figures", "/figures?days=90", "/figures?line=support")


if __name__ == "__main__":
    sys.exit(asyncio.run(_measured(int(sys.argv[1]) if len(sys.argv) > 1 else CALLS)))

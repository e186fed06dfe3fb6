"""The calls of all processes, followed while somebody looks."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self

import pytest
from structlog.testing import capture_logs

from gateway.call.calls import Calls
from gateway.call.ending import Order
from gateway.call.history.glance import Glance, LastWords
from gateway.live import server, watch
from gateway.live.messages import OrderFor, Outcome, Update
from gateway.live.source import Source, sources_in
from gateway.live.watch import Watch
from tests.live.conftest import ABOUT, process
from tests.live.played import PlayedCall, going_on
from tests.virtual_time import virtual_time


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look and leave quickly: no test is about these times."""
    monkeypatch.setattr(server, "LOOK_S", 0.01)
    monkeypatch.setattr(watch, "SEEK_S", 0.02)
    monkeypatch.setattr(watch, "LINGER_S", 0.02)


async def test_calls_are_followed_while_somebody_looks(tmp_path: Path) -> None:
    """The first look has them; a change sets the event; with nobody looking, no call is looked at any more."""
    calls, call = Calls(1), PlayedCall("CA1")
    async with asyncio.timeout(10), process(tmp_path, calls), Watch(lambda: sources_in(tmp_path)).running() as seen:
        with going_on(calls, call):
            await asyncio.sleep(0.1)
            assert call.looks == 0
            async with seen.looking() as changed:
                assert [one.words for one in seen.calls] == ["Where is my order?"]
                assert seen.about[0].limit == 10
                changed.clear()
                call.now = Glance("talking", "bot", LastWords("bot", "On its way."))
                await changed.wait()
                assert [one.speaker for one in seen.calls] == ["bot"]
            while seen.calls:  # noqa: ASYNC110 -- nobody looks, so that there is no event
                await asyncio.sleep(0.01)
            looks = call.looks
            await asyncio.sleep(0.1)
            assert call.looks == looks


async def test_an_order_finds_the_process_that_has_the_call(tmp_path: Path) -> None:
    """Whether somebody looks or not; a socket that nobody serves any more is passed over."""
    calls, call = Calls(1), PlayedCall("CA1")
    (tmp_path / "live-0.sock").touch()
    async with asyncio.timeout(10), process(tmp_path, calls), Watch(lambda: sources_in(tmp_path)).running() as seen:
        with going_on(calls, call):
            assert await seen.order(OrderFor("twilio", "CA1")) is Outcome.DONE
            assert await seen.order(OrderFor("twilio", "CA9")) is Outcome.REFUSED
    assert call.orders == [Order()]


async def test_a_process_that_ends_takes_its_calls_along(tmp_path: Path) -> None:
    """One that comes is found while somebody looks."""
    calls = Calls(1)
    async with asyncio.timeout(10), Watch(lambda: sources_in(tmp_path)).running() as seen, seen.looking() as changed:
        assert seen.calls == []
        with going_on(calls, PlayedCall("CA1")):
            async with process(tmp_path, calls):
                while not seen.calls:
                    changed.clear()
                    await changed.wait()
            while seen.calls:
                changed.clear()
                await changed.wait()
        assert seen.about == []


class Away:
    """A gateway that is away but for a while at its sixth try; it keeps the times of the tries."""

    def __init__(self) -> None:
        self.tries: list[float] = []

    def __call__(self, source: Source) -> Self:
        self.tries.append(asyncio.get_running_loop().time())
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        pass

    async def updates(self) -> AsyncIterator[Update]:
        """Raise, or yield the state and end after a while."""
        if len(self.tries) != 6:
            raise ConnectionRefusedError
        yield Update(about=ABOUT)
        await asyncio.sleep(100)


@virtual_time
async def test_a_gateway_that_is_away_is_asked_ever_more_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to 16 s; once it has answered it counts as well, and the pauses begin anew. Each failure is logged once."""
    monkeypatch.setattr(watch, "SEEK_S", 1.0)
    away, url = Away(), "https://gateway.example.com"
    monkeypatch.setattr(watch, "Reader", away)
    with capture_logs() as logs:
        async with Watch(lambda: [Source(url=url)]).running() as seen, seen.looking():
            assert [one.failure for one in seen.gateways] == ["is not reached"]
            await asyncio.sleep(40)
            assert [(one.failure, one.about) for one in seen.gateways] == [("", (ABOUT,))]
            await asyncio.sleep(110)
            assert [one.failure for one in seen.gateways] == ["is not reached"]
    pauses = [later - earlier for earlier, later in zip(away.tries, away.tries[1:], strict=False)]
    assert pauses[:8] == pytest.approx([1, 2, 4, 8, 16, 101, 2, 4], abs=1.1)
    assert [entry["detail"] for entry in logs] == [
        "is not reached",
        "has closed the connection",
        "is not reached",
    ]


def test_the_sockets_of_a_folder_are_its_processes(tmp_path: Path) -> None:
    """Other files are not."""
    for name in ("live-1.sock", "live-2.sock", "gateway.yaml"):
        (tmp_path / name).touch()
    assert sources_in(tmp_path) == [Source(str(tmp_path / "live-1.sock")), Source(str(tmp_path / "live-2.sock"))]

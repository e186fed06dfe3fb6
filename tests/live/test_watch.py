"""The calls of all processes, followed while somebody looks."""

import asyncio
from pathlib import Path

import pytest

from gateway.call.calls import Calls
from gateway.call.ending import Order
from gateway.call.history.glance import Glance, LastWords
from gateway.live import server, watch
from gateway.live.messages import OrderFor, Outcome
from gateway.live.source import Source, sources_in
from gateway.live.watch import Watch
from tests.live.conftest import process
from tests.live.played import PlayedCall, going_on


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


def test_the_sockets_of_a_folder_are_its_processes(tmp_path: Path) -> None:
    """Other files are not."""
    for name in ("live-1.sock", "live-2.sock", "gateway.yaml"):
        (tmp_path / name).touch()
    assert sources_in(tmp_path) == [Source(str(tmp_path / "live-1.sock")), Source(str(tmp_path / "live-2.sock"))]

"""Who hears of the tries at a session."""

import asyncio

import pytest

from gateway.errors import WireError
from gateway.voice.bot import Model
from gateway.voice.endpoints.tries import GIVEN_UP, Tried, listening, trying

MODEL = Model("gpt-realtime")


class Clock:
    """A clock that goes on by a second whenever it is read."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def test_a_try_is_told_to_who_listens() -> None:
    """Its endpoint, its model, how long it took, and why it failed; the failure is raised all the same."""
    heard: list[Tried] = []
    with listening(heard.append):
        with trying("west", MODEL, Clock()):
            pass
        with pytest.raises(WireError, match="503"), trying("east", MODEL, Clock()):
            raise WireError("answered with 503")
        with pytest.raises(asyncio.CancelledError), trying("east", MODEL, Clock()):
            raise asyncio.CancelledError
    assert heard == [
        Tried("west", "gpt-realtime", 1.0),
        Tried("east", "gpt-realtime", 1.0, "answered with 503"),
        Tried("east", "gpt-realtime", 1.0, GIVEN_UP),
    ]


def test_nobody_listens() -> None:
    """Then not even the time is read."""
    clock = Clock()
    with trying("west", MODEL, clock):
        pass
    assert clock.now == 0.0


async def test_tasks_are_heard_by_who_started_them() -> None:
    """A call hears of its own sessions alone, also of those that its tasks open."""
    heard: dict[str, list[str]] = {"first": [], "second": []}

    async def opens(endpoint: str) -> None:
        await asyncio.sleep(0)
        with trying(endpoint, MODEL, Clock()):
            pass

    async def call(name: str) -> None:
        with listening(lambda tried: heard[name].append(tried.endpoint)):
            async with asyncio.TaskGroup() as group:
                group.create_task(opens(f"{name} endpoint"))

    async with asyncio.TaskGroup() as calls:
        for name in heard:
            calls.create_task(call(name))
    assert heard == {"first": ["first endpoint"], "second": ["second endpoint"]}

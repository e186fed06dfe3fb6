"""Keys that a provider publishes, against a publisher that is slow, gone or talks nonsense."""

import asyncio
from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from gateway.call.metrics import Metrics
from gateway.config.providers import Acs as AcsSettings
from gateway.config.providers import Twilio as TwilioSettings
from gateway.errors import WireError
from gateway.phone.acs import Acs
from gateway.phone.provider import HttpRequest
from gateway.phone.twilio import Twilio
from gateway.rest import CallControl, CallControlError
from gateway.routes import published_keys
from gateway.routes.published_keys import PublishedKeys, PublishesKeys


class Publisher(CallControl):
    """Answers with what it is given, an error among it raised; ``open`` holds its answers back until it is set."""

    def __init__(self, *answers: bytes | CallControlError) -> None:
        super().__init__()
        self._answers = list(answers)
        self.asked: list[str] = []
        self.was_asked = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()

    async def perform(self, requests: Sequence[HttpRequest]) -> bytes:
        self.asked += [request.url for request in requests]
        self.was_asked.set()
        await self.open.wait()
        answer = self._answers.pop(0)
        if isinstance(answer, CallControlError):
            raise answer
        return answer


class Signed(Acs):
    """A provider that remembers which keys it was given, and takes no ``bad`` ones."""

    def __init__(self) -> None:
        super().__init__(AcsSettings(keys_url="https://keys.example.com"), lambda: 0.0)
        self.given: list[bytes] = []

    def set_keys(self, document: bytes) -> None:
        if document == b"bad":
            raise WireError("not a JWKS document")
        self.given.append(document)


class Clock:
    """A monotonic clock that stands still."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that the age of keys is told by."""
    clock = Clock()
    monkeypatch.setattr(published_keys, "time", clock)
    return clock


@pytest.mark.usefixtures("clock")
async def test_a_provider_that_publishes_none_is_left_alone() -> None:
    """Nothing is fetched for Twilio; ACS is one that publishes."""
    publisher = Publisher()
    await PublishedKeys(publisher, Metrics()).fetch_for(Twilio(TwilioSettings()))
    assert publisher.asked == []
    assert isinstance(Signed(), PublishesKeys)


async def test_keys_are_fetched_when_first_wanted_and_when_old(clock: Clock) -> None:
    """Once an hour, however many requests there are."""
    publisher, provider = Publisher(b"one", b"two"), Signed()
    keys = PublishedKeys(publisher, Metrics())
    for after_s in (0.0, 0.0, published_keys.LIFE_S - 1):
        clock.now += after_s
        await keys.fetch_for(provider)
    assert (publisher.asked, provider.given) == (["https://keys.example.com"], [b"one"])
    clock.now += 1
    await keys.fetch_for(provider)
    assert provider.given == [b"one", b"two"]


@pytest.mark.usefixtures("clock")
async def test_whoever_comes_meanwhile_waits_for_the_same_answer() -> None:
    """One request is made for all of them, and none goes on without the keys."""
    publisher, provider = Publisher(b"one"), Signed()
    keys = PublishedKeys(publisher, Metrics())
    publisher.open.clear()
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(keys.fetch_for(provider)) for _ in range(5)]
        await publisher.was_asked.wait()
        assert not any(task.done() for task in waiting)
        publisher.open.set()
    assert (len(publisher.asked), provider.given) == (1, [b"one"])


@pytest.mark.parametrize("failure", [CallControlError("GET https://keys.example.com failed"), b"bad"])
async def test_keys_that_cannot_be_had_are_asked_for_again_soon(
    clock: Clock, failure: bytes | CallControlError
) -> None:
    """The log tells, the old keys stay, and nobody asks again for ten seconds: an attacker makes no storm of it."""
    publisher, provider, metrics = Publisher(b"one", failure, b"two"), Signed(), Metrics(["acs"])
    keys = PublishedKeys(publisher, metrics)
    await keys.fetch_for(provider)
    clock.now += published_keys.LIFE_S
    with capture_logs() as logs:
        for after_s in (0.0, 0.0, published_keys.RETRY_S - 1):
            clock.now += after_s
            await keys.fetch_for(provider)
    assert [(entry["event"], entry["provider"]) for entry in logs] == [("keys_unavailable", "acs")]
    assert metrics.registry.get_sample_value("gateway_keys_unavailable_total", {"provider": "acs"}) == 1
    assert (len(publisher.asked), provider.given) == (2, [b"one"])
    clock.now += 1
    await keys.fetch_for(provider)
    assert provider.given == [b"one", b"two"]

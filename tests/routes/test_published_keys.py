"""Keys that a provider publishes, against a publisher that is slow, gone or talks nonsense, and forged tokens."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from structlog.testing import capture_logs

from gateway.call.metrics import Metrics
from gateway.config.providers import Acs as AcsSettings
from gateway.config.providers import Twilio as TwilioSettings
from gateway.errors import WireError
from gateway.phone.provider import KeySet, SignatureError
from gateway.phone.providers.acs.provider import Acs
from gateway.phone.providers.twilio.provider import Twilio
from gateway.phone.requests import HttpRequest
from gateway.phone.shared.jwks import UnknownKeyError
from gateway.rest import CallControl, CallControlError
from gateway.routes import published_keys
from gateway.routes.published_keys import LIFE_S, RETRY_S, PublishedKeys
from gateway.sim.phone.rest_api import ApiRequest, ApiResponse
from gateway.sim.providers import acs
from tests.e2e.exchange import exchange
from tests.e2e.rig import LINE, instant
from tests.phone.parts import setup

BEARER = {"authorization": "Bearer token"}
FORGER = generate_private_key(65537, 2048)


class Publisher(CallControl):
    """Answers with what it is given, an error among it raised; ``open`` holds its answers back until it is set."""

    def __init__(self, *answers: bytes | Exception) -> None:
        super().__init__()
        self._answers = list(answers)
        self.asked: list[str] = []
        self.was_asked = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()

    async def _perform(self, request: HttpRequest, until: float) -> bytes:
        self.asked.append(request.url)
        self.was_asked.set()
        await self.open.wait()
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Known(KeySet):
    """Key sets that are ``key,key``; ``bad`` is none."""

    def __init__(self) -> None:
        self.known: list[str] = []

    def request(self) -> HttpRequest:
        return HttpRequest("GET", "https://keys.example.com")

    def replace(self, document: bytes) -> None:
        if document == b"bad":
            raise WireError("not a JWKS document")
        self.known = document.decode().split(",")

    def check(self, key: str) -> str:
        """Check what is signed with a key."""
        if key not in self.known:
            raise UnknownKeyError(f"no key {key}")
        return f"checked by {key}"


class Signed(Acs):
    """A provider whose tokens are signed with published keys."""

    def __init__(self) -> None:
        super().__init__(AcsSettings(), setup("acs"))
        self.known = Known()
        self.published_keys = self.known


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


class Held:
    """Published keys and a provider that wants them."""

    def __init__(self, publisher: Publisher) -> None:
        self.publisher = publisher
        self.provider = Signed()
        self.keys = PublishedKeys(publisher, Metrics(["acs"]))

    async def check(self, key: str) -> str:
        return await self.keys.checked(self.provider, BEARER, lambda: self.provider.known.check(key))

    async def quiet(self) -> None:
        """Return once no fetch is under way."""
        while self.keys._fetches:
            await asyncio.wait(self.keys._fetches.values())


@asynccontextmanager
async def held(*answers: bytes | Exception) -> AsyncIterator[Held]:
    made = Held(Publisher(*answers))
    async with asyncio.timeout(10), made.keys:
        yield made


@pytest.mark.usefixtures("clock")
async def test_nothing_is_fetched_that_is_not_needed() -> None:
    """Not for a provider that publishes none, nor for a request whose check wants no key."""
    async with held() as this:
        assert await this.keys.checked(Twilio(TwilioSettings(), setup("twilio")), BEARER, lambda: 1) == 1
        assert await this.keys.checked(this.provider, {}, lambda: 2) == 2
        with pytest.raises(SignatureError, match="the secret is wrong"):
            await this.keys.checked(this.provider, {}, _wrong)
        await this.quiet()
        assert this.publisher.asked == []


def _wrong() -> None:
    raise SignatureError("the secret is wrong")


async def test_keys_are_fetched_when_a_token_names_one(clock: Clock) -> None:
    """Once, however many requests there are; then again when they are old, while the old ones serve."""
    async with held(b"a", b"b") as this:
        for after_s in (0.0, 0.0, LIFE_S - 1):
            clock.now += after_s
            assert await this.check("a") == "checked by a"
            await this.quiet()
        assert this.publisher.asked == ["https://keys.example.com"]
        clock.now += 1
        this.publisher.open.clear()
        for _ in range(3):
            assert await this.check("a") == "checked by a"
        this.publisher.open.set()
        await this.quiet()
        assert len(this.publisher.asked) == 2
        assert await this.check("b") == "checked by b"


@pytest.mark.usefixtures("clock")
async def test_the_first_fetch_waits_for_nothing(clock: Clock) -> None:
    """The monotonic clock begins with the machine: half a second after it started, keys are fetched as ever."""
    clock.now = 0.5
    async with held(b"a") as this:
        assert await this.check("a") == "checked by a"


async def test_whoever_comes_meanwhile_waits_for_the_same_answer() -> None:
    """One request is made for all of them; one that gives up waiting does not end it."""
    async with held(b"a") as this:
        this.publisher.open.clear()
        async with asyncio.TaskGroup() as group:
            waiting = [group.create_task(this.check("a")) for _ in range(5)]
            await this.publisher.was_asked.wait()
            assert not any(task.done() for task in waiting)
            waiting[0].cancel()
            await asyncio.wait(waiting[:1])
            this.publisher.open.set()
        assert [task.result() for task in waiting[1:]] == ["checked by a"] * 4
        assert len(this.publisher.asked) == 1


@pytest.mark.usefixtures("clock")
async def test_a_forged_token_holds_nobody_up() -> None:
    """Tokens by unknown keys wait for a slow publisher; one by a key that is in hand is checked at once."""
    async with held(b"a", b"a") as this:
        assert await this.check("a") == "checked by a"
        await this.quiet()
        this.keys._next_at.clear()
        this.publisher.was_asked.clear()
        this.publisher.open.clear()
        async with asyncio.TaskGroup() as group:
            forged = [group.create_task(refused(this, f"forged {number}")) for number in range(3)]
            await this.publisher.was_asked.wait()
            assert await this.check("a") == "checked by a"
            assert not any(task.done() for task in forged)
            this.publisher.open.set()
        assert len(this.publisher.asked) == 2


async def refused(this: Held, key: str) -> None:
    with pytest.raises(UnknownKeyError):
        await this.check(key)


async def test_an_unknown_key_is_asked_for_at_most_every_ten_seconds(clock: Clock) -> None:
    """Counted from the end of the last fetch: an attacker makes no storm of it, and a new key is soon known."""
    async with held(b"a", b"a,b") as this:
        this.publisher.open.clear()
        async with asyncio.TaskGroup() as group:
            group.create_task(refused(this, "b"))
            await this.publisher.was_asked.wait()
            clock.now += 60  # so slow is the publisher
            this.publisher.open.set()
        for after_s in (0.0, RETRY_S - 1):
            clock.now += after_s
            await refused(this, "b")
        assert len(this.publisher.asked) == 1
        clock.now += 1
        assert await this.check("b") == "checked by b"


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (CallControlError("GET https://keys.example.com failed"), "GET https://keys.example.com failed"),
        (b"bad", "not a JWKS document"),
        (ZeroDivisionError("by zero"), "ZeroDivisionError: by zero"),
    ],
)
async def test_keys_that_cannot_be_had(clock: Clock, failure: bytes | Exception, told: str) -> None:
    """The log tells, the old keys serve, and the publisher is asked again ten seconds after it failed."""
    async with held(b"a", failure, b"b") as this:
        await this.check("a")
        clock.now += LIFE_S
        with capture_logs() as logs:
            for after_s in (0.0, 0.0, RETRY_S - 1):
                clock.now += after_s
                assert await this.check("a") == "checked by a"
                await this.quiet()
        assert [(entry["event"], entry["provider"], entry["detail"]) for entry in logs] == [
            ("keys_unavailable", "acs", told)
        ]
        clock.now += 1
        assert await this.check("a") == "checked by a"
        await this.quiet()
        assert len(this.publisher.asked) == 3
        assert await this.check("b") == "checked by b"


async def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """A publisher that takes long costs a request a few seconds; the fetch goes on, and ends with the gateway."""
    monkeypatch.setattr(published_keys, "WAIT_S", 0.01)
    async with held(b"a") as this:
        this.publisher.open.clear()
        await refused(this, "a")
        await refused(this, "a")
        assert len(this.publisher.asked) == 1
    assert not this.keys._fetches


async def test_a_slow_publisher_holds_up_no_event_grid(tmp_path: Path) -> None:
    """Deliveries with the secret in their address are answered while a forged token waits for the keys."""
    async with exchange(tmp_path, ["acs"], {"support": LINE}, instant()) as this:
        came, go_on = asyncio.Event(), asyncio.Event()

        async def slow(_: ApiRequest) -> ApiResponse:
            came.set()
            await go_on.wait()
            return ApiResponse(200, acs.published_keys())

        this.apis["acs"].on("GET", acs.KEYS_PATH, slow)
        secret = this.accounts["acs"].secrets["stream_secret"]
        async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as group:
            token = jwt.encode({}, FORGER, "RS256", headers={"kid": "forged"})
            forged = group.create_task(status_of(http, f"{this.url}/status/acs", {"Authorization": f"Bearer {token}"}))
            await came.wait()
            assert await status_of(http, f"{this.url}/answer/acs?secret={secret}", {}) == 200
            assert not forged.done()
            go_on.set()
        assert forged.result() == 403
        assert len(this.apis["acs"].requests) == 1


async def status_of(http: aiohttp.ClientSession, url: str, headers: Mapping[str, str]) -> int:
    async with http.post(url, data=b"[]", headers=headers) as response:
        return response.status

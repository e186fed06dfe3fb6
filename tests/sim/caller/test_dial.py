"""A whole call of a provider made for these tests, which is commanded by REST: webhook, API, stream, end."""

import asyncio
import json
from collections.abc import Sequence

import pytest
from aiohttp import ClientSession, web

from gateway.audio.formats import L16_16K, PCMU, AudioFormat
from gateway.errors import GatewayError, InputError
from gateway.sim.caller.call import CallPlan, place_call
from gateway.sim.caller.caller import Patience
from gateway.sim.caller.dial import dial
from gateway.sim.phone.rest_api import ApiRequest, ApiResponse, SimulatedApi
from gateway.sim.phone.webhook import SimProvider, Webhook
from gateway.sim.phone.wire import HangUp, Media, Message, Order, SimCall, StreamOpening, Violated, Wire
from gateway.sim.providers import PROVIDERS
from tests.sim.scripted import Peer, Scripted, scripted


class BareWire(Wire):
    """Says which call it is, then audio alone."""

    def opening(self) -> Sequence[Message]:
        return (f"{self.call.call_id} {self.audio_format}",)

    def media(self, audio: bytes, timestamp_ms: int) -> Sequence[Message]:
        return (audio,)

    def parse(self, message: Message) -> Sequence[Order]:
        return (Media(message),) if isinstance(message, bytes) else ()


class CommandedWebhook(Webhook):
    """Tells of the call; the gateway answers it, and later ends it, by REST."""

    def stream(self, url: str) -> StreamOpening:
        return StreamOpening(url, headers={"X-Key": self.call.secrets.get("key", "")})

    async def call_in(self) -> StreamOpening:
        self.api.on("POST", "/calls/{id}/answer", lambda _: ApiResponse())
        self.api.on("POST", "/calls/{id}/hangup", self._hang_up)
        await self._tell("initiated", self.call.answer_url)
        answer = await self.api.requested("POST", f"/calls/{self.call.call_id}/answer")
        opening = self.stream(answer.data["stream_url"])
        return StreamOpening(opening.url, opening.headers, audio_format=L16_16K)

    async def ended(self) -> None:
        assert self.phone is not None
        if self.phone.ended_by == "caller":
            self.phone.warn(Violated("the call was never hung up by REST"))
        await self._tell("hangup", self.call.status_url)

    async def _tell(self, event: str, url: str) -> None:
        body = json.dumps({"event": event, "id": self.call.call_id}).encode()
        await self.ask(url, body=body, headers={"Content-Type": "application/json"}, expected=(200, 204))

    def _hang_up(self, _: ApiRequest) -> ApiResponse:
        return ApiResponse(200 if self.end(HangUp("by REST")) else 422)


COMMANDED = SimProvider("commanded", "Commanded", BareWire, CommandedWebhook, (PCMU, L16_16K))


@pytest.fixture(autouse=True)
def commanded(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is such a provider."""
    monkeypatch.setattr("gateway.sim.caller.dial.PROVIDERS", {"commanded": COMMANDED, "twilio": PROVIDERS["twilio"]})


class Gateway:
    """A gateway's HTTP: answers the call by REST, as the provider wants it; hangs up the same way."""

    def __init__(self, api: SimulatedApi) -> None:
        self.api = api
        self.events: list[str] = []
        self.hangups: list[int] = []
        self.scripted: Scripted
        self.hanging_up = asyncio.Event()

    async def hook(self, request: web.Request) -> web.Response:
        """Both webhooks."""
        event = await request.json()
        self.events.append(event["event"])
        if event["event"] == "initiated":
            await self._ask(event["id"], "answer", stream_url=self.scripted.url)
        return web.Response(status=204)

    async def script(self, peer: Peer) -> None:
        """The stream: hang up by REST at the first frame."""
        call_id = str(await peer.next()).split()[0]
        await peer.next()
        self.hangups.append(await self._ask(call_id, "hangup"))

    async def _ask(self, call_id: str, action: str, **data: str) -> int:
        async with ClientSession() as http, http.post(f"{self.api.url}/calls/{call_id}/{action}", json=data) as reply:
            return reply.status


async def test_a_call_that_is_commanded_by_rest() -> None:
    """Webhook, answer by REST, the stream in the format of the answer, hang-up by REST, the last webhook."""
    async with SimulatedApi.serving() as api:
        held = Gateway(api)
        hooks = {"/answer": held.hook, "/status": held.hook}
        async with scripted(held.script, hooks=hooks) as held.scripted:
            async with dial(
                "commanded",
                answer_url=f"{held.scripted.base_url}/answer",
                status_url=f"{held.scripted.base_url}/status",
                secrets={"key": "k"},
                call_id="c7",
                api=api,
            ) as phone:
                await phone.closed.wait()
            peer = await held.scripted.peer()
    assert held.events == ["initiated", "hangup"]
    assert held.hangups == [200]
    assert peer.messages[0] == "c7 l16/16000"
    assert peer.headers["X-Key"] == "k"
    assert phone.audio_format == phone.bot_format == L16_16K
    assert (phone.ended_by, phone.end_reason, phone.violations) == ("gateway", "the gateway hung up", [])
    assert [request.match for request in api.requests] == [{"id": "c7"}] * 2


async def test_a_simulated_call_is_of_any_provider() -> None:
    """With its API, recordings turned into the format of the answer, and both tracks as samples."""
    async with SimulatedApi.serving() as api:
        held = Gateway(api)
        hooks = {"/answer": held.hook, "/status": held.hook}
        async with scripted(held.script, hooks=hooks) as held.scripted:
            url = held.scripted.base_url
            plan = CallPlan(
                (),
                to="+2",
                from_="+1",
                provider="commanded",
                answer_url=f"{url}/answer",
                status_url=f"{url}/status",
                patience=Patience(greeting_s=5.0),
            )
            result = await place_call(plan, api=api)
            await held.scripted.peer()
    assert (result.ended_by, result.end_reason) == ("gateway", "the gateway hung up")
    assert (result.audio_format, result.url) == (L16_16K, held.scripted.url)
    assert result.stereo().shape == (result.duration_ms * 16, 2)


async def test_what_is_wrong_after_the_stream_is_told_too() -> None:
    """The caller hung up, and the provider still waits for the gateway."""

    async def only_listen(peer: Peer) -> None:
        await peer.next()

    async with SimulatedApi.serving() as api:
        held = Gateway(api)
        hooks = {"/answer": held.hook, "/status": held.hook}
        async with scripted(only_listen, hooks=hooks) as held.scripted:
            url = held.scripted.base_url
            async with dial("commanded", answer_url=f"{url}/answer", status_url=f"{url}/status", api=api) as phone:
                pass
            await held.scripted.peer()
            async with ClientSession() as http, http.post(f"{api.url}/calls/{phone.call_id}/hangup") as late:
                assert late.status == 422
    assert [one.what for one in phone.violations] == ["the call was never hung up by REST"]


async def test_a_stream_may_be_opened_without_asking() -> None:
    """With the upgrade of the provider, in its usual format; ids are fresh."""

    async def only_listen(peer: Peer) -> None:
        await peer.next()

    seen = set()
    for _ in range(2):
        async with scripted(only_listen) as gateway:
            async with dial("commanded", gateway.url, secrets={"key": "k"}) as phone:
                seen.add((phone.call_id, phone.stream_id))
            peer = await gateway.peer()
        assert peer.headers["X-Key"] == "k"
        assert peer.messages[0] == f"{phone.call_id} pcmu/8000"
    assert len(seen) == 2


async def test_a_call_that_needs_the_api_says_so() -> None:
    """Where nobody plays it."""
    with pytest.raises(InputError, match="commanded by REST: expected its API"):
        async with dial("commanded", answer_url="http://127.0.0.1:1/answer"):
            pass


async def test_a_webhook_that_refuses_is_one_clear_line() -> None:
    """No stream is opened."""

    async def no(_: web.Request) -> web.Response:
        return web.Response(status=403)

    async def never(_: Peer) -> None:
        raise AssertionError

    async with SimulatedApi.serving() as api, scripted(never, hooks={"/answer": no}) as gateway:
        with pytest.raises(GatewayError, match=r"the answer webhook http://.* refused the call: 403 Forbidden"):
            async with dial("commanded", answer_url=f"{gateway.base_url}/answer", api=api):
                pass


@pytest.mark.parametrize(
    ("provider", "audio_format", "message"),
    [
        ("nobody", None, "no provider 'nobody' is simulated; expected one of commanded, twilio"),
        ("twilio", L16_16K, "a phone of Twilio does not speak l16/16000; expected one of pcmu/8000, pcma/8000"),
    ],
)
async def test_what_there_is_not_is_the_operator_s_mistake(
    provider: str, audio_format: AudioFormat | None, message: str
) -> None:
    """The line says what there is."""
    with pytest.raises(InputError, match=message):
        async with dial(provider, "ws://127.0.0.1:1/stream", audio_format=audio_format):
            pass


def test_every_module_of_the_package_is_a_provider() -> None:
    """Found by its name, made once asked for."""
    assert "twilio" in PROVIDERS
    assert "nobody" not in PROVIDERS
    assert len(PROVIDERS) == len(list(PROVIDERS))
    for name, provider in PROVIDERS.items():
        assert provider.name == name
        assert provider.audio_formats
        call = SimCall("+2", "+1", provider.new_call_id(), provider.new_stream_id(), provider.audio_formats[0])
        wire = provider.wire(call, StreamOpening("ws://127.0.0.1/stream"))
        assert wire.frame_ms % 20 == 0

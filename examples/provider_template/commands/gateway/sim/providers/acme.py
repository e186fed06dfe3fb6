"""Acme's end of a call: events as JSON, the commands that answer them, a stream of binary audio at a fixed address.

Source: name here the pages of the vendor's documents that this is written from.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
import msgspec

from gateway.audio.formats import L16_16K
from gateway.errors import WireError
from gateway.sim.phone.accounts import Account, Keys
from gateway.sim.phone.connecting import BusyError
from gateway.sim.phone.continuation import Step
from gateway.sim.phone.rest_api import ApiRequest, ApiResponse, SimulatedApi
from gateway.sim.phone.webhook import SimProvider, Webhook, stream_beside
from gateway.sim.phone.wire import Clear, HangUp, Media, Message, Order, SimCall, StreamOpening, Transfer, Violated, Wire

PATIENCE_S = 5.0
"""The time that a call whose stream has ended waits for a command."""


class _Command(msgspec.Struct, forbid_unknown_fields=True):
    command: str


_decode = msgspec.json.Decoder(_Command).decode


class AcmeWire(Wire):
    """The messages of one stream, checked as strictly as Acme checks."""

    def opening(self) -> Sequence[str]:
        """Return start: which call it is, and what the command to connect handed on."""
        data = dict(self.stream.parameters)
        return (_written({"event": "start", "call": self.call.call_id, "rate": 16000, "data": data}),)

    def media(self, audio: bytes, timestamp_ms: int) -> Sequence[bytes]:
        """Return a frame of the caller's audio."""
        return (audio,)

    def key(self, digit: str) -> Sequence[str]:
        """Return a key press."""
        return (_written({"event": "key", "key": digit}),)

    def stop(self) -> Sequence[str]:
        """Return the last message."""
        return (_written({"event": "stop"}),)

    def parse(self, message: Message) -> Sequence[Order]:
        """Parse audio and clear."""
        if isinstance(message, bytes):
            return (Media(message),)
        try:
            read = _decode(message)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise WireError(f"{error}: {message[:120]!r}") from None
        if read.command != "clear":
            raise WireError(f"the command {read.command[:40]!r} is not known")
        return (Clear(),)


class AcmeWebhook(Webhook):
    """The events of a call, and the REST API that answers them; it takes the secret ``api_key`` as bearer token.

    The operator's address of events has the secret ``webhook_secret`` in its query.
    """

    def __init__(self, call: SimCall, http: aiohttp.ClientSession, api: SimulatedApi | None = None) -> None:
        super().__init__(call, http, api)
        self._orders: asyncio.Queue[str] = asyncio.Queue()
        self._data: Mapping[str, str] | None = None

    def stream(self, url: str) -> StreamOpening:
        """Return the upgrade, which carries nothing of Acme's."""
        return StreamOpening(url)

    async def call_in(self) -> StreamOpening:
        """Report the call; by the time the event is answered, the commands have come."""
        self.api.on("POST", f"/calls/{self.call.call_id}/{{command}}", self._obey)
        await self._tell("received")
        if not self._orders.empty() and self._orders.get_nowait() == "reject":
            raise BusyError(self.call.answer_url)
        if self._data is None:
            raise WireError("the call was not connected: expected the commands answer and stream")
        await self._tell("answered")
        return StreamOpening(stream_beside(self.call.answer_url), parameters=self._data)

    async def stream_failed(self) -> None:
        """Report that the stream could not be opened; the call goes on."""
        await self._tell("stream_failed")

    async def ended(self) -> None:
        """Wait for the command for a call that goes on without its stream, and report the end."""
        if self.phone is not None and self.phone.ended_by != "caller":
            try:
                async with asyncio.timeout(PATIENCE_S):
                    while await self._orders.get() not in ("hangup", "transfer"):
                        pass
            except TimeoutError:
                self.phone.warn(Violated("the stream was closed and the call left alone; expected a command for it"))
        await self.report(self._tell("ended"))
        self.api.off("POST", f"/calls/{self.call.call_id}/{{command}}")

    async def _tell(self, event: str) -> None:
        call = {"event": event, "call": self.call.call_id, "from": self.call.from_, "to": self.call.to}
        url = f"{self.call.answer_url}?secret={self.call.secrets.get('webhook_secret', '')}"
        headers = {"Content-Type": "application/json"}
        what = f"the webhook of {event}"
        await self.ask(url, body=_written(call).encode(), headers=headers, what=what, expected=(200, 204))

    def _obey(self, request: ApiRequest) -> ApiResponse:
        if request.headers.get("authorization") != f"Bearer {self.call.secrets.get('api_key', '')}":
            return ApiResponse(401)
        command = request.match["command"]
        match command:
            case "answer":
                return ApiResponse(200)
            case "stream":
                self._data = {name: str(value) for name, value in request.data.get("data", {}).items()}
                return ApiResponse(200)
            case "reject":
                pass
            case "hangup":
                self.end(HangUp("by REST"))
                self.met(Step("hang_up"))
            case "transfer":
                to = str(request.data.get("to", ""))
                self.end(Transfer(to))
                self.met(Step("transfer", to))
            case _:
                return ApiResponse(404)
        self._orders.put_nowait(command)
        return ApiResponse(200)


def _written(fields: Mapping[str, Any]) -> str:
    return json.dumps(fields, separators=(",", ":"))


def open_account(keys: Keys, api_url: str) -> Account:
    """Return an account: what its section in gateway.yaml has, and what the provider knows of it."""
    known = keys.texts("api_key", "webhook_secret")
    return Account({**known, "stream_config": "config-1", "api_url": api_url}, known)


provider = SimProvider(
    name="acme",
    title="Acme",
    wire=AcmeWire,
    webhook=AcmeWebhook,
    account=open_account,
    audio_formats=(L16_16K,),
    commanded=True,
)

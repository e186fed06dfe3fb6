"""Acme's end of a call: the stream, the signed webhooks, the steps that answer them, the commands.

Source: name here the pages of the vendor's documents that this is written from.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urljoin

import msgspec

from gateway.audio.formats import PCMU
from gateway.errors import WireError
from gateway.sim.phone.accounts import Account, Keys
from gateway.sim.phone.connecting import BusyError
from gateway.sim.phone.continuation import Redirect, Step, Verb
from gateway.sim.phone.rest_api import ApiRequest, ApiResponse
from gateway.sim.phone.webhook import Reply, SimProvider, Webhook
from gateway.sim.phone.wire import Clear, HangUp, Mark, Media, Message, Order, StreamOpening, Transfer, Wire


class _Strict(msgspec.Struct, tag_field="type", forbid_unknown_fields=True):
    pass


class _Audio(_Strict, tag="audio"):
    data: bytes


class _Mark(_Strict, tag="mark"):
    name: str


class _Clear(_Strict, tag="clear"):
    pass


_MESSAGES = msgspec.json.Decoder(_Audio | _Mark | _Clear)


class AcmeWire(Wire):
    """The messages of one stream, checked as strictly as Acme checks."""

    def opening(self) -> Sequence[str]:
        """Return start: who calls whom, and which format."""
        start = {
            "call": self.call.call_id,
            "stream": self.call.stream_id,
            "from": self.call.from_,
            "to": self.call.to,
            "codec": "mulaw/8000",
            "parameters": dict(self.stream.parameters),
        }
        return (_written({"type": "start", "start": start}),)

    def media(self, audio: bytes, timestamp_ms: int) -> Sequence[str]:
        """Return a frame of the caller's audio."""
        return (_written({"type": "audio", "data": base64.b64encode(audio).decode()}),)

    def key(self, digit: str) -> Sequence[str]:
        """Return a key press."""
        return (_written({"type": "key", "key": digit}),)

    def mark_returned(self, name: str, *, cleared: bool) -> Sequence[str]:
        """Return the mark, whether its audio was played or cleared."""
        return (_written({"type": "played", "name": name}),)

    def stop(self) -> Sequence[str]:
        """Return the last message."""
        return (_written({"type": "stop"}),)

    def parse(self, message: Message) -> Sequence[Order]:
        """Parse audio, mark and clear."""
        if isinstance(message, bytes):
            raise WireError(f"a binary message of {len(message)} bytes; expected text")
        try:
            read: _Audio | _Mark | _Clear = _MESSAGES.decode(message)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise WireError(f"{error}: {message[:120]!r}") from None
        match read:
            case _Audio():
                return (Media(read.data),)
            case _Mark():
                return (Mark(read.name),)
            case _Clear():
                return (Clear(),)


class AcmeWebhook(Webhook):
    """The webhook: asks for steps, signed if there is a secret ``webhook_secret``, and obeys them.

    It plays the REST API, which takes the secret ``api_key`` as bearer token.
    """

    def stream(self, url: str) -> StreamOpening:
        """Return the upgrade, which carries nothing of Acme's."""
        return StreamOpening(url)

    async def call_in(self) -> StreamOpening:
        """Post the call; the stream is that of the answer's first step."""
        if self.has_api:
            self.api.on("DELETE", f"/calls/{self.call.call_id}", self._hang_up)
            self.api.on("POST", f"/calls/{self.call.call_id}/transfer", self._transfer)
        first, *rest = _steps(await self._post(self.call.answer_url, "incoming"), self.call.answer_url)
        if first == {"reject": "busy"}:
            raise BusyError(self.call.answer_url)
        if "stream" not in first:
            raise WireError(f"the answer of {self.call.answer_url} opens no stream: {first}")
        self.next_verbs = tuple(_verb(step, self.call.answer_url) for step in rest)
        return StreamOpening(urljoin(self.call.answer_url, first["stream"]))

    async def ended(self) -> None:
        """Carry out what follows the stream, and report the end."""
        await self.go_on(self.next_verbs, self._fetch)
        if self.call.status_url:
            await self.report(self._post(self.call.status_url, "ended", "the status callback", (200, 204)))

    async def _fetch(self, url: str, failed: str) -> Sequence[Verb]:
        reply = await self._post(url, "stream_ended", "what follows the stream")
        return [_verb(step, url) for step in _steps(reply, url)]

    async def _post(
        self, url: str, event: str, what: str = "the answer webhook", expected: Sequence[int] = (200,)
    ) -> Reply:
        call = {"event": event, "call": self.call.call_id, "from": self.call.from_, "to": self.call.to}
        body = _written(call).encode()
        headers = {"Content-Type": "application/json"}
        if secret := self.call.secrets.get("webhook_secret"):
            headers["Acme-Signature"] = signature(secret, body, int(time.time()))
        return await self.ask(url, body=body, headers=headers, what=what, expected=expected)

    def _hang_up(self, request: ApiRequest) -> ApiResponse:
        return self._carried_out(request, HangUp("by REST"))

    def _transfer(self, request: ApiRequest) -> ApiResponse:
        return self._carried_out(request, Transfer(str(request.data.get("to", ""))))

    def _carried_out(self, request: ApiRequest, order: HangUp | Transfer) -> ApiResponse:
        if request.headers.get("authorization") != f"Bearer {self.call.secrets.get('api_key', '')}":
            return ApiResponse(401)
        return ApiResponse(200 if self.end(order) else 404)


def signature(secret: str, body: bytes, now_s: int) -> str:
    """Return ``Acme-Signature`` of a webhook's body at a Unix time."""
    return f"{now_s}.{hmac.digest(secret.encode(), f'{now_s}.'.encode() + body, hashlib.sha256).hex()}"


def _steps(reply: Reply, url: str) -> Sequence[dict[str, Any]]:
    try:
        steps = json.loads(reply.text)
    except ValueError:
        steps = None
    if not isinstance(steps, list) or not steps or not all(isinstance(step, dict) for step in steps):
        raise WireError(f"the answer of {url} is no list of steps: {reply.text[:120]!r}")
    return steps


def _verb(step: Mapping[str, str], url: str) -> Verb:
    match step:
        case {"ask": ask}:
            return Redirect(urljoin(url, ask), goes_on=True)
        case {"say": text}:
            return Step("say", text)
        case {"dial": to}:
            return Step("transfer", to)
        case {"hang_up": _}:
            return Step("hang_up")
        case _:
            return Step("failed", f"no step of a call's end: {step}")


def _written(fields: Mapping[str, object]) -> str:
    return json.dumps(fields, separators=(",", ":"))


def open_account(keys: Keys, api_url: str) -> Account:
    """Return an account: what its section in gateway.yaml has, and what the provider knows of it."""
    known = keys.texts("api_key", "webhook_secret")
    return Account({**known, "api_url": api_url}, known)


provider = SimProvider(
    name="acme",
    title="Acme",
    wire=AcmeWire,
    webhook=AcmeWebhook,
    account=open_account,
    audio_formats=(PCMU,),
)

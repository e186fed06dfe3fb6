"""Telnyx' HTTP of a call: TeXML or Call Control, its signature, its commands.

Source: Telnyx developer documentation, TeXML ``<Stream>``, Call Control commands and events, webhook signing.
"""

import asyncio
import base64
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4
from xml.etree import ElementTree as Xml

import aiohttp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.audio.formats import PCMA, PCMU, AudioFormat
from gateway.errors import GatewayError, WireError
from gateway.sim.phone.accounts import Account, Keys
from gateway.sim.phone.connecting import BusyError
from gateway.sim.phone.continuation import Step, Verb, redirected, verbs_of
from gateway.sim.phone.rest_api import ApiRequest, ApiResponse, ApiRoute, SimulatedApi
from gateway.sim.phone.turned_away import TurnedAwayError, connected, verbs_of_an_end
from gateway.sim.phone.webhook import Reply, SimProvider, Webhook
from gateway.sim.phone.wire import HangUp, SimCall, StreamOpening, Transfer, Violated
from gateway.sim.providers._telnyx_wire import ACCOUNT_SID, CODECS, TelnyxWire
from gateway.sim.providers.twilio import dialled, incoming_call, parse_answer

CALL_CONTROL = "call_control"
"""A quirk that is an application of its own kind: Call Control instead of TeXML; it needs the REST API."""
ENDED_ALREADY = ApiResponse(422, {"errors": [{"code": "90018", "title": "Call has already ended"}]})
OK = ApiResponse(200, {"data": {"result": "ok"}})
PATIENCE_S = 5.0
"""The time that a Call Control call whose stream has been closed waits for its next command."""


def signature(private_key: str, timestamp: str, body: bytes) -> str:
    """Return ``telnyx-signature-ed25519`` of a body; the key is base64 of 32 bytes (RFC 8032 §5.1.5)."""
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(private_key))
    return base64.b64encode(key.sign(f"{timestamp}|".encode() + body)).decode()


def public_key(private_key: str) -> str:
    """Return what the portal shows of the key that webhooks are signed with."""
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(private_key))
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


class TelnyxWebhook(Webhook):
    """The webhook: asks by a form or an event what to do, opens the stream, obeys commands, reports the end.

    Webhooks are signed with the secret ``private_key``; commands carry ``api_key`` as bearer token.
    """

    def __init__(self, call: SimCall, http: aiohttp.ClientSession, api: SimulatedApi | None = None) -> None:
        super().__init__(call, http, api)
        self.next_verbs: tuple[Verb, ...] = ()
        """The TeXML verbs after the stream, once :meth:`call_in` knows."""
        self.spoken: tuple[str, ...] = ()
        """The words that a Call Control call was ordered to speak."""
        self.transferred_to = ""
        """The number that a Call Control call was transferred to."""
        self.dialled_digits = ""
        """The digits that a Call Control call was ordered to dial."""
        self._alive = True
        self._events_url = call.answer_url
        self._commands: asyncio.Queue[tuple[str, Mapping[str, Any]]] = asyncio.Queue()

    def stream(self, url: str) -> StreamOpening:
        """Return a static document's stream, with the stream's secret as ``stream_auth_token``."""
        token = self.call.secrets.get("stream_secret")
        return StreamOpening(url, {"x-telnyx-streaming-auth-token": token} if token else {}, bot_format=PCMU)

    async def call_in(self) -> StreamOpening:
        """Ask by a form of TeXML or, for :data:`CALL_CONTROL`, report the call and wait for commands."""
        if self.has_api or self._by_command:
            for path, route in self._routes:
                self.api.on("POST", path, route)
        return await (self._answered_by_command() if self._by_command else self._answered_by_document())

    async def stream_failed(self) -> None:
        """Send ``streaming.failed``; a document goes on with its next verb and reports nothing."""
        if self._by_command:
            await self._tell("streaming.failed", failure_reason="connection_failed", stream_id=self.call.stream_id)

    async def ended(self) -> None:
        """Carry out the rest of the call, and send the event or callback that it is over."""
        if self._by_command:
            await self._go_on()
            await self.report(self._tell("call.hangup", hangup_cause="normal_clearing", hangup_source="caller"))
        else:
            await self.go_on(self.next_verbs, self._fetch)
            if self.call.status_url:
                await self.report(self._post_form(self.call.status_url, "completed", "the status callback", (200, 204)))
        if self.has_api:
            for path, _ in self._routes:
                self.api.off("POST", path)

    @property
    def _by_command(self) -> bool:
        return CALL_CONTROL in self.call.quirks

    # TeXML

    async def _answered_by_document(self) -> StreamOpening:
        reply = await connected(
            self.call.answer_url,
            lambda url: self._post_form(url, "ringing" if url == self.call.answer_url else "in-progress"),
            lambda reply, url: verbs_of_an_end(reply.text, url),
        )
        answer = parse_answer(reply.text, self.call.answer_url)
        self.next_verbs = answer.next_verbs
        stream = Xml.fromstring(reply.text).find("./Connect/Stream")  # noqa: S314 -- of the gateway under test
        given = dict(stream.attrib) if stream is not None else {}
        bot_format = _playable(
            given.get("bidirectionalMode"), given.get("bidirectionalCodec"), given.get("bidirectionalSamplingRate")
        )
        return StreamOpening(
            answer.url,
            parameters=answer.parameters,
            audio_format=_transcoded(self.call.audio_format, given.get("codec")),
            bot_format=bot_format,
        )

    async def _fetch(self, url: str, failed: str) -> Sequence[Verb]:
        return verbs_of((await self._post_form(url, "in-progress", "what follows the stream")).text, url)

    async def _post_form(
        self, url: str, status: str, what: str = "the answer webhook", expected: Sequence[int] = (200,)
    ) -> Reply:
        body = urlencode({**incoming_call(self.call, status), "AccountSid": ACCOUNT_SID}).encode()
        return await self._post(url, body, "application/x-www-form-urlencoded", what, expected)

    def _update(self, request: ApiRequest) -> ApiResponse:
        """Carry out ``Status=completed``, or another document for a TeXML call; 404 when it is over."""
        if not self._authorized(request):
            return ApiResponse(401)
        if request.data.get("Status") == "completed":
            return OK if self.end(HangUp("REST")) else ApiResponse(404)
        document = str(request.data.get("Texml", ""))
        if onward := redirected(document):
            return OK if self.redirect([onward]) else ApiResponse(404)
        target = dialled(document)
        if not target:
            return ApiResponse(422)
        return OK if self.end(Transfer(target)) else ApiResponse(404)

    # Call Control

    async def _answered_by_command(self) -> StreamOpening:
        await self._tell("call.initiated", direction="incoming", state="parked", connection_codecs="PCMA,PCMU")
        action, body = await self._next_command()
        if action == "reject" and body.get("cause") == "USER_BUSY":
            self._alive = False
            raise BusyError(self.call.answer_url)
        if action != "answer":
            raise WireError(f"the call was to be answered, found {action or 'no command'}")
        self._events_url = str(body.get("webhook_url") or self._events_url)
        await self._tell("call.answered", state="answered", client_state=body.get("client_state"))
        stream = {name.removeprefix("stream_"): str(value) for name, value in body.items()}
        if not stream.get("url"):
            raise await self._turned_away(body.get("client_state"))
        token = stream.get("auth_token", "")
        return StreamOpening(
            stream["url"],
            {"x-telnyx-streaming-auth-token": token} if token else {},
            audio_format=_transcoded(self.call.audio_format, stream.get("codec")),
            bot_format=_playable(
                stream.get("bidirectional_mode"),
                stream.get("bidirectional_codec"),
                stream.get("bidirectional_sampling_rate"),
            ),
        )

    async def _turned_away(self, client_state: object) -> GatewayError:
        """Obey the commands for a call that was answered without a stream, and return what the caller met."""
        if not client_state:
            self._alive = False
            return WireError("the command answer has no stream_url")
        steps: list[Step] = []
        while self._alive:
            action, body = await self._next_command()
            if action == "speak":
                steps.append(Step("say", str(body.get("payload", ""))))
                await self._tell("call.speak.ended", client_state=body.get("client_state"), status="completed")
                continue
            if action == "transfer":
                steps.append(Step("transfer", str(body.get("to", ""))))
            elif action != "hangup":
                steps.append(Step("failed", "the call was answered and left alone"))
            self._alive = False
        return TurnedAwayError(self.call.answer_url, [*steps, Step("hang_up")])

    async def _go_on(self) -> None:
        """Go on with the call as commanded, until it is hung up or handed on: closing the stream does not end it."""
        if self.phone is None or self.phone.ended_by == "caller":
            self._alive = False
        while self._alive and not self.transferred_to:
            action, body = await self._next_command()
            if action == "speak":
                await self._tell("call.speak.ended", client_state=body.get("client_state"), status="completed")
            elif not action:
                self._alive = False
                if self.phone is not None:
                    self.phone.warn(
                        Violated("the stream was closed and the call left alone; expected a command for it")
                    )

    async def _next_command(self) -> tuple[str, Mapping[str, Any]]:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    action, body = await self._commands.get()
                    if action != "send_dtmf":
                        return action, body
        except TimeoutError:
            return "", {}

    def _command(self, request: ApiRequest) -> ApiResponse:
        if not self._authorized(request):
            return ApiResponse(401)
        if not self._alive:
            return ENDED_ALREADY
        action, body = request.match["action"], request.data
        match action:
            case "hangup":
                self._alive = False
                self.end(HangUp("REST"))
                self.met(Step("hang_up"))
            case "transfer":
                self.may_transfer()
                self.transferred_to = str(body.get("to", ""))
                self.met(Step("transfer", self.transferred_to))
                if self.phone is not None:
                    self.phone.end(Transfer(self.transferred_to))
            case "speak":
                self.spoken += (str(body.get("payload", "")),)
                self.met(Step("say", self.spoken[-1]))
            case "send_dtmf":
                digits = str(body.get("digits", ""))
                self.dialled_digits += digits
                if self.phone is not None:
                    self.phone.hear_digits(digits)
            case "answer" | "reject":
                pass
            case _:
                return ApiResponse(404)
        self._commands.put_nowait((action, body))
        return OK

    async def _tell(self, event_type: str, **payload: object) -> None:
        data = {
            "event_type": event_type,
            "id": str(uuid4()),
            "occurred_at": "2026-01-05T10:30:00.076316Z",
            "payload": {
                "call_control_id": self.call.call_id,
                "client_state": None,
                "from": self.call.from_,
                "to": self.call.to,
                **payload,
            },
            "record_type": "event",
        }
        event = {"data": data, "meta": {"attempt": 1, "delivered_to": self._events_url}}
        what = f"the webhook, told of {event_type},"
        await self._post(self._events_url, json.dumps(event).encode(), "application/json", what, (200,))

    # Both

    @property
    def _routes(self) -> Sequence[tuple[str, ApiRoute]]:
        if self._by_command:
            return ((f"/v2/calls/{self.call.call_id}/actions/{{action}}", self._command),)
        return ((f"/v2/texml/Accounts/{ACCOUNT_SID}/Calls/{self.call.call_id}", self._update),)

    def _authorized(self, request: ApiRequest) -> bool:
        return request.headers.get("authorization") == f"Bearer {self.call.secrets.get('api_key', '')}"

    async def _post(self, url: str, body: bytes, content_type: str, what: str, expected: Sequence[int]) -> Reply:
        headers = {"Content-Type": content_type}
        if private_key := self.call.secrets.get("private_key"):
            timestamp = str(int(time.time()))
            headers |= {
                "telnyx-timestamp": timestamp,
                "telnyx-signature-ed25519": signature(private_key, timestamp, body),
            }
        return await self.ask(url, body=body, headers=headers, what=what, expected=expected)


def _playable(mode: str | None, codec: str | None, rate: str | None) -> AudioFormat:
    """Return the format that the gateway's audio is taken for; ``WireError`` where none of it would be heard."""
    if mode != "rtp":
        raise WireError(f"bidirectional mode {mode or 'mp3'}: audio would be taken for MP3 files; expected rtp")
    name = codec or "PCMU"
    bot_format = CODECS.get((name, int(rate or (16000 if name == "L16" else 8000))))
    if bot_format is None:
        raise WireError(f"bidirectional codec {name} at {rate or 'its usual rate'} cannot be played here")
    return bot_format


def _transcoded(audio_format: AudioFormat, codec: str | None) -> AudioFormat:
    """Return the copy of the caller's audio: the leg's own, or converted from the one law into the other."""
    wanted = {"PCMU": PCMU, "PCMA": PCMA}.get(codec or "")
    return wanted if wanted is not None and audio_format in (PCMU, PCMA) else audio_format


def open_account(keys: Keys, api_url: str) -> Account:
    """Return an account: what its section in gateway.yaml has, and what the provider knows of it."""
    known = keys.texts("api_key")
    public, private = keys.ed25519()
    return Account({**known, "api_url": api_url, "public_key": public}, {**known, "private_key": private})


provider = SimProvider(
    name="telnyx",
    title="Telnyx",
    wire=TelnyxWire,
    webhook=TelnyxWebhook,
    account=open_account,
    audio_formats=(PCMU, PCMA),
    new_call_id=lambda: f"v3:{secrets.token_urlsafe(40)}",
    new_stream_id=lambda: str(uuid4()).upper(),
)

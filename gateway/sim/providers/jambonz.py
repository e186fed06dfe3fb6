"""jambonz' end of a call: the listen stream with its buffer and marks, signed webhooks, verbs, its REST API.

Source: docs.jambonz.org, "Listen", "Bidirectional (streaming) audio"; jambonz/freeswitch-modules, mod_audio_fork
(pre-buffer, marks, killAudio); jambonz/jambonz-feature-server, listen.js; package @jambonz/node-client (signature).
"""

import base64
import hashlib
import hmac
import json
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urljoin

from gateway.audio.formats import L16_8K, L16_16K, L16_24K
from gateway.errors import GatewayError, WireError
from gateway.sim.phone.accounts import Account, Keys
from gateway.sim.phone.connecting import BusyError
from gateway.sim.phone.continuation import MUSIC_S, Redirect, Step, Verb
from gateway.sim.phone.rest_api import ApiRequest, ApiResponse
from gateway.sim.phone.turned_away import connected
from gateway.sim.phone.webhook import Reply, SimProvider, Webhook
from gateway.sim.phone.wire import (
    Clear,
    HangUp,
    Mark,
    Media,
    Message,
    Order,
    Send,
    SimCall,
    StreamOpening,
    Transfer,
    Violated,
    Wire,
)

SUBPROTOCOL = "audio.jambonz.org"
FIRST_BUFFER, BUFFER = 1280, 640
"""Samples that are gathered before they are played, at any rate: the first time, and afterwards."""
MARKS_LIMIT = 30
RATES = {8000: L16_8K, 16000: L16_16K, 24000: L16_24K}
ACCOUNT_SID = "7a2cf321-f738-4b70-94d6-1f5c7d3e9a01"
APPLICATION_SID = "62b475c3-c7ea-4c77-ae59-2a6d8e4fab02"

BUSY_HERE = 486


class JambonzWire(Wire):
    """One stream. A mark binds to the audio after it, and audio waits in a buffer until there is enough of it."""

    def __init__(self, call: SimCall, stream: StreamOpening) -> None:
        super().__init__(call, stream)
        self._inventory: list[str] = []
        self._buffer: list[Order] = []
        self._buffered = 0
        self._threshold = FIRST_BUFFER * self.bot_format.sample_bytes
        self._in_use: deque[str] = deque()
        self._odd = b""

    def opening(self) -> Sequence[str]:
        """Return the attributes of the call, with the verb's metadata among them."""
        return (
            _written(
                {
                    "sampleRate": self.audio_format.rate_hz,
                    "mixType": "mono",
                    "callSid": self.call.call_id,
                    "direction": "inbound",
                    "from": self.call.from_,
                    "to": self.call.to,
                    "callId": self.call.stream_id,
                    "sipStatus": 200,
                    "sipReason": "OK",
                    "callStatus": "in-progress",
                    "accountSid": ACCOUNT_SID,
                    "applicationSid": APPLICATION_SID,
                    **self.stream.parameters,
                }
            ),
        )

    def media(self, audio: bytes, timestamp_ms: int) -> Sequence[bytes]:
        """Return a frame of the caller's audio."""
        return (audio,)

    def key(self, digit: str) -> Sequence[str]:
        """Return a key, with its length in samples, where ``passDtmf`` was asked for."""
        if not self.stream.keys:
            return ()
        return (_written({"event": "dtmf", "dtmf": digit, "duration": "1600"}),)

    def mark_returned(self, name: str, *, cleared: bool) -> Sequence[str]:
        """Return the mark, and what became of it."""
        if name in self._in_use:
            self._in_use.remove(name)
        return (_returned(name, "cleared" if cleared else "playout"),)

    def parse(self, message: Message) -> Sequence[Order]:
        """Parse audio, mark, killAudio and disconnect."""
        if isinstance(message, bytes):
            return self._audio(message)
        try:
            read = json.loads(message)
        except (ValueError, RecursionError) as error:
            raise WireError(f"{error}: {message[:120]!r}") from None
        match read:
            case {"type": "mark", "data": {"name": str() as name}}:
                return self._mark(name)
            case {"type": "killAudio"}:
                return self._kill()
            case {"type": "clearMarks"}:
                raise WireError("clearMarks: this phone does not know it")
            case {"type": "disconnect"}:
                return (HangUp("disconnect"),)
            case {"type": "playAudio"}:
                raise WireError("playAudio on a stream with streaming: true; expected binary audio")
            case _:
                raise WireError(f"unsupported message: {message[:120]!r}")

    def _mark(self, name: str) -> Sequence[Order]:
        if len(self._in_use) + len(self._inventory) >= MARKS_LIMIT:
            return (Violated(f"mark {name} discarded: {MARKS_LIMIT} are outstanding"),)
        self._inventory.append(name)
        return ()

    def _audio(self, audio: bytes) -> Sequence[Order]:
        audio = self._odd + audio
        self._odd = audio[len(audio) & ~1 :]
        audio = audio[: len(audio) & ~1]
        self._in_use.extend(self._inventory)
        self._buffer += [Mark(name) for name in self._inventory]
        self._inventory = []
        self._buffer.append(Media(audio))
        self._buffered += len(audio)
        if self._buffered < self._threshold:
            return ()
        released, self._buffer, self._buffered = self._buffer, [], 0
        self._threshold = BUFFER * self.bot_format.sample_bytes
        return released

    def _kill(self) -> Sequence[Order]:
        """Return also the marks that the phone does not know of yet: those in the buffer, and those without audio."""
        bound = [order.name for order in self._buffer if isinstance(order, Mark)]
        waiting = [*bound, *self._inventory]
        self._in_use = deque(name for name in self._in_use if name not in bound)
        self._buffer, self._buffered, self._inventory = [], 0, []
        return (Clear(), Send([_returned(name, "cleared") for name in waiting])) if waiting else (Clear(),)


class JambonzWebhook(Webhook):
    """The webhook: asks for verbs, signed if there is a secret ``webhook_secret``, and obeys them; plays the REST API.

    The API requires the secret ``api_key`` as bearer token; the gateway's ``api_url`` is ``<api>/api``. Without asking,
    the stream is opened with the secret ``stream_secret``, as an application of the operator's would open it.
    """

    next_verbs: tuple[Verb, ...] = ()
    """The verbs after the stream, once :meth:`call_in` knows."""
    action_hook = ""
    """The address to which the end of the stream is reported."""

    def stream(self, url: str) -> StreamOpening:
        """Return the upgrade of a ``listen`` verb of the operator's own."""
        secret = self.call.secrets.get("stream_secret", "")
        return StreamOpening(url, _basic({"username": "gateway", "password": secret}) if secret else {}, (SUBPROTOCOL,))

    async def call_in(self) -> StreamOpening:
        """Post the call; the stream is the one of the answer's ``listen``."""
        if self.has_api:
            self.api.on("PUT", "/api/v1/Accounts/{account}/Calls/{call}", self._update)
        reply = await connected(
            self.call.answer_url,
            lambda url: self._post(
                url, "trying" if url == self.call.answer_url else "in-progress", "the answer webhook"
            ),
            _without_stream,
        )
        verbs = _verbs(reply, self.call.answer_url)
        if verbs[0].get("verb") == "sip:decline" and verbs[0].get("status") == BUSY_HERE:
            raise BusyError(self.call.answer_url)
        at = next((number for number, verb in enumerate(verbs) if verb.get("verb") in ("listen", "stream")), None)
        if at is None:
            raise WireError(f"the answer of {self.call.answer_url} has no listen verb: {reply.text[:120]!r}")
        listen = verbs[at]
        self.action_hook = listen.get("actionHook", "")
        hook = [Redirect(urljoin(self.call.answer_url, self.action_hook), goes_on=True)] if self.action_hook else []
        self.next_verbs = (*hook, *map(_verb, verbs[at + 1 :]))
        return _opened(listen, self.call.answer_url)

    async def ended(self) -> None:
        """Call the listen verb's ``actionHook``, carry out its answer or the next verbs, call the status webhook."""
        await self.go_on(self.next_verbs, self._fetch)
        if self.call.status_url:
            await self.report(self._post(self.call.status_url, "completed", "the call status webhook", (200, 204)))

    async def _fetch(self, url: str, failed: str) -> Sequence[Verb]:
        seconds = self.phone.clock.frames // 50 if self.phone is not None else 0
        reply = await self._post(url, "in-progress", "the actionHook", (200, 204), {"dialCallDuration": seconds})
        return [_verb(verb) for verb in _verbs(reply, url)] if reply.text else []

    async def _post(
        self,
        url: str,
        status: str,
        what: str,
        expected: Sequence[int] = (200,),
        results: Mapping[str, object] | None = None,
    ) -> Reply:
        body = _written(
            {
                "call_sid": self.call.call_id,
                "call_id": self.call.stream_id,
                "account_sid": ACCOUNT_SID,
                "application_sid": APPLICATION_SID,
                "direction": "inbound",
                "from": self.call.from_,
                "to": self.call.to,
                "call_status": status,
                "sip_status": 100 if status == "trying" else 200,
                **(results or {}),
            }
        ).encode()
        headers = {"Content-Type": "application/json"}
        if secret := self.call.secrets.get("webhook_secret"):
            headers["Jambonz-Signature"] = signature(secret, body, int(time.time()))
        return await self.ask(url, body=body, headers=headers, what=what, expected=expected)

    async def _update(self, request: ApiRequest) -> ApiResponse:
        if request.headers.get("authorization") != f"Bearer {self.call.secrets.get('api_key', '')}":
            return ApiResponse(401)
        if request.match["call"] != self.call.call_id:
            return ApiResponse(404)
        match request.data:
            case {"call_status": "completed"}:
                return ApiResponse(202 if self.end(HangUp("by REST")) else 404)
            case {"call_hook": str() as url}:
                return await self._redirect(url)
            case _:
                return ApiResponse(400, {"msg": "expected call_status or call_hook"})

    async def _redirect(self, url: str) -> ApiResponse:
        self.may_transfer()
        try:
            verbs = _verbs(await self._post(url, "in-progress", "the call_hook"), url)
        except GatewayError as error:
            if self.phone is not None:
                self.phone.warn(Violated(str(error)))
            return ApiResponse(202)
        dialled = [target for verb in verbs if verb.get("verb") == "dial" for target in verb.get("target", ())]
        to = str(dialled[0].get("number") or dialled[0].get("sipUri") or "") if dialled else ""
        return ApiResponse(202 if self.end(Transfer(to) if to else HangUp("by verb")) else 404)


def signature(secret: str, body: bytes, now_s: int) -> str:
    """Return ``Jambonz-Signature`` of a webhook's body at a Unix time."""
    return f"t={now_s},v1={hmac.digest(secret.encode(), f'{now_s}.'.encode() + body, hashlib.sha256).hex()}"


def _verbs(reply: Reply, url: str) -> Sequence[dict[str, Any]]:
    try:
        verbs = json.loads(reply.text)
    except ValueError:
        verbs = None
    if not isinstance(verbs, list) or not verbs or not all(isinstance(verb, dict) for verb in verbs):
        raise WireError(f"the answer of {url} is no list of verbs: {reply.text[:120]!r}")
    return verbs


def _without_stream(reply: Reply, url: str) -> Sequence[Verb] | None:
    """Return what verbs do to a caller who is not connected; ``None`` for verbs of another kind."""
    verbs = [verb for verb in _verbs(reply, url) if verb.get("verb") != "answer"]
    known = verbs and verbs[0].get("verb") in ("say", "play", "pause", "dial", "redirect")
    return [*map(_verb, verbs)] if known else None


def _verb(verb: Mapping[str, Any]) -> Verb:
    """Return what a verb after the stream does to the caller."""
    match verb:
        case {"verb": "pause", "length": int() as seconds}:
            return Step("wait", str(seconds))
        case {"verb": "play", "url": str()}:
            return Step("wait", MUSIC_S)
        case {"verb": "redirect", "actionHook": str() as hook}:
            return Redirect(hook)
        case {"verb": "say", "text": str() as text}:
            return Step("say", text)
        case {"verb": "dial", "target": [{"number": str() as to} | {"sipUri": str() as to}, *_]}:
            return Step("transfer", to)
        case {"verb": "hangup"}:
            return Step("hang_up")
        case _:
            return Step("failed", f"no verb of a call's end: {verb.get('verb')}")


def _opened(listen: Mapping[str, Any], url: str) -> StreamOpening:
    both = listen.get("bidirectionalAudio") or {}
    if both.get("enabled", True) is not True or both.get("streaming") is not True:
        raise WireError(f"the listen verb of {url} does not stream both ways: our audio would be ignored")
    if listen.get("mixType", "mono") != "mono":
        raise WireError(f"mixType {listen['mixType']!r} of {url}; this phone speaks mono alone")
    audio_format, bot_format = RATES.get(listen.get("sampleRate", 8000)), RATES.get(both.get("sampleRate", 0))
    if audio_format is None or bot_format is None:
        raise WireError(
            f"the sample rates of {url}: expected sampleRate and bidirectionalAudio.sampleRate of {[*RATES]}"
        )
    headers = _basic(listen["wsAuth"]) if "wsAuth" in listen else {}
    metadata = {str(name): str(value) for name, value in (listen.get("metadata") or {}).items()}
    return StreamOpening(
        str(listen.get("url", "")),
        headers,
        (SUBPROTOCOL,),
        metadata,
        keys=listen.get("passDtmf") is True,
        audio_format=audio_format,
        bot_format=bot_format,
    )


def _basic(credentials: Mapping[str, str]) -> dict[str, str]:
    text = f"{credentials.get('username', '')}:{credentials.get('password', '')}"
    return {"Authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}


def _returned(name: str, event: str) -> str:
    return _written({"type": "mark", "data": {"name": name, "event": event}})


def _written(fields: Mapping[str, object]) -> str:
    return json.dumps(fields, separators=(",", ":"))


def open_account(keys: Keys, api_url: str) -> Account:
    """Return an account: what its section in gateway.yaml has, and what the provider knows of it."""
    known = {"account_sid": ACCOUNT_SID, **keys.texts("api_key", "webhook_secret")}
    return Account({**known, "api_url": f"{api_url}/api"}, known)


provider = SimProvider(
    name="jambonz",
    title="jambonz",
    wire=JambonzWire,
    webhook=JambonzWebhook,
    account=open_account,
    audio_formats=(L16_8K, L16_16K, L16_24K),
)

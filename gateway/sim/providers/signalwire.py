"""SignalWire's end of a call: cXML, its stream's own forms of Twilio's messages, its signature, its Call resource.

Source: SignalWire documentation, cXML ``<Stream>`` and webhooks; @signalwire/compatibility-api (signature).
"""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as Xml

import msgspec

from gateway.audio.formats import L16_16K, L16_24K, PCMU, AudioFormat, Encoding
from gateway.errors import WireError
from gateway.sim.phone.accounts import Account, Keys
from gateway.sim.phone.continuation import Redirect, Verb, verbs_of
from gateway.sim.phone.rest_api import ApiRequest, ApiResponse
from gateway.sim.phone.turned_away import connected, verbs_of_an_end
from gateway.sim.phone.webhook import Reply, SimProvider, Webhook
from gateway.sim.phone.wire import (
    Clear,
    Digits,
    Mark,
    Media,
    Message,
    Order,
    SimCall,
    StreamOpening,
    Wire,
)
from gateway.sim.providers.twilio import incoming_call, ordered, parse_answer, signature, without_query

CODECS: Mapping[str, AudioFormat] = {"PCMU@8000h": PCMU, "L16@16000h": L16_16K, "L16@24000h": L16_24K}
"""``codec`` of ``<Stream>``; L16 is taken to be little-endian."""
MEDIA_ENCODINGS = {Encoding.PCMU: "audio/x-mulaw", Encoding.L16: "audio/x-L16"}


class _Strict(msgspec.Struct, tag_field="event", forbid_unknown_fields=True, rename="camel", kw_only=True):
    stream_sid: str


class _Payload(msgspec.Struct, forbid_unknown_fields=True):
    payload: bytes


class _Name(msgspec.Struct, forbid_unknown_fields=True):
    name: str


class _Digit(msgspec.Struct, forbid_unknown_fields=True):
    digit: str


class _Media(_Strict, tag="media"):
    media: _Payload


class _Mark(_Strict, tag="mark"):
    mark: _Name


class _Clear(_Strict, tag="clear"):
    pass


class _Dtmf(_Strict, tag="dtmf"):
    dtmf: _Digit


_MESSAGES = msgspec.json.Decoder(_Media | _Mark | _Clear | _Dtmf)


class SignalWireWire(Wire):
    """The messages of one stream: it is named in start's own members, and not at all in media and stop."""

    def __init__(self, call: SimCall, stream: StreamOpening) -> None:
        super().__init__(call, stream)
        self._sequence = 0
        self._chunk = 0

    def opening(self) -> Sequence[str]:
        """Return connected with version 0.2.0, and start; custom parameters only where there are any."""
        start: dict[str, object] = {
            "streamSid": self.call.stream_id,
            "accountSid": _project(self.call),
            "callSid": self.call.call_id,
            "tracks": ["inbound"],
            "mediaFormat": {
                "encoding": MEDIA_ENCODINGS[self.audio_format.encoding],
                "sampleRate": self.audio_format.rate_hz,
                "channels": 1,
            },
        }
        if self.stream.parameters:
            start["customParameters"] = dict(self.stream.parameters)
        return ('{"event":"connected","protocol":"Call","version":"0.2.0"}', self._numbered("start", start=start))

    def media(self, audio: bytes, timestamp_ms: int) -> Sequence[str]:
        """Return a frame of the caller's audio."""
        self._chunk += 1
        media = {
            "track": "inbound",
            "chunk": str(self._chunk),
            "timestamp": str(timestamp_ms),
            "payload": base64.b64encode(audio).decode(),
        }
        return (self._numbered("media", media=media),)

    def key(self, digit: str) -> Sequence[str]:
        """Return a dtmf message, with its duration."""
        return (self._numbered("dtmf", streamSid=self.call.stream_id, dtmf={"digit": digit, "duration": 200}),)

    def mark_returned(self, name: str, *, cleared: bool) -> Sequence[str]:
        """Return the mark, whether its audio was played or cleared; without a number."""
        return (_json(event="mark", streamSid=self.call.stream_id, mark={"name": name}),)

    def stop(self) -> Sequence[str]:
        """Return the last message."""
        return (self._numbered("stop"),)

    def parse(self, message: Message) -> Sequence[Order]:
        """Parse media, mark, clear and dtmf; ``WireError`` for anything else."""
        if isinstance(message, bytes):
            raise WireError(f"a binary message of {len(message)} bytes; expected text")
        try:
            read: _Media | _Mark | _Clear | _Dtmf = _MESSAGES.decode(message)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise WireError(f"{error}: {message[:120]!r}") from None
        if read.stream_sid != self.call.stream_id:
            raise WireError(f"streamSid {read.stream_sid!r} is not this stream's: {message[:120]!r}")
        match read:
            case _Media():
                return (Media(read.media.payload),)
            case _Mark():
                return (Mark(read.mark.name),)
            case _Clear():
                return (Clear(),)
            case _Dtmf():
                return (Digits(read.dtmf.digit),)

    def _numbered(self, event: str, **body: object) -> str:
        self._sequence += 1
        return _json(event=event, sequenceNumber=str(self._sequence), **body)


def _json(**message: object) -> str:
    return json.dumps(message, separators=(",", ":"))


def _project(call: SimCall) -> str:
    return call.secrets.get("project_id", "a0b1c2d3-e4f5-4061-8273-8495a6b7c8d9")


class SignalWireWebhook(Webhook):
    """The webhook: asks for cXML, opens the stream that it connects, obeys the Call resource, reports the end.

    Signed with the secret ``signing_key``; the Call resource takes ``project_id`` and ``api_token``.
    """

    def stream(self, url: str) -> StreamOpening:
        """Return a static document's stream: both numbers as parameters, the stream's secret as bearer token."""
        numbers = {"from": self.call.from_, "to": self.call.to}
        given = {name: number for name, number in numbers.items() if number}
        return StreamOpening(without_query(url), _bearer(self.call.secrets.get("stream_secret", "")), (), given)

    async def call_in(self) -> StreamOpening:
        """Post the incoming call; the stream is the one of the answer's ``<Connect>``, in the codec that it names."""
        if self.has_api:
            self.api.on("POST", self._resource, self._update)
        reply = await connected(
            self.call.answer_url,
            lambda url: self._post(url, "ringing" if url == self.call.answer_url else "in-progress"),
            lambda reply, url: verbs_of_an_end(reply.text, url),
        )
        answer = parse_answer(reply.text, self.call.answer_url)
        self.next_verbs = answer.next_verbs
        attributes = _stream_attributes(reply.text)
        codec = attributes.get("codec", "PCMU@8000h")
        if codec not in CODECS:
            raise WireError(f"codec_error: codec {codec!r} of <Stream>; expected one of {', '.join(CODECS)}")
        return StreamOpening(
            answer.url,
            _bearer(attributes.get("authBearerToken", "")),
            parameters=answer.parameters,
            audio_format=CODECS[codec],
        )

    async def ended(self) -> None:
        """Carry out what follows the stream, and send the status callback."""
        await self.go_on(self.next_verbs, self._fetch)
        if self.has_api:
            self.api.off("POST", self._resource)
        if self.call.status_url:
            await self.report(self._post(self.call.status_url, "completed", "the status callback", (200, 204)))

    @property
    def _resource(self) -> str:
        return f"/api/laml/2010-04-01/Accounts/{_project(self.call)}/Calls/{self.call.call_id}.json"

    def _update(self, request: ApiRequest) -> ApiResponse:
        """Carry out ``Status=completed``, or another document for the call; 404 when it is over."""
        token = self.call.secrets.get("api_token", "")
        expected = base64.b64encode(f"{_project(self.call)}:{token}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}":
            return ApiResponse(401)
        if url := str(request.data.get("Url", "")):
            return ApiResponse(200, {"sid": self.call.call_id}) if self.redirect([Redirect(url)]) else ApiResponse(404)
        order = ordered(request)
        if order is None:
            return ApiResponse(400)
        return ApiResponse(200, {"sid": self.call.call_id}) if self.end(order) else ApiResponse(404)

    async def _fetch(self, url: str, failed: str) -> Sequence[Verb]:
        return verbs_of((await self._post(url, "in-progress", "what follows the stream")).text, url)

    async def _post(
        self, url: str, status: str, what: str = "the answer webhook", expected: Sequence[int] = (200,)
    ) -> Reply:
        form = {**incoming_call(self.call, status), "AccountSid": _project(self.call)}
        key = self.call.secrets.get("signing_key")
        headers = {"X-SignalWire-Signature": signature(key, url, form)} if key else {}
        return await self.ask(url, form=form, headers=headers, what=what, expected=expected)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def _stream_attributes(document: str) -> dict[str, Any]:
    stream = Xml.fromstring(document).find("./Connect/Stream")  # noqa: S314 -- the document of the gateway under test
    return dict(stream.attrib) if stream is not None else {}


def open_account(keys: Keys, api_url: str) -> Account:
    """Return an account: what its section in gateway.yaml has, and what the provider knows of it."""
    known = keys.texts("project_id", "api_token", "signing_key")
    return Account({**known, "api_url": api_url}, known)


provider = SimProvider(
    name="signalwire",
    title="SignalWire",
    wire=SignalWireWire,
    webhook=SignalWireWebhook,
    account=open_account,
    audio_formats=(PCMU, L16_16K, L16_24K),
)

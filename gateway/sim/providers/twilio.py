"""Twilio's end of a call: its media stream as text, its signature, its webhooks, the verbs of its answer.

Source: Twilio Media Streams, WebSocket messages; TwiML ``<Stream>``; Security (X-Twilio-Signature); error 31951.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit, urlunsplit
from xml.etree import ElementTree as Xml

import msgspec

from gateway.audio.formats import PCMA, PCMU, Encoding
from gateway.errors import WireError
from gateway.sim.phone.accounts import Account, Keys
from gateway.sim.phone.connecting import BusyError
from gateway.sim.phone.continuation import Redirect, Verb, behind_stream, verbs_of
from gateway.sim.phone.rest_api import ApiRequest, ApiResponse
from gateway.sim.phone.turned_away import connected, verbs_of_an_end
from gateway.sim.phone.webhook import Reply, SimProvider, Webhook
from gateway.sim.phone.wire import (
    Clear,
    HangUp,
    Mark,
    Media,
    Message,
    Order,
    SimCall,
    StreamOpening,
    Transfer,
    Violated,
    Wire,
)

MEDIA_ENCODINGS = {Encoding.PCMU: "audio/x-mulaw", Encoding.PCMA: "audio/x-alaw", Encoding.L16: "audio/x-l16"}
"""``mediaFormat.encoding``; Twilio itself has only the first, providers that speak its protocol also the others."""
ACCOUNT_SID = "AC" + "0123456789abcdef" * 2
PROTOCOL_ERROR = 31924
TOO_MUCH_MEDIA = 31931
INVALID_MESSAGE = 31951
TWIML_LIMIT = 4000
"""The largest number of characters in a document of a REST API request (32018)."""
CONTENT_TYPES = ("text/xml", "application/xml", "text/html")
"""The content types of an answer; Twilio takes others for a recording to play or refuses them (12300)."""


class _Strict(msgspec.Struct, tag_field="event", forbid_unknown_fields=True, rename="camel", kw_only=True):
    stream_sid: str


class _Payload(msgspec.Struct, forbid_unknown_fields=True):
    payload: bytes


class _Name(msgspec.Struct, forbid_unknown_fields=True):
    name: str


class _Media(_Strict, tag="media"):
    media: _Payload


class _Mark(_Strict, tag="mark"):
    mark: _Name


class _Clear(_Strict, tag="clear"):
    pass


_MESSAGES = msgspec.json.Decoder(_Media | _Mark | _Clear)


def new_sid(prefix: str) -> str:
    """Make a fresh Twilio identifier: two letters and 32 hexadecimal digits."""
    return prefix + secrets.token_hex(16)


class TwilioWire(Wire):
    """The messages of one stream: numbered as Twilio numbers them, and checked as strictly as Twilio checks."""

    invalid_code = INVALID_MESSAGE
    protocol_error_code = PROTOCOL_ERROR

    def __init__(self, call: SimCall, stream: StreamOpening) -> None:
        super().__init__(call, stream)
        self._sequence = 0
        self._chunk = 0

    def opening(self) -> Sequence[str]:
        """Return connected, the only message without a number, and start: who, which format, the TwiML's parameters."""
        encoding = MEDIA_ENCODINGS[self.audio_format.encoding]
        start = {
            "accountSid": ACCOUNT_SID,
            "streamSid": self.call.stream_id,
            "callSid": self.call.call_id,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": encoding, "sampleRate": self.audio_format.rate_hz, "channels": 1},
            "customParameters": dict(self.stream.parameters),
        }
        return ('{"event":"connected","protocol":"Call","version":"1.0.0"}', self._numbered("start", start=start))

    def media(self, audio: bytes, timestamp_ms: int) -> Sequence[str]:
        """Return a frame of the caller's audio."""
        self._sequence += 1
        self._chunk += 1
        payload = base64.b64encode(audio).decode()
        return (
            f'{{"event":"media","sequenceNumber":"{self._sequence}","media":{{"track":"inbound",'
            f'"chunk":"{self._chunk}","timestamp":"{timestamp_ms}","payload":"{payload}"}},'
            f'"streamSid":"{self.call.stream_id}"}}',
        )

    def key(self, digit: str) -> Sequence[str]:
        """Return a dtmf message."""
        return (self._numbered("dtmf", dtmf={"track": "inbound_track", "digit": digit}),)

    def mark_returned(self, name: str, *, cleared: bool) -> Sequence[str]:
        """Return the mark, whether its audio was played or cleared."""
        return (self._numbered("mark", mark={"name": name}),)

    def stop(self) -> Sequence[str]:
        """Return the last message."""
        return (self._numbered("stop", stop={"accountSid": ACCOUNT_SID, "callSid": self.call.call_id}),)

    def overflowed(self) -> Sequence[Order]:
        """Report error 31931, once."""
        return (Violated("media discarded: more than 10 minutes of audio are queued", TOO_MUCH_MEDIA, once=True),)

    def parse(self, message: Message) -> Sequence[Order]:
        """Parse media, mark and clear; ``WireError`` where Twilio would warn (31951) and ignore the message."""
        if isinstance(message, bytes):
            raise WireError(f"a binary message of {len(message)} bytes; expected text")
        try:
            read: _Media | _Mark | _Clear = _MESSAGES.decode(message)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise WireError(f"{error}: {_excerpt(message)}") from None
        if read.stream_sid != self.call.stream_id:
            raise WireError(f"streamSid {read.stream_sid!r} is not this stream's: {_excerpt(message)}")
        match read:
            case _Media():
                if read.media.payload.startswith(b"RIFF"):
                    raise WireError("media.payload begins with a file header: expected audio alone")
                return (Media(read.media.payload),)
            case _Mark():
                return (Mark(read.mark.name),)
            case _Clear():
                return (Clear(),)

    def _numbered(self, event: str, **body: object) -> str:
        self._sequence += 1
        message = {"event": event, "sequenceNumber": str(self._sequence), **body, "streamSid": self.call.stream_id}
        return json.dumps(message, separators=(",", ":"))


def _excerpt(text: str) -> str:
    return f"{text[:120]!r}{' …' if len(text) > 120 else ''}"


def signature(auth_token: str, url: str, parameters: Mapping[str, str] | None = None) -> str:
    """Return ``X-Twilio-Signature`` of a request to ``url`` with form ``parameters`` (none for GET and the upgrade)."""
    text = url + "".join(name + value for name, value in sorted((parameters or {}).items()))
    return base64.b64encode(hmac.digest(auth_token.encode(), text.encode(), hashlib.sha1)).decode()


def incoming_call(call: SimCall, status: str = "ringing") -> dict[str, str]:
    """Return the form by which Twilio asks what to do with an incoming call, and reports its ``status`` later."""
    return {
        "AccountSid": ACCOUNT_SID,
        "ApiVersion": "2010-04-01",
        "CallSid": call.call_id,
        "CallStatus": status,
        "Called": call.to,
        "Caller": call.from_,
        "Direction": "inbound",
        "From": call.from_,
        "To": call.to,
    }


@dataclass(frozen=True)
class Answer:
    """The content of an answer document: the stream's ``url`` without its query, ``parameters`` for ``start``.

    ``next_verbs`` are those after ``<Connect>``, which Twilio goes on with when the stream has ended; where
    ``<Connect>`` has an ``action``, that is asked instead, and nothing after it is carried out.
    """

    url: str
    parameters: Mapping[str, str]
    next_verbs: tuple[Verb, ...] = ()


def parse_answer(document: str, answer_url: str) -> Answer:
    """Return the ``<Connect><Stream>`` of a TwiML document that ``answer_url`` gave; ``WireError`` if it has none."""
    try:
        response = Xml.fromstring(document)  # noqa: S314 -- the document of the gateway under test
    except Xml.ParseError as error:
        raise WireError(f"the answer of {answer_url} is not XML ({error}): {_excerpt(document)}") from None
    stream = response.find("./Connect/Stream")
    if len(response) and response[0].tag == "Reject" and response[0].get("reason") == "busy":
        raise BusyError(answer_url)
    if response.tag != "Response" or stream is None or not stream.get("url"):
        raise WireError(f"the answer of {answer_url} connects no stream: {_excerpt(document)}")
    if stream.get("track", "inbound_track") != "inbound_track":
        raise WireError(f"31941: the answer of {answer_url} asks for track {stream.get('track')!r} under <Connect>")
    parameters = {item.get("name", ""): item.get("value", "") for item in stream.findall("Parameter")}
    verbs = list(response)
    connect = next(verb for verb in verbs if verb.tag == "Connect")
    action = connect.get("action", "")
    behind = behind_stream(verbs[verbs.index(connect) + 1 :], answer_url)
    return Answer(
        without_query(urljoin(answer_url, stream.get("url", ""))),
        parameters,
        (Redirect(urljoin(answer_url, action)),) if action else tuple(behind),
    )


def without_query(url: str) -> str:
    """Return the stream's URL as Twilio opens it: over WebSocket, its query string dropped."""
    parts = urlsplit(url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    return urlunsplit((scheme, parts.netloc, parts.path, "", ""))


def dialled(document: str) -> str:
    """Return whom a document of one ``<Dial>`` calls; empty where it is no such document."""
    try:
        dial = Xml.fromstring(document).find("./Dial")  # noqa: S314 -- the document of the gateway under test
    except Xml.ParseError:
        return ""
    return "".join(dial.itertext()).strip() if dial is not None else ""


def ordered(request: ApiRequest) -> HangUp | Transfer | None:
    """Return what an update of the Call resource asks for; ``None`` where it asks for nothing that is known here."""
    if request.data.get("Status") == "completed":
        return HangUp("REST")
    target = dialled(str(request.data.get("Twiml", "")))
    return Transfer(target) if target else None


class TwilioWebhook(Webhook):
    """The webhook: asks for TwiML, opens its stream, reports the end; signed if there is a secret ``auth_token``.

    Of the REST API it plays the update of the call (REST, Calls resource), with the account's credentials.
    """

    def stream(self, url: str) -> StreamOpening:
        """Return the upgrade, signed; both numbers as parameters, as an answer document would pass them."""
        numbers = {"from": self.call.from_, "to": self.call.to}
        return self._opening(without_query(url), {name: number for name, number in numbers.items() if number})

    async def call_in(self) -> StreamOpening:
        """Post the incoming call; the stream is the one of the answer's ``<Connect>``."""
        if self.has_api:
            self.api.on("POST", self._resource, self._update)
        reply = await connected(
            self.call.answer_url,
            lambda url: self._post(url, "ringing" if url == self.call.answer_url else "in-progress"),
            lambda reply, url: verbs_of_an_end(reply.text, url),
        )
        if reply.content_type not in CONTENT_TYPES:
            raise WireError(
                f"12300: the answer of {self.call.answer_url} is {reply.content_type}; "
                f"expected {' or '.join(CONTENT_TYPES)}"
            )
        answer = parse_answer(reply.text, self.call.answer_url)
        self.next_verbs = answer.next_verbs
        return self._opening(answer.url, answer.parameters)

    async def ended(self) -> None:
        """Carry out what follows the stream, and send the status callback."""
        await self.go_on(self.next_verbs, self._fetch)
        if self.has_api:
            self.api.off("POST", self._resource)
        if self.call.status_url:
            await self.report(self._post(self.call.status_url, "completed", "the status callback", (200, 204)))

    @property
    def _resource(self) -> str:
        account = self.call.secrets.get("account_sid", ACCOUNT_SID)
        return f"/2010-04-01/Accounts/{account}/Calls/{self.call.call_id}.json"

    def _update(self, request: ApiRequest) -> ApiResponse:
        """Carry out ``Status=completed``, or another document for the call; 404 when it is over."""
        account = self.call.secrets.get("account_sid", ACCOUNT_SID)
        credentials = f"{account}:{self.call.secrets.get('auth_token', '')}".encode()
        if request.headers.get("authorization") != f"Basic {base64.b64encode(credentials).decode()}":
            return ApiResponse(401, {"code": 20003, "message": "Authenticate", "status": 401})
        document = str(request.data.get("Twiml", ""))
        if len(document) > TWIML_LIMIT:
            return ApiResponse(400, {"code": 32018, "message": "Twiml is too long", "status": 400})
        if url := str(request.data.get("Url", "")):
            done = self.redirect([Redirect(url)])
            return ApiResponse(200, {"sid": self.call.call_id}) if done else ApiResponse(404)
        order = ordered(request)
        if order is None:
            return ApiResponse(400, {"code": 21218, "message": "Invalid ApplicationSid", "status": 400})
        if self.end(order):
            return ApiResponse(200, {"sid": self.call.call_id})
        return ApiResponse(404, {"code": 20404, "message": "The call was not found", "status": 404})

    async def _fetch(self, url: str, failed: str) -> Sequence[Verb]:
        more = {"ErrorCode": "11200", "ErrorUrl": failed} if failed else {}
        return verbs_of((await self._post(url, "in-progress", "what follows the stream", more=more)).text, url)

    async def _post(
        self,
        url: str,
        status: str,
        what: str = "the answer webhook",
        expected: Sequence[int] = (200,),
        more: Mapping[str, str] | None = None,
    ) -> Reply:
        form = incoming_call(self.call, status) | dict(more or {})
        return await self.ask(url, form=form, headers=self._signed(url, form), what=what, expected=expected)

    def _opening(self, url: str, parameters: Mapping[str, str]) -> StreamOpening:
        return StreamOpening(url, headers=self._signed(url), parameters=parameters)

    def _signed(self, url: str, form: Mapping[str, str] | None = None) -> dict[str, str]:
        auth_token = self.call.secrets.get("auth_token")
        return {"X-Twilio-Signature": signature(auth_token, url, form)} if auth_token else {}


def open_account(keys: Keys, api_url: str) -> Account:
    """Return an account: what its section in gateway.yaml has, and what the provider knows of it."""
    known = {"account_sid": ACCOUNT_SID, **keys.texts("auth_token")}
    return Account({**known, "api_url": api_url}, known)


provider = SimProvider(
    name="twilio",
    title="Twilio",
    wire=TwilioWire,
    webhook=TwilioWebhook,
    account=open_account,
    audio_formats=(PCMU, PCMA),
    new_call_id=lambda: new_sid("CA"),
    new_stream_id=lambda: new_sid("MZ"),
)

"""Twilio Media Streams (twilio.com/docs/voice/media-streams/websocket-messages) and its voice webhook. Pure."""

import base64
import hashlib
import hmac
from binascii import b2a_base64
from collections.abc import Sequence
from typing import assert_never
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit
from xml.sax.saxutils import escape, quoteattr

import msgspec
from msgspec import Struct

from gateway.audio.formats import PCMA, PCMU, AudioFormat
from gateway.config import providers as settings
from gateway.errors import WireError
from gateway.phone.commands import (
    EndStream,
    PhoneCommand,
    PlayAudio,
    SendDigits,
    SendMark,
    StopPlayback,
    StreamCommand,
    TransferCall,
)
from gateway.phone.events import (
    CallerAudio,
    CallStarted,
    DigitPressed,
    MarkReturned,
    PhoneClosed,
    PhoneEnd,
    PhoneEvent,
    Playout,
    UnknownMessage,
)
from gateway.phone.provider import (
    After,
    Answer,
    CallStatus,
    Confirmation,
    Connect,
    Grant,
    HttpRequest,
    IncomingCall,
    SignatureError,
    Traits,
    Upgrade,
    WebhookRequest,
)

TRAITS = Traits(
    title="Twilio",
    formats=(PCMU, PCMA),
    playout=Playout(),
    confirmation=Confirmation.MARKS,
    hang_up="REST, or closing the stream",
    transfer="REST",
    signature="HMAC-SHA1 of URL and form; the upgrade too",
    stream_key="token in the path",
)
ENDED = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})

_FORMATS: dict[str, AudioFormat] = {"audio/x-mulaw": PCMU, "audio/x-alaw": PCMA}


class _MediaFormat(Struct):
    encoding: str
    sample_rate: int = msgspec.field(name="sampleRate", default=8000)
    channels: int = 1


class _Start(Struct):
    call_sid: str = msgspec.field(name="callSid")
    media_format: _MediaFormat = msgspec.field(name="mediaFormat")
    custom_parameters: dict[str, str] = msgspec.field(name="customParameters", default_factory=dict)


class _Media(Struct, gc=False):
    payload: bytes
    track: str = "inbound"


class _Dtmf(Struct):
    digit: str


class _Mark(Struct):
    name: str


class _Message(Struct):
    event: str
    stream_sid: str = msgspec.field(name="streamSid", default="")
    media: _Media | None = None
    start: _Start | None = None
    dtmf: _Dtmf | None = None
    mark: _Mark | None = None


_decode = msgspec.json.Decoder(_Message).decode


class TwilioCodec:
    """The wire of one stream; base64 is decoded by the JSON reader, in the same pass."""

    def __init__(self, grant: Grant) -> None:
        self._grant = grant
        self._stream_sid = ""
        self._media_head = ""
        self._started = False

    def decode(self, message: str | bytes) -> Sequence[PhoneEvent]:
        """Events of one message; ``WireError`` for binary, non-JSON, missing members or media before ``start``."""
        if isinstance(message, bytes):
            raise WireError(f"expected text messages, got {len(message)} bytes of binary")
        try:
            read = _decode(message)
        except (msgspec.DecodeError, UnicodeError) as error:  # UnicodeError: a lone surrogate
            raise WireError(f"not a Media Streams message: {error}") from None
        if read.event == "media":
            if not self._started:
                raise WireError("media before start")
            if read.media is None:
                raise WireError("media without its media member")
            return (CallerAudio(read.media.payload),) if read.media.track == "inbound" else ()
        return self._decode_rare(read)

    def _decode_rare(self, read: _Message) -> Sequence[PhoneEvent]:
        match read:
            case _Message(event="connected"):
                return ()
            case _Message(event="start", start=_Start() as start, stream_sid=stream_sid) if stream_sid:
                return (self._start(start, stream_sid),)
            case _Message(event="mark", mark=_Mark(name=mark)):
                return (MarkReturned(mark),)
            case _Message(event="dtmf", dtmf=_Dtmf(digit=digit)):
                if digit not in "0123456789*#ABCD" or len(digit) != 1:
                    raise WireError(f"dtmf: {digit[:8]!r} is not a key")
                return (DigitPressed(digit),)
            case _Message(event="stop"):
                return (PhoneClosed(PhoneEnd.HUNG_UP),)
            case _Message(event="start" | "mark" | "dtmf"):
                raise WireError(f"{read.event} without its {read.event} member or streamSid")
            case _:
                return (UnknownMessage(read.event[:40]),)

    def _start(self, start: _Start, stream_sid: str) -> CallStarted:
        if self._started:
            raise WireError("a second start on the same stream")
        media = start.media_format
        audio_format = _FORMATS.get(media.encoding)
        if audio_format is None or media.sample_rate != audio_format.rate_hz or media.channels != 1:
            raise WireError(
                f"mediaFormat {media.encoding[:40]!r}, {media.sample_rate} Hz, {media.channels} channel(s): "
                f"expected {' or '.join(_FORMATS)}, 8000 Hz, 1 channel"
            )
        self._started = True
        self._stream_sid = msgspec.json.encode(stream_sid).decode()
        self._media_head = f'{{"event":"media","streamSid":{self._stream_sid},"media":{{"payload":"'
        parameters = start.custom_parameters
        return CallStarted(
            call_id=start.call_sid,
            stream_id=stream_sid,
            audio_format=audio_format,
            playout=TRAITS.playout,
            caller=self._grant.caller or parameters.get("from", ""),
            called=self._grant.called or parameters.get("to", ""),
            parameters=parameters,
        )

    def encode(self, command: PhoneCommand | StreamCommand) -> Sequence[str]:
        """Messages that carry the command; Twilio ignores messages with a member too few or too many (31951)."""
        match command:
            case PlayAudio(audio=audio):
                return (f'{self._media_head}{b2a_base64(audio, newline=False).decode("ascii")}"}}}}',)
            case SendMark(name=mark):
                return (f'{{"event":"mark","streamSid":{self._stream_sid},"mark":{{"name":"{mark}"}}}}',)
            case StopPlayback():
                return (f'{{"event":"clear","streamSid":{self._stream_sid}}}',)
            case EndStream() | SendDigits() | TransferCall():
                return ()
            case _:
                assert_never(command)


class Twilio:
    """Twilio, as a provider."""

    name = "twilio"
    traits = TRAITS
    subprotocols = ()

    def __init__(self, settings: settings.Twilio) -> None:
        self._auth_token = settings.auth_token.get_secret_value() if settings.auth_token else ""
        self._account_sid = settings.account_sid or ""
        self._api_url = settings.api_url

    def codec(self, upgrade: Upgrade, grant: Grant) -> TwilioCodec:
        """A fresh wire for one stream."""
        return TwilioCodec(grant)

    def verify_upgrade(self, upgrade: Upgrade, now_s: float) -> bool:
        """Twilio signs the upgrade as well: the literal URL of our document, at times with a slash behind it."""
        given = upgrade.headers.get("x-twilio-signature")
        if given is None or not self._auth_token:
            return False
        if not any(is_signed(given, url, (), self._auth_token) for url in (upgrade.url, upgrade.url + "/")):
            raise SignatureError("the stream's X-Twilio-Signature is wrong")
        return False  # it proves Twilio, not the call: a token is still needed

    def verify(self, request: WebhookRequest, now_s: float) -> str:
        """Check ``X-Twilio-Signature``; Twilio sends neither time nor nonce in it, so nothing tells a replay."""
        if not self._auth_token:
            raise SignatureError("TWILIO_AUTH_TOKEN is not set")
        body_hash = dict(parse_qsl(urlsplit(request.url).query)).get("bodySHA256")
        if body_hash is not None and not hmac.compare_digest(
            hashlib.sha256(request.body).hexdigest().encode(), body_hash.lower().encode()
        ):
            raise SignatureError("bodySHA256 does not match the body")
        if not is_signed(request.headers.get("x-twilio-signature", ""), request.url, request.form, self._auth_token):
            raise SignatureError("X-Twilio-Signature is missing or wrong")
        return ""

    def incoming(self, request: WebhookRequest) -> IncomingCall:
        """The call of an incoming-call webhook."""
        if not request.field("CallSid"):
            raise WireError("the webhook names no CallSid: expected Twilio's incoming-call form fields")
        return IncomingCall(request.field("CallSid"), request.field("From"), request.field("To"))

    def answer(self, call: IncomingCall, connect: Connect) -> Answer:
        """TwiML that connects the call to the stream and carries the numbers, which the stream itself lacks."""
        return Answer(twiml(call, connect), "text/xml")

    def status(self, request: WebhookRequest) -> Sequence[CallStatus]:
        """A call status callback (docs/voice/api/call-resource, StatusCallback)."""
        call_id, status = request.field("CallSid"), request.field("CallStatus")
        if not call_id or not status:
            raise WireError("the callback names no CallSid and CallStatus")
        return (CallStatus(call_id, status, status in ENDED),)

    def after_stream(self, call_id: str, after: After) -> Sequence[HttpRequest]:
        """The answer document says it."""
        return ()

    def hang_up(self, call_id: str) -> Sequence[HttpRequest]:
        """End the call by the REST API (docs/voice/api/call-resource)."""
        return self._update(call_id, {"Status": "completed"})

    def transfer(self, call_id: str, target: str) -> Sequence[HttpRequest]:
        """Replace the running TwiML by a ``<Dial>``; the stream then stops."""
        return self._update(call_id, {"Twiml": f"<Response>{dial(target)}</Response>"})

    def send_digits(self, call_id: str, digits: str) -> Sequence[HttpRequest]:
        """Twilio can dial digits only by ending the stream."""
        return ()

    def _update(self, call_id: str, form: dict[str, str]) -> Sequence[HttpRequest]:
        if not self._account_sid or not self._auth_token:
            return ()
        url = f"{self._api_url}/2010-04-01/Accounts/{quote(self._account_sid)}/Calls/{quote(call_id, safe='')}.json"
        return (form_request(url, form, self._account_sid, self._auth_token),)


def twiml(call: IncomingCall, connect: Connect, attributes: str = "") -> str:
    """The answer document of Twilio and its kin; ``attributes`` go into ``<Stream>``.

    When the stream ends, the provider goes on with the next verb (docs/voice/twiml/stream): what the line wants then,
    and a hang-up, so that no caller is left on a silent line.
    """
    numbers = "".join(
        f"<Parameter name={quoteattr(name)} value={quoteattr(value)}/>"
        for name, value in (("from", call.caller), ("to", call.called))
    )
    after = connect.after
    language = f" language={quoteattr(after.language)}" if after.language else ""
    said = f"<Say{language}>{escape(after.say)}</Say>" if after.say else ""
    dialled = dial(after.transfer) if after.transfer else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Response><Connect><Stream url={quoteattr(connect.stream_url)}{attributes}>{numbers}</Stream></Connect>"
        f"{said}{dialled}<Hangup/></Response>\n"
    )


def dial(target: str) -> str:
    """The verb that dials a number or a ``sip:`` address."""
    inner = f"<Sip>{escape(target)}</Sip>" if target.startswith("sip:") else escape(target)
    return f"<Dial>{inner}</Dial>"


def form_request(url: str, form: dict[str, str], user: str, password: str) -> HttpRequest:
    """A POST of a form with Basic credentials."""
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
    return HttpRequest("POST", url, headers, urlencode(form).encode())


def is_signed(given: str, url: str, form: Sequence[tuple[str, str]], secret: str) -> bool:
    """Whether ``given`` is the HMAC-SHA1 over URL and sorted form (docs/usage/webhooks/webhooks-security).

    The URL counts with and without its default port, as Twilio's own libraries accept it.
    """
    fields: dict[str, set[str]] = {}
    for key, value in form:
        fields.setdefault(key, set()).add(value)
    text = "".join(key + value for key in sorted(fields) for value in sorted(fields[key]))
    signatures = (_sign(url + text, secret) for url in _with_and_without_port(url))
    return any(hmac.compare_digest(given.encode(), signature) for signature in signatures)


def _sign(text: str, secret: str) -> bytes:
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), "sha1"))


def _with_and_without_port(url: str) -> list[str]:
    parts = urlsplit(url)
    default = {"https": 443, "wss": 443, "http": 80, "ws": 80}.get(parts.scheme)
    host, _, port = parts.netloc.rpartition(":") if parts.port else (parts.netloc, "", "")
    variants = [url]
    if not port:
        variants.append(urlunsplit(parts._replace(netloc=f"{parts.netloc}:{default}")))
    elif int(port) == default:
        variants.append(urlunsplit(parts._replace(netloc=host)))
    return variants

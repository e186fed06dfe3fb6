"""Twilio Media Streams (twilio.com/docs/voice/media-streams/websocket-messages) and its voice webhook. Pure."""

import base64
import hashlib
import hmac
from binascii import b2a_base64
from collections.abc import Sequence
from typing import assert_never
from urllib.parse import parse_qsl, urlsplit, urlunsplit
from xml.sax.saxutils import quoteattr

import msgspec
from msgspec import Struct

from gateway.audio.formats import PCMA, PCMU, AudioFormat
from gateway.errors import WireError
from gateway.phone.commands import EndStream, PhoneCommand, PlayAudio, SendMark, StopPlayback
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
from gateway.phone.provider import AnswerDocument, Upgrade, WebhookRequest

name = "twilio"
subprotocols = ()
playout = Playout()

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

    def __init__(self) -> None:
        self._stream_sid = ""
        self._media_head = ""
        self._started = False

    def decode(self, message: str | bytes) -> Sequence[PhoneEvent]:
        """Events of one message; ``WireError`` for binary, non-JSON, missing members or media before ``start``."""
        if isinstance(message, bytes):
            raise WireError(f"expected text messages, got {len(message)} bytes of binary")
        try:
            read = _decode(message)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:  # UnicodeError: a lone surrogate
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
                    raise WireError(f"dtmf: {len(digit)} characters that are not one key")
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
            playout=playout,
            caller=parameters.get("from", ""),
            called=parameters.get("to", ""),
            parameters=parameters,
        )

    def encode(self, command: PhoneCommand | EndStream) -> Sequence[str]:
        """Messages that carry the command; Twilio ignores messages with a member too few or too many (31951)."""
        match command:
            case PlayAudio(audio=audio):
                return (f'{self._media_head}{b2a_base64(audio, newline=False).decode("ascii")}"}}}}',)
            case SendMark(name=mark):
                return (f'{{"event":"mark","streamSid":{self._stream_sid},"mark":{{"name":"{mark}"}}}}',)
            case StopPlayback():
                return (f'{{"event":"clear","streamSid":{self._stream_sid}}}',)
            case EndStream():
                return ()
            case _:
                assert_never(command)


def codec(upgrade: Upgrade) -> TwilioCodec:
    """A fresh wire for one stream."""
    return TwilioCodec()


def answer(request: WebhookRequest, stream_url: str) -> AnswerDocument:
    """TwiML that connects the call to ``stream_url`` and carries the numbers, which the stream itself lacks.

    ``<Hangup/>`` follows: when the stream ends, Twilio goes on with the next verb (docs/voice/twiml/stream).
    """
    if not request.field("CallSid"):
        raise WireError("the webhook names no CallSid: expected Twilio's incoming-call form fields")
    numbers = "".join(
        f"<Parameter name={quoteattr(name)} value={quoteattr(request.field(field))}/>"
        for name, field in (("from", "From"), ("to", "To"))
    )
    return AnswerDocument(
        content_type="text/xml",
        body='<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Response><Connect><Stream url={quoteattr(stream_url)}>{numbers}</Stream></Connect><Hangup/></Response>\n",
    )


def verify(request: WebhookRequest, secret: str) -> bool:
    """Whether ``X-Twilio-Signature`` is right: HMAC-SHA1 over URL and sorted form.

    See docs/usage/webhooks/webhooks-security. The URL counts with and without its default port, as Twilio's own
    libraries accept it; a JSON body is bound by the ``bodySHA256`` that the signed URL carries.
    """
    given = request.headers.get("x-twilio-signature", "").encode(errors="surrogateescape")
    body_hash = dict(parse_qsl(urlsplit(request.url).query)).get("bodySHA256")
    if body_hash is not None and not hmac.compare_digest(hashlib.sha256(request.body).hexdigest(), body_hash.lower()):
        return False
    fields: dict[str, set[str]] = {}
    for key, value in request.form:
        fields.setdefault(key, set()).add(value)
    form = "".join(key + value for key in sorted(fields) for value in sorted(fields[key]))
    signatures = (_sign(url + form, secret) for url in _with_and_without_port(request.url))
    return any(hmac.compare_digest(given, signature) for signature in signatures)


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

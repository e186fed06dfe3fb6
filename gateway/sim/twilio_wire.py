"""Twilio's end of the media stream as text: what it sends, what it accepts, how it signs, what it asks by webhook.

Source: Twilio Media Streams, WebSocket messages; TwiML ``<Stream>``; Security (X-Twilio-Signature); error 31951.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit, urlunsplit
from xml.etree import ElementTree as Xml

import msgspec

from gateway.audio.formats import AudioFormat, Encoding
from gateway.errors import WireError

MEDIA_ENCODINGS = {Encoding.PCMU: "audio/x-mulaw", Encoding.PCMA: "audio/x-alaw", Encoding.L16: "audio/x-l16"}
"""``mediaFormat.encoding``; Twilio itself knows the first alone, providers that speak its protocol the others too."""


class _Strict(msgspec.Struct, tag_field="event", forbid_unknown_fields=True, rename="camel", kw_only=True):
    stream_sid: str


class _Payload(msgspec.Struct, forbid_unknown_fields=True):
    payload: bytes


class _Name(msgspec.Struct, forbid_unknown_fields=True):
    name: str


class Media(_Strict, tag="media"):
    """Audio to play."""

    media: _Payload


class Mark(_Strict, tag="mark"):
    """A mark to return when the audio before it has been played."""

    mark: _Name


class Clear(_Strict, tag="clear"):
    """An order to empty the playout buffer."""


Order = Media | Mark | Clear
_ORDERS = msgspec.json.Decoder(Order)


def new_sid(prefix: str) -> str:
    """A fresh Twilio identifier: two letters and 32 hexadecimal digits."""
    return prefix + secrets.token_hex(16)


class TwilioWire:
    """One stream's messages: numbered as Twilio numbers them, and checked as strictly as Twilio checks."""

    def __init__(self, audio_format: AudioFormat, *, call_sid: str = "") -> None:
        self.audio_format = audio_format
        self.account_sid = "AC" + "0123456789abcdef" * 2
        self.call_sid = call_sid or new_sid("CA")
        self.stream_sid = new_sid("MZ")
        self._sequence = 0
        self._chunk = 0

    def connected(self) -> str:
        """The first message; the only one without a number."""
        return '{"event":"connected","protocol":"Call","version":"1.0.0"}'

    def start(self, parameters: Mapping[str, str]) -> str:
        """The second message: who, and in which format; ``parameters`` are the TwiML's."""
        encoding = MEDIA_ENCODINGS[self.audio_format.encoding]
        start = {
            "accountSid": self.account_sid,
            "streamSid": self.stream_sid,
            "callSid": self.call_sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": encoding, "sampleRate": self.audio_format.rate_hz, "channels": 1},
            "customParameters": dict(parameters),
        }
        return self._numbered("start", start=start)

    def media(self, audio: bytes, timestamp_ms: int) -> str:
        """A frame of the caller's audio; ``timestamp_ms`` counts from the start of the stream."""
        self._sequence += 1
        self._chunk += 1
        payload = base64.b64encode(audio).decode()
        return (
            f'{{"event":"media","sequenceNumber":"{self._sequence}","media":{{"track":"inbound",'
            f'"chunk":"{self._chunk}","timestamp":"{timestamp_ms}","payload":"{payload}"}},'
            f'"streamSid":"{self.stream_sid}"}}'
        )

    def dtmf(self, digit: str) -> str:
        """A key press."""
        return self._numbered("dtmf", dtmf={"track": "inbound_track", "digit": digit})

    def mark(self, name: str) -> str:
        """A mark that returns."""
        return self._numbered("mark", mark={"name": name})

    def stop(self) -> str:
        """The last message."""
        return self._numbered("stop", stop={"accountSid": self.account_sid, "callSid": self.call_sid})

    def parse(self, text: str | bytes) -> Order:
        """What the gateway orders; ``WireError`` where Twilio would warn (31951) and ignore the message."""
        try:
            order: Order = _ORDERS.decode(text)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise WireError(f"{error}: {_excerpt(text)}") from None
        if order.stream_sid != self.stream_sid:
            raise WireError(f"streamSid {order.stream_sid!r} is not this stream's: {_excerpt(text)}")
        if isinstance(order, Media) and order.media.payload.startswith(b"RIFF"):
            raise WireError("media.payload begins with a file header: expected audio alone")
        return order

    def _numbered(self, event: str, **body: object) -> str:
        self._sequence += 1
        message = {"event": event, "sequenceNumber": str(self._sequence), **body, "streamSid": self.stream_sid}
        return json.dumps(message, separators=(",", ":"))


def _excerpt(text: str | bytes) -> str:
    return f"{text[:120]!r}{' …' if len(text) > 120 else ''}"


def signature(auth_token: str, url: str, parameters: Mapping[str, str] | None = None) -> str:
    """``X-Twilio-Signature`` of a request to ``url`` with form ``parameters`` (none for GET and for the upgrade)."""
    text = url + "".join(name + value for name, value in sorted((parameters or {}).items()))
    return base64.b64encode(hmac.digest(auth_token.encode(), text.encode(), hashlib.sha1)).decode()


def incoming_call(account_sid: str, call_sid: str, *, to: str, from_: str) -> dict[str, str]:
    """The form by which Twilio asks what to do with an incoming call."""
    return {
        "AccountSid": account_sid,
        "ApiVersion": "2010-04-01",
        "CallSid": call_sid,
        "CallStatus": "ringing",
        "Called": to,
        "Caller": from_,
        "Direction": "inbound",
        "From": from_,
        "To": to,
    }


@dataclass(frozen=True)
class Answer:
    """The stream that an answer document asks for: ``url`` without its query, and the ``parameters`` for ``start``."""

    url: str
    parameters: Mapping[str, str]


def parse_answer(document: str, answer_url: str) -> Answer:
    """The ``<Connect><Stream>`` of a TwiML document that ``answer_url`` gave; ``WireError`` where there is none."""
    try:
        response = Xml.fromstring(document)  # noqa: S314 -- the document of the gateway under test
    except Xml.ParseError as error:
        raise WireError(f"the answer of {answer_url} is not XML ({error}): {_excerpt(document)}") from None
    stream = response.find("./Connect/Stream")
    if response.tag != "Response" or stream is None or not stream.get("url"):
        raise WireError(f"the answer of {answer_url} connects no stream: {_excerpt(document)}")
    if stream.get("track", "inbound_track") != "inbound_track":
        raise WireError(f"31941: the answer of {answer_url} asks for track {stream.get('track')!r} under <Connect>")
    parameters = {item.get("name", ""): item.get("value", "") for item in stream.findall("Parameter")}
    return Answer(without_query(urljoin(answer_url, stream.get("url", ""))), parameters)


def without_query(url: str) -> str:
    """The stream's URL as Twilio opens it: over WebSocket, its query string dropped."""
    parts = urlsplit(url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    return urlunsplit((scheme, parts.netloc, parts.path, "", ""))

"""Exotel's end of a call: the Voicebot applet, its messages, the sizes that it requires.

Source: Exotel developer documentation, AgentStream; support article 3000108630.
"""

import base64
import json
from collections.abc import Sequence
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from gateway.audio.formats import L16_8K, L16_16K, L16_24K, PCMU, AudioFormat, Encoding
from gateway.errors import WireError
from gateway.sim.phone.webhook import SimProvider, Webhook
from gateway.sim.phone.wire import Clear, Mark, Media, Message, Order, SimCall, StreamOpening, Violated, Wire

SMALLEST, LARGEST, STEP = 3_200, 100_000, 320
"""The bytes of audio in a message of the gateway."""
PATIENCE_MS = 10_000
"""The time within which the gateway's first message must come."""
RATES = {8000: L16_8K, 16000: L16_16K, 24000: L16_24K}
ENCODINGS = {Encoding.L16: "audio/x-raw", Encoding.PCMU: "audio/x-mulaw"}
QUIET_CLEAR = "quiet_clear"
"""A quirk: marks that a clear overtakes do not return; the documents do not say."""


class _Out(msgspec.Struct, tag_field="event", kw_only=True):
    stream_sid: str


class _Payload(msgspec.Struct):
    payload: bytes


class _Name(msgspec.Struct):
    name: str


class _Media(_Out, tag="media"):
    media: _Payload


class _Mark(_Out, tag="mark"):
    mark: _Name


class _Clear(_Out, tag="clear"):
    pass


_MESSAGES = msgspec.json.Decoder(_Media | _Mark | _Clear)


class ExotelWire(Wire):
    """The messages of one stream: 100 ms of audio in each, all numbers as strings."""

    frame_ms = 100

    def __init__(self, call: SimCall, stream: StreamOpening) -> None:
        super().__init__(call, stream)
        self._sequence = 0
        self._chunk = 0
        self._now_ms = 0
        self._has_answered = False

    def opening(self) -> Sequence[str]:
        """Return connected and start."""
        start = {
            "stream_sid": self.call.stream_id,
            "call_sid": self.call.call_id,
            "account_sid": "exotel1",
            "from": self.call.from_,
            "to": self.call.to,
            "custom_parameters": dict(self.stream.parameters),
            "media_format": {
                "encoding": ENCODINGS[self.audio_format.encoding],
                "sample_rate": str(self.audio_format.rate_hz),
                "bit_rate": str(8 * self.audio_format.sample_bytes),
            },
        }
        return ('{"event":"connected"}', self._numbered("start", start=start))

    def media(self, audio: bytes, timestamp_ms: int) -> Sequence[str]:
        """Return 100 ms of the caller's audio."""
        self._chunk += 1
        payload = base64.b64encode(audio).decode()
        return (
            self._numbered(
                "media", media={"chunk": str(self._chunk), "timestamp": str(timestamp_ms), "payload": payload}
            ),
        )

    def key(self, digit: str) -> Sequence[str]:
        """Return a dtmf message, with its duration."""
        return (self._numbered("dtmf", dtmf={"digit": digit, "duration": "100"}),)

    def mark_returned(self, name: str, *, cleared: bool) -> Sequence[str]:
        """Return the mark; for a cleared one see :data:`QUIET_CLEAR`."""
        if cleared and QUIET_CLEAR in self.call.quirks:
            return ()
        return (self._numbered("mark", mark={"name": name}),)

    def stop(self) -> Sequence[str]:
        """Return the last message."""
        stop = {"call_sid": self.call.call_id, "account_sid": "exotel1", "reason": "callended"}
        return (self._numbered("stop", stop=stop),)

    def tick(self, now_ms: int, queued_ms: float) -> Sequence[str]:
        """Note the time; there is nothing to send."""
        self._now_ms = now_ms
        return ()

    def parse(self, message: Message) -> Sequence[Order]:
        """Parse media, mark and clear; ``WireError`` for anything else."""
        late = (
            () if self._has_answered or self._now_ms <= PATIENCE_MS else (Violated("the first answer came after 10 s"),)
        )
        self._has_answered = True
        return (*late, *self._parse(message))

    def _parse(self, message: Message) -> Sequence[Order]:
        if isinstance(message, bytes):
            raise WireError(f"a binary message of {len(message)} bytes; expected text")
        try:
            read: _Media | _Mark | _Clear = _MESSAGES.decode(message)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise WireError(f"{error}: {message[:120]!r}") from None
        if read.stream_sid != self.call.stream_id:
            raise WireError(f"stream_sid {read.stream_sid!r} is not this stream's: {message[:120]!r}")
        match read:
            case _Media():
                return _play(read.media.payload)
            case _Mark():
                return (Mark(read.mark.name),)
            case _Clear():
                return (Clear(),)

    def _numbered(self, event: str, **body: object) -> str:
        self._sequence += 1
        message = {
            "event": event,
            "sequence_number": str(self._sequence),
            "stream_sid": self.call.stream_id,
            **body,
        }
        return json.dumps(message, separators=(",", ":"))


def _play(audio: bytes) -> Sequence[Order]:
    size = len(audio)
    if size > LARGEST:
        return (Violated(f"a message with {size} bytes of audio times out; expected at most {LARGEST}"),)
    if size < SMALLEST:
        return (
            Violated(f"a message with {size} bytes of audio makes jitter; expected {SMALLEST} or more"),
            Media(audio),
        )
    if size % STEP:
        return (Violated(f"{size} bytes of audio leave a gap; expected a multiple of {STEP}"), Media(audio))
    return (Media(audio),)


class ExotelWebhook(Webhook):
    """The applet: a static address, or one that is asked for; credentials of the address become Basic's.

    The address of :meth:`stream` is given the secret ``stream_secret`` as password, and so is the endpoint's.
    """

    def stream(self, url: str) -> StreamOpening:
        """Return the applet's own ``wss`` address."""
        return self._opening(url, self._basic())

    async def call_in(self) -> StreamOpening:
        """Ask the endpoint for the stream's address."""
        query = {
            "CallSid": self.call.call_id,
            "CallFrom": self.call.from_,
            "CallTo": self.call.to,
            "Direction": "incoming",
        }
        parts = urlsplit(self.call.answer_url)
        asked = urlunsplit(parts._replace(query=urlencode([*parse_qsl(parts.query), *query.items()])))
        reply = await self.ask(asked, method="GET", headers=self._basic())
        try:
            url = msgspec.json.decode(reply.text, type=dict[str, str])["url"]
        except (msgspec.DecodeError, KeyError):
            raise WireError(f"the answer of {self.call.answer_url} has no url: {reply.text[:120]!r}") from None
        return self._opening(url, {})

    async def ended(self) -> None:
        """Send the status callback."""
        if self.call.status_url:
            form = {"CallSid": self.call.call_id, "EventType": "terminal", "Status": "completed"}
            headers, what = self._basic(), "the status callback"
            asked = self.ask(self.call.status_url, form=form, headers=headers, what=what, expected=(200, 204))
            await self.report(asked)

    def _opening(self, url: str, headers: dict[str, str]) -> StreamOpening:
        query = parse_qs(urlsplit(url).query)
        (rate,) = query.pop("sample-rate", ["8000"])
        given = {name: values[0] for name, values in query.items()}
        return StreamOpening(url, headers, parameters=given, audio_format=self._format(rate))

    def _format(self, rate: str) -> AudioFormat:
        """Return linear audio at the rate that the address asks for; a phone of another format keeps its own."""
        if rate == "8000":
            return self.call.audio_format
        if not rate.isdecimal() or int(rate) not in RATES:
            raise WireError(
                f"sample-rate {rate!r} in the stream's address; expected one of {', '.join(map(str, RATES))}"
            )
        return RATES[int(rate)]

    def _basic(self) -> dict[str, str]:
        secret = self.call.secrets.get("stream_secret")
        return {"Authorization": f"Basic {base64.b64encode(f'gateway:{secret}'.encode()).decode()}"} if secret else {}


provider = SimProvider(
    name="exotel",
    title="Exotel",
    wire=ExotelWire,
    webhook=ExotelWebhook,
    audio_formats=(L16_8K, L16_16K, L16_24K, PCMU),
)

"""The interface of every provider's end of the media stream to the simulated phone: a pure object for each call."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from gateway.audio.formats import AudioFormat

Message = str | bytes
"""A WebSocket message: text or binary."""
Party = Literal["caller", "gateway"]
Ender = Literal["caller", "gateway", "network"]
"""The side that ended a stream; the network, where the stream was lost on its way."""


@dataclass(frozen=True)
class SimCall:
    """A call to be made: who calls whom, under which ids, and what the provider knows of the gateway.

    ``call_id`` and ``stream_id`` are the ids on the wire, in the provider's own form; ``audio_format`` is what the
    caller's audio is written in. ``secrets`` have the names that the gateway's configuration has for them.
    ``status_url`` takes the provider's callbacks, where it was given one; ``fallback_url`` is asked where a document
    cannot be fetched. ``quirks`` are deviations that have been observed,
    by names of the provider's module; none of them is on by default.
    """

    to: str
    from_: str
    call_id: str
    stream_id: str
    audio_format: AudioFormat
    secrets: Mapping[str, str] = field(default_factory=dict)
    answer_url: str = ""
    status_url: str = ""
    fallback_url: str = ""
    quirks: frozenset[str] = frozenset()


@dataclass(frozen=True)
class StreamOpening:
    """The opening of the stream: the upgrade, and what the gateway's answer asked for.

    ``parameters`` are custom values for the first message; ``keys`` is false where the gateway had to ask for the
    caller's keys and did not. ``audio_format`` and ``bot_format`` are set where the answer
    chose them; the bot's defaults to the caller's.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    subprotocols: Sequence[str] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    keys: bool = True
    audio_format: AudioFormat | None = None
    bot_format: AudioFormat | None = None


@dataclass(frozen=True)
class Media:
    """Play ``audio``, in the wire's ``bot_format``, after what is queued."""

    audio: bytes


@dataclass(frozen=True)
class Mark:
    """Return ``name`` when the audio before it has been played."""

    name: str


@dataclass(frozen=True)
class Clear:
    """Throw away what has not been played."""


@dataclass(frozen=True)
class Pause:
    """Hold the playback, or go on with it."""

    on: bool = True


@dataclass(frozen=True)
class Digits:
    """Send these keys to the caller's side."""

    digits: str


@dataclass(frozen=True)
class HangUp:
    """End the call: the stream ends as it does when the gateway hangs up."""

    reason: str = ""


@dataclass(frozen=True)
class Transfer:
    """Connect the caller with another party: the stream ends."""

    to: str


@dataclass(frozen=True)
class Send:
    """The provider answers by itself, at once: a pong, an acknowledgement, an error."""

    messages: Sequence[Message]


@dataclass(frozen=True)
class Close:
    """The provider closes the socket because of what the gateway did; 1006 breaks the connection off."""

    code: int = 1000


@dataclass(frozen=True)
class Violated:
    """A rule of the provider was broken: its error ``code`` (0 where it has none) and ``what`` was wrong.

    With ``once``, only the first such message of a stream is reported.
    """

    what: str
    code: int = 0
    once: bool = False


Order = Media | Mark | Clear | Pause | Digits | HangUp | Transfer | Send | Close | Violated
"""The meaning of a message of the gateway to the phone; see :meth:`Wire.parse`."""


class Wire(ABC):
    """A provider's end of one stream: it writes the provider's messages and reads the gateway's.

    It does no I/O; its only clock are the arguments of :meth:`tick` and :meth:`media`. Messages come in lists, as one
    happening may be several messages or none. Class attributes are the provider's rules, set where they differ.
    """

    frame_ms: int = 20
    """Length of the caller's audio in one :meth:`media`; a multiple of 20."""
    queue_limit_ms: int = 600_000
    """The amount of the gateway's audio that may wait to be played; :meth:`overflowed` beyond it."""
    invalid_code: int = 0
    """The provider's error code for a message that :meth:`parse` refuses."""
    protocol_error_code: int = 1002
    """The same for a message that is no WebSocket message; by default the close code (RFC 6455 §7.4.1)."""
    fills_with_silence: bool = False
    """``True`` if the gateway sends silence where it has nothing to say: such a frame is not taken for the bot's."""
    gateway_may_close: bool = True
    """``True`` if the gateway may end a stream by closing the socket; otherwise that is a violation."""

    def __init__(self, call: SimCall, stream: StreamOpening) -> None:
        self.call = call
        self.stream = stream
        self.audio_format = call.audio_format
        self.bot_format = stream.bot_format or call.audio_format

    @property
    def ready(self) -> bool:
        """True if the caller's audio may flow; false as long as an answer of the gateway is missing."""
        return True

    @property
    def stopped(self) -> bool:
        """True if the phone may close the socket after :meth:`stop`; false while it has to wait for an answer."""
        return True

    @abstractmethod
    def opening(self) -> Sequence[Message]:
        """Return the first messages, right after the upgrade."""

    @abstractmethod
    def media(self, audio: bytes, timestamp_ms: int) -> Sequence[Message]:
        """Return ``frame_ms`` of the caller's audio, ``timestamp_ms`` from the start of the audio."""

    @abstractmethod
    def parse(self, message: Message) -> Sequence[Order]:
        """Return what a message of the gateway orders.

        ``WireError`` where the provider would warn and ignore the message; ``Violated`` among the orders where it
        does something else: obeys in part, answers with an error, closes.
        """

    def key(self, digit: str) -> Sequence[Message]:
        """Return a key press of the caller; nothing where the stream does not carry keys."""
        return ()

    def mark_returned(self, name: str, *, cleared: bool) -> Sequence[Message]:
        """Return a mark whose audio was played, or ``cleared``; nothing where the provider does not report it."""
        return ()

    def cleared(self) -> Sequence[Message]:
        """Report that a ``Clear`` has emptied the buffer; sent after the marks that it returned."""
        return ()

    def playback_started(self) -> Sequence[Message]:
        """Report that the gateway's audio becomes heard, after silence."""
        return ()

    def playback_ended(self) -> Sequence[Message]:
        """Report that the buffer ran dry; not after a ``Clear``."""
        return ()

    def overflowed(self) -> Sequence[Order]:
        """Report that audio was refused because of ``queue_limit_ms``; none of that message is played."""
        return (
            Violated(f"media discarded: more than {self.queue_limit_ms / 1000:g} s of audio are queued", once=True),
        )

    def pinged(self) -> Sequence[Order]:
        """React to a WebSocket ping of the gateway, which has been answered."""
        return ()

    def tick(self, now_ms: int, queued_ms: float) -> Sequence[Message]:
        """Return what is sent every 20 ms from the start of the audio: pings, flow control by how much audio waits."""
        return ()

    def due(self, now_ms: int, queued_ms: float) -> Sequence[Order]:
        """Return what the provider does by itself, asked every 20 ms after :meth:`tick`: ``Close`` a silent stream."""
        return ()

    def stop(self) -> Sequence[Message]:
        """Return the last messages, when the call has ended on the phone's side or by an order."""
        return ()

"""The events of the phone leg. Every provider's wire is decoded to these."""

import enum
from typing import final

from msgspec import Struct

from gateway.audio.formats import AudioFormat


class Playout(Struct, frozen=True):
    """The way in which a provider plays audio; declared by each provider, used by ``call.speaking.playback``."""

    frame_ms: int = 20
    """Audio is sent in whole multiples of this."""
    tick_ms: int = 20
    """The phone plays in steps of this, however large the pieces are that it is sent."""
    lead_ms: int = 600
    """At most this much audio waits at the provider.

    What is left of it when it is topped up is how long a delay of ours or the network's may be without being heard. A
    TCP packet that is lost comes again after the round trip and 200 ms at least (Linux' ``TCP_RTO_MIN``).
    """
    refill_ms: int = 200
    """The lead is topped up when it has shrunk by this much: one message and one mark each time."""
    returns_marks: bool = True
    """``True`` if returned marks confirm playback; otherwise it is computed from the clock."""
    marks_on_trial: bool = False
    """``True`` if a first mark has to return before others are sent; until then playback is computed from the clock."""
    marks_return_at_once: bool = True
    """``True`` if a mark with no audio before it returns at once, so that it measures the round trip."""
    marks_return_on_the_way: bool = True
    """``True`` if marks return while the audio after them is still played; otherwise only when all of it was."""
    clears: bool = True
    """``True`` if ``StopPlayback`` discards what waits at the provider; set by the leg from ``Traits.clears``."""
    gathers: bool = False
    """``True`` if the provider holds the last audio back until more comes, so that it needs a sign of the end."""


class CallStarted(Struct, frozen=True):
    """The stream has begun: whose call it is and how its audio is written.

    A codec gives the numbers as its provider writes them; the code that takes the stream puts them into one form.
    """

    call_id: str
    stream_id: str
    audio_format: AudioFormat
    playout: Playout
    caller: str = ""
    called: str = ""
    withheld: str = ""
    """The reason why there is no caller, in a word such as ``anonymous``; empty where there is one."""
    parameters: dict[str, str] = {}
    frame_header: int = 0
    """The bytes that stand before the audio in each binary message; tapes keep them."""
    big_endian: bool = False
    """``True`` if linear audio comes and goes in network byte order; tapes measure its level."""


@final
class CallerAudio(Struct, frozen=True, gc=False):
    """Audio from the caller, in the call's format; any length."""

    audio: bytes


class DigitPressed(Struct, frozen=True):
    """The caller pressed a key: one of ``0-9*#A-D``."""

    digit: str


class MarkReturned(Struct, frozen=True):
    """A mark came back: its audio was played, or was discarded by ``StopPlayback``."""

    name: str


@final
class WireReply(Struct, frozen=True):
    """A message that the provider's protocol wants at once; the leg sends it, and the conversation never sees it."""

    messages: tuple[str | bytes, ...]


class PlaybackStopped(Struct, frozen=True):
    """``StopPlayback`` was written to the provider; told by the leg, never by a wire."""


class SignOfLife(Struct, frozen=True):
    """The provider is there: a ping, a pong, or a message that means nothing else."""


class UnknownMessage(Struct, frozen=True):
    """A well-formed message of a kind this provider is not known to send; counted."""

    kind: str


class MalformedMessage(Struct, frozen=True):
    """A message that breaks the provider's protocol; counted."""

    detail: str
    readable: bool = False
    """``True`` if it could be read and only its content is wrong: no number of these ends a call."""


class OddMessage(Struct, frozen=True):
    """A message that was accepted although a part is not as documented; counted, and noted once a call."""

    detail: str


class PhoneEnd(enum.StrEnum):
    """The ways in which the phone leg ends."""

    HUNG_UP = "hung_up"
    """The provider said that the call is over, or closed the stream in order."""
    LOST = "lost"
    """The connection broke."""
    STALLED = "stalled"
    """The provider stopped reading what we sent."""
    CLOSED = "closed"
    """We closed the stream."""


class PhoneClosed(Struct, frozen=True):
    """The closing event: the last of every phone leg, exactly once."""

    end: PhoneEnd
    detail: str = ""
    probe: bool = False
    """``True`` if the stream was opened only as a test of the connection, and carried no call."""


PhoneEvent = (
    CallStarted
    | CallerAudio
    | DigitPressed
    | MarkReturned
    | PlaybackStopped
    | SignOfLife
    | UnknownMessage
    | MalformedMessage
    | OddMessage
    | PhoneClosed
)

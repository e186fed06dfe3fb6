"""jambonz' ``listen`` stream: linear audio as binary messages, the call's attributes, keys and marks as JSON. Pure.

docs.jambonz.org, "Listen", "Bidirectional (streaming) audio"; jambonz/freeswitch-modules, mod_audio_fork.
"""

from collections.abc import Mapping, Sequence
from typing import Any, assert_never

import msgspec
import numpy as np

from gateway.audio.formats import L16_8K, L16_16K, L16_24K, AudioFormat
from gateway.errors import MessageError, WireError
from gateway.phone.commands import (
    AskForLife,
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
    MarkReturned,
    OddMessage,
    PhoneEvent,
    Playout,
    UnknownMessage,
    WireReply,
)
from gateway.phone.provider import Grant
from gateway.phone.shared.call_id import call_of
from gateway.phone.shared.json_text import UNREADABLE, key_pressed, mark_name, read_again, text_of
from gateway.phone.shared.members import Members

FORMATS = {8000: L16_8K, 16000: L16_16K, 24000: L16_24K}
PLAYOUT = Playout(marks_return_at_once=False, gathers=True)
FIRST_BUFFER_MS = 160
"""Audio that jambonz gathers in front of its playout queue before it plays the first."""
BUFFER_MS = 80
"""The same afterwards: less than this waits for more, however long that takes."""
QUIET_MS = 100
"""The pause in sending after which the end of what is said is driven out: another reply may follow at once."""
NEARLY_DRY_MS = 40
MARKS_LIMIT = 30
"""jambonz discards marks beyond it."""

_object = msgspec.json.Decoder(dict[str, Any]).decode
_MARKER = -1
"""The sample by which jambonz notes a mark in its queue."""


class JambonzCodec:
    """The wire of one stream.

    A mark binds to the audio **after** it, and the last of what is said stays in jambonz' buffer until more comes.
    So silence is sent after the last words, enough to drive them out. The audio says which words are the last,
    so that a pause of ours puts no silence into what is said. The caller's own audio, which comes in at the pace at
    which ours is played, shows when they are about to end: nothing was sent for ``QUIET_MS``, and the audio that
    jambonz has released is nearly over.
    """

    def __init__(self, grant: Grant) -> None:
        self._grant = grant
        self._format: AudioFormat | None = None
        self._threshold = 0
        self._unreleased = 0
        self._released = 0
        self._quiet = 0
        self._more = False
        self._unbound = False
        self._marks_out = 0

    def decode(self, message: str | bytes) -> Sequence[PhoneEvent | WireReply]:
        """Return the events of one message.

        Raises ``WireError`` for non-JSON and a start that cannot be carried, ``MessageError`` for the rest.
        """
        if isinstance(message, bytes):
            return self._audio(message)
        try:
            read = _object(message)
        except UNREADABLE as error:
            started = self._format is not None
            read = read_again(message, dict[str, Any], "a listen message", error, started=started)
        if self._format is None and _is_attributes(read):
            return self._start(read)
        match read:
            case {"type": "mark", "data": dict() as data}:
                self._marks_out = max(0, self._marks_out - 1)
                return (MarkReturned(mark_name(data)),)
            case {"event": "dtmf"}:
                return (key_pressed(read.get("dtmf")),)
            case {"type": "playDone"}:
                return ()
            case {"type": "mark"}:
                raise MessageError("a mark without its name")
            case {"type": str() as kind} | {"event": str() as kind}:
                return (UnknownMessage(kind[:40]),)
            case _:
                raise MessageError("a message without a type or an event")

    def encode(self, command: PhoneCommand | StreamCommand) -> Sequence[str | bytes]:
        """Return the messages that carry the command."""
        match command:
            case PlayAudio(audio=audio, more=more):
                self._more = more
                if not audio:
                    return ()
                self._sent(len(audio))
                self._quiet = 0
                return (_without_markers(audio),)
            case SendMark(name=mark):
                if self._marks_out >= MARKS_LIMIT:
                    return ()
                self._marks_out += 1
                self._unbound = True
                return (f'{{"type":"mark","data":{{"name":{text_of(mark)}}}}}',)
            case StopPlayback():
                self._unreleased = self._released = 0
                self._unbound = self._more = False
                return ('{"type":"killAudio"}',)
            case EndStream():
                return ('{"type":"disconnect"}',)
            case SendDigits() | TransferCall() | AskForLife():
                return ()
            case _:
                assert_never(command)

    def _start(self, read: Mapping[str, Any]) -> Sequence[PhoneEvent]:
        odd: list[str] = []
        said = {name: value for name, value in read.items() if name != "customerData"}  # an object, by the documents
        attributes = Members(said, "attributes", odd)
        rate_hz, mix = attributes.number("sampleRate", 0), attributes.text("mixType") or "mono"
        call_id = call_of(self._grant.call_id, attributes.text("callSid"))
        if not call_id:
            raise WireError("the attributes of the call name no callSid")
        audio_format = FORMATS.get(rate_hz)
        if audio_format is None:
            raise WireError(f"sampleRate {rate_hz}: expected 8000, 16000 or 24000 in the listen verb")
        if mix != "mono":
            raise WireError(f"mixType {mix[:10]!r}: expected mono in the listen verb")
        self._format = audio_format
        self._threshold = audio_format.bytes_for(FIRST_BUFFER_MS)
        parameters = attributes.texts()
        started = CallStarted(
            call_id=call_id,
            stream_id="",
            audio_format=audio_format,
            playout=PLAYOUT,
            caller=self._grant.caller or parameters.get("from", ""),
            called=self._grant.called or parameters.get("to", ""),
            parameters=parameters,
        )
        return (started, *map(OddMessage, dict.fromkeys(odd)))

    def _audio(self, audio: bytes) -> Sequence[PhoneEvent | WireReply]:
        if self._format is None:
            return (CallerAudio(audio),)
        self._released = max(0, self._released - len(audio))
        self._quiet += len(audio)
        piece = CallerAudio(audio)
        if self._more or not (self._unreleased or self._unbound):
            return (piece,)
        if self._quiet < self._format.bytes_for(QUIET_MS) or self._released > self._format.bytes_for(NEARLY_DRY_MS):
            return (piece,)
        silence = bytes(self._threshold)
        self._sent(len(silence))
        return (piece, WireReply((silence,)))

    def _sent(self, size: int) -> None:
        self._unbound = False
        self._unreleased += size
        if self._format is not None and self._unreleased >= self._threshold:
            self._released += self._unreleased
            self._unreleased = 0
            self._threshold = self._format.bytes_for(BUFFER_MS)


def _without_markers(audio: bytes) -> bytes:
    """Return the audio without samples that would look like a mark: -1 becomes 0."""
    if b"\xff\xff" not in audio:
        return audio
    samples = np.frombuffer(audio[: len(audio) & ~1], "<i2")
    if not (markers := samples == _MARKER).any():
        return audio
    return np.where(markers, 0, samples).astype("<i2").tobytes() + audio[len(audio) & ~1 :]


def _is_attributes(read: Mapping[str, Any]) -> bool:
    """Return whether these are the attributes of a call, which name no kind of message, or a message before them."""
    return "callSid" in read or ("sampleRate" in read and not ("type" in read or "event" in read))

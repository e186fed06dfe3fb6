"""Asterisk's chan_websocket: audio as binary messages in the channel's codec, control as words or as JSON. Pure.

docs.asterisk.org, "Channel Drivers: WebSocket"; asterisk/asterisk, channels/chan_websocket.c.
"""

from collections.abc import Mapping, Sequence
from typing import Any, assert_never

import msgspec
from msgspec.structs import replace

from gateway.audio.formats import L16_8K, L16_16K, L16_24K, PCMA, PCMU, AudioFormat
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
from gateway.phone.provider import Grant, Upgrade
from gateway.phone.shared.call_id import call_of
from gateway.phone.shared.json_text import UNREADABLE, key_pressed, mark_name, read_again
from gateway.phone.shared.members import Members
from gateway.text import json_text

FORMATS: Mapping[str, AudioFormat] = {
    "ulaw": PCMU,
    "alaw": PCMA,
    "slin": L16_8K,
    "slin16": L16_16K,
    "slin24": L16_24K,
}
"""The names of Asterisk's codecs; linear ones are in the host's byte order, assumed to be little-endian."""
PLAYOUT = Playout(lead_ms=240, refill_ms=120, marks_return_at_once=False)
"""Asterisk skips nothing that it has queued: it is delay. A mark returns with the next frame, within 20 ms."""
MARKS_ON_TRIAL = replace(PLAYOUT, marks_on_trial=True)
"""Control in words does not show whether marks work: 20.17, 22.7 and 23.1 lack them, 20.18, 22.8 and 23.2 do not."""
WITHOUT_MARKS = replace(PLAYOUT, returns_marks=False)
"""A start without ``channel_id`` is of 20.16, 21.x, 22.6 or 23.0, none of which know marks."""
OWN_TIMING = ("passthrough", "unbuffered")
"""Flags of a start by which Asterisk leaves frames and their timing to us, and takes no commands for its queue."""
MESSAGE_LIMIT = 65_500
"""Bytes of a message; a longer one ends the call."""
COMMAND_LIMIT = 128
"""Bytes of a command; a longer one is ignored."""
HELD_LIMIT = 512 * 1024
"""Bytes kept back while Asterisk takes no more: ten seconds of its widest codec."""

_object = msgspec.json.Decoder(dict[str, Any]).decode
_SILENT = frozenset({"MEDIA_BUFFERING_COMPLETED", "QUEUE_DRAINED", "STATUS"})
_WITHOUT_OWN_TIMING = (
    "leave p and u out of the Dial options, because the gateway sends ahead and needs Asterisk's queue"
)


class AsteriskCodec:
    """The wire of one stream; it answers in the form, words or JSON, in which Asterisk speaks.

    A flush discards marks without a message. ``MEDIA_XOFF`` holds back what is to be played until ``MEDIA_XON``; what
    does not fit then is lost, as it would be in Asterisk's own queue.
    """

    def __init__(self, upgrade: Upgrade, grant: Grant) -> None:
        self._query = upgrade.query
        self._grant = grant
        self._format: AudioFormat | None = None
        self._json = False
        self._frame_bytes = 0
        self._part_frame = b""
        self._off = False
        self._held: list[str | bytes] = []
        self._held_bytes = 0

    def decode(self, message: str | bytes) -> Sequence[PhoneEvent | WireReply]:
        """Return the events of one message.

        Raises ``WireError`` for what is no control message and for a start that cannot be carried, ``MessageError`` for
        the rest, and where Asterisk says that ours was wrong. Audio may come before ``MEDIA_START``, as it does on a
        loaded machine.
        """
        if isinstance(message, bytes):
            return (CallerAudio(message),)
        is_json = message.startswith("{")
        read = self._read_json(message) if is_json else _read_words(message)
        match read:
            case {"event": "MEDIA_START"}:
                self._json = is_json
                return self._start(read)
            case {"event": "MEDIA_MARK_PROCESSED", "correlation_id": mark}:
                return (MarkReturned(mark_name(mark)),)
            case {"event": "DTMF_END", "digit": digit}:
                return (key_pressed(digit),)
            case {"event": "MEDIA_XOFF"}:
                self._off = True
                return ()
            case {"event": "MEDIA_XON"}:
                return self._resume()
            case {"event": "ERROR"}:
                text = str(read.get("error_text", ""))[:200]
                hint = f"; {_WITHOUT_OWN_TIMING}" if "passthrough" in text else ""
                raise MessageError(f"Asterisk reports an error: {text}{hint}")
            case {"event": "MEDIA_MARK_PROCESSED" | "DTMF_END" as event}:
                raise MessageError(f"{event} without its correlation_id or digit")
            case {"event": str() as event}:
                return () if event in _SILENT else (UnknownMessage(event[:40]),)
            case _:
                raise MessageError("a message without an event")

    def encode(self, command: PhoneCommand | StreamCommand) -> Sequence[str | bytes]:
        """Return the messages that carry the command, audio in whole frames: Asterisk drops the rest of a frame."""
        match command:
            case PlayAudio(audio=audio):
                return self._pass(self._frames(audio))
            case SendMark(name=mark):
                return self._pass([*self._last_frame(), *self._command("MARK_MEDIA", mark)])
            case StopPlayback():
                self._part_frame = b""
                self._off = False
                self._forget_held()
                return self._command("FLUSH_MEDIA")
            case EndStream():
                self._forget_held()
                return self._command("HANGUP")
            case AskForLife():
                return self._command("GET_STATUS")
            case SendDigits() | TransferCall():
                return ()
            case _:
                assert_never(command)

    def _start(self, read: Mapping[str, Any]) -> Sequence[PhoneEvent]:
        if self._format is not None:
            raise MessageError("a second MEDIA_START on the same stream")
        odd: list[str] = []
        start = Members(read, "MEDIA_START", odd)
        name = start.text("format")
        audio_format = FORMATS.get(name)
        if audio_format is None:
            raise WireError(f"format {name[:20]!r}: expected {', '.join(FORMATS)}, such as c(ulaw) in the Dial options")
        for flag in OWN_TIMING:
            if str(read.get(flag, "")).lower() in ("true", "1", "yes"):
                raise WireError(f"MEDIA_START with {flag}: {_WITHOUT_OWN_TIMING}")
        others = () if self._grant.call_id else ("channel", "connection_id")
        call_id = call_of(self._grant.call_id, start.text("channel_id", *others), slashes=True)
        if not call_id:
            raise WireError(
                "MEDIA_START without channel_id, channel or connection_id: expected one that names the call"
            )
        size = start.number("optimal_frame_size", audio_format.bytes_for(PLAYOUT.frame_ms))
        if not 0 < size <= MESSAGE_LIMIT or size % audio_format.sample_bytes:
            raise WireError(f"optimal_frame_size {size}: expected whole samples, at most {MESSAGE_LIMIT} bytes")
        self._format = audio_format
        self._frame_bytes = size
        parameters = self._parameters(start.inside("channel_variables"))
        caller, called = _first(parameters, "from", "caller"), _first(parameters, "to", "called")
        started = CallStarted(
            call_id=call_id,
            stream_id=start.text("connection_id"),
            audio_format=audio_format,
            playout=self._playout(read),
            caller=self._grant.caller or caller,
            called=self._grant.called or called,
            parameters=parameters,
        )
        return (started, *map(OddMessage, odd))

    def _playout(self, read: Mapping[str, Any]) -> Playout:
        """Return how this generation of chan_websocket confirms what was played."""
        if not read.get("channel_id"):
            return WITHOUT_MARKS
        return PLAYOUT if self._json else MARKS_ON_TRIAL

    def _parameters(self, variables: Members) -> dict[str, str]:
        """Return the call's facts of the dialplan: the URL's query and the channel's variables, names in lower case."""
        given = {name.lower(): value for name, value in variables.texts().items()}
        return given | {name.lower(): value for name, value in self._query.items()}

    def _read_json(self, message: str) -> Mapping[str, Any]:
        try:
            return _object(message)
        except UNREADABLE as error:
            started = self._format is not None
            return read_again(message, dict[str, Any], "a control message", error, started=started)

    def _frames(self, audio: bytes) -> list[bytes]:
        """Return the whole frames; keep the rest until more comes."""
        audio = self._part_frame + audio if self._part_frame else audio
        if not self._frame_bytes:
            return []
        whole = len(audio) - len(audio) % self._frame_bytes
        self._part_frame = audio[whole:]
        size = MESSAGE_LIMIT - MESSAGE_LIMIT % self._frame_bytes
        return [audio[start : min(start + size, whole)] for start in range(0, whole, size)]

    def _last_frame(self) -> list[bytes]:
        """Return the kept rest, filled up with silence: a mark confirms all that came before it."""
        if not self._part_frame or self._format is None:
            return []
        missing = -len(self._part_frame) % self._frame_bytes
        return self._frames(
            self._format.silence(1)[: self._format.sample_bytes] * (missing // self._format.sample_bytes)
        )

    def _command(self, word: str, mark: str = "") -> Sequence[str]:
        if self._json:
            fields = {"command": word, "correlation_id": mark} if mark else {"command": word}
            command = json_text(fields)
        else:
            command = f"{word} {mark}" if mark else word
        return (command,) if len(command.encode()) <= COMMAND_LIMIT else ()

    def _pass(self, messages: Sequence[str | bytes]) -> Sequence[str | bytes]:
        """Return the messages themselves, or nothing while they are held back."""
        if not self._off:
            return messages
        for message in messages:
            if self._held_bytes + len(message) <= HELD_LIMIT:
                self._held.append(message)
                self._held_bytes += len(message)
        return ()

    def _resume(self) -> Sequence[WireReply]:
        self._off = False
        held = tuple(self._held)
        self._forget_held()
        return (WireReply(held),) if held else ()

    def _forget_held(self) -> None:
        self._held.clear()
        self._held_bytes = 0


def _read_words(message: str) -> Mapping[str, Any]:
    """Read ``EVENT name:value name:value``. A mark's id stands alone, and an error's text goes on to the end."""
    event, _, rest = message.strip().partition(" ")
    if not event.replace("_", "").isalpha() or not event.isupper():
        raise WireError(f"not a control message: {len(message)} characters that begin with no event's name")
    if event in ("MEDIA_MARK_PROCESSED", "MEDIA_BUFFERING_COMPLETED"):
        return {"event": event, "correlation_id": rest.removeprefix("correlation_id:")}
    if event == "ERROR":
        return {"event": event, "error_text": rest.partition("error_text:")[2] or rest}
    fields = (word.partition(":") for word in rest.split())
    return {name: value for name, _, value in fields} | {"event": event}


def _first(parameters: Mapping[str, str], *names: str) -> str:
    return next((parameters[name] for name in names if parameters.get(name)), "")

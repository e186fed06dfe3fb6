"""The wire of the phone in a browser: 16-bit audio as binary messages, control as JSON. Pure.

docs/providers/browser.md describes the messages. The other end is ``gateway/console/static/phone/call.js``.
"""

from collections.abc import Sequence
from typing import Any, assert_never

import msgspec
from msgspec import Struct

from gateway.audio.formats import L16_24K
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
    PhoneClosed,
    PhoneEnd,
    PhoneEvent,
    Playout,
    UnknownMessage,
)
from gateway.phone.provider import Grant
from gateway.phone.shared.call_id import call_of
from gateway.phone.shared.json_text import UNREADABLE, key_pressed, mark_name, read_again
from gateway.phone.shared.members import Members
from gateway.text import json_text

FORMAT = L16_24K
"""The rate at which Voice Live speaks; the page converts it to that of its audio device."""
PLAYOUT = Playout()


class _Message(Struct):
    """A message. It is read member by member, so that an odd member does not end the call."""

    type: str
    start: Any = None
    key: Any = None
    mark: Any = None


_decode = msgspec.json.Decoder(_Message).decode


class BrowserCodec:
    """The wire of one stream."""

    def __init__(self, grant: Grant) -> None:
        self._grant = grant
        self._started = False

    def decode(self, message: str | bytes) -> Sequence[PhoneEvent]:
        """Return the events of one message.

        Raises ``WireError`` for non-JSON and a start that cannot be carried, ``MessageError`` for the rest.
        """
        if isinstance(message, bytes):
            return (CallerAudio(message),)
        try:
            read = _decode(message)
        except UNREADABLE as error:
            read = read_again(message, _Message, "a stream message", error, started=self._started)
        match read:
            case _Message(type="played"):
                return (MarkReturned(mark_name(read.mark)),)
            case _Message(type="key"):
                return (key_pressed(read.key),)
            case _Message(type="start", start=dict()):
                return self._start(read.start)
            case _Message(type="start"):
                raise WireError("start without its member start")
            case _Message(type="hang_up"):
                return (PhoneClosed(PhoneEnd.HUNG_UP),)
            case _:
                return (UnknownMessage(read.type[:40]),)

    def encode(self, command: PhoneCommand | StreamCommand) -> Sequence[str | bytes]:
        """Return the messages that carry the command; none to ask for life, which a ping of the socket does."""
        match command:
            case PlayAudio(audio=audio):
                return (audio,)
            case SendMark(name=name):
                return (json_text({"type": "mark", "mark": name}),)
            case StopPlayback():
                return ('{"type":"clear"}',)
            case EndStream():
                return ('{"type":"hang_up"}',)
            case SendDigits(digits=digits):
                return (json_text({"type": "digits", "digits": digits}),)
            case TransferCall(target=target):
                return (json_text({"type": "transfer", "to": target}),)
            case AskForLife():
                return ()
            case _:
                assert_never(command)

    def _start(self, read: dict[str, Any]) -> Sequence[PhoneEvent]:
        if self._started:
            raise MessageError("a second start on the same stream")
        odd: list[str] = []
        start = Members(read, "start", odd)
        call_id = call_of(self._grant.call_id, start.text("call"))
        if not call_id:
            raise WireError("start without its call")
        rate_hz = start.number("rate_hz", FORMAT.rate_hz)
        if rate_hz != FORMAT.rate_hz:
            raise WireError(f"rate_hz {rate_hz}: expected {FORMAT.rate_hz}")
        self._started = True
        started = CallStarted(
            call_id=call_id,
            stream_id="",
            audio_format=FORMAT,
            playout=PLAYOUT,
            caller=self._grant.caller or start.text("from"),
            called=self._grant.called or start.text("to"),
            parameters=start.inside("parameters").texts(),
        )
        return (started, *map(OddMessage, odd))

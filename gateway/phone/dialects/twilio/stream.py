"""The JSON wire that Twilio coined and others speak: camelCase members, base64 audio, ``streamSid`` in what goes out.

Source: Twilio Media Streams, WebSocket messages (twilio.com/docs/voice/media-streams/websocket-messages). Pure.
"""

from collections.abc import Mapping, Sequence
from typing import Final, assert_never

import msgspec
from pybase64 import b64encode_as_string

from gateway.audio.formats import PCMA, PCMU, AudioFormat
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
from gateway.phone.dialects.twilio.messages import Media, MediaMessage, Message
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
from gateway.phone.shared.json_text import UNREADABLE, is_callers, key_pressed, mark_name, read_message, text_of
from gateway.phone.shared.members import Members

Formats = Mapping[tuple[str, int], AudioFormat]
"""The formats by what ``mediaFormat`` may say: encoding (lower case) and rate."""
G711: Formats = {("audio/x-mulaw", 8000): PCMU, ("audio/x-alaw", 8000): PCMA}


READ: Final = msgspec.json.Decoder(Message)
READ_MEDIA: Final = msgspec.json.Decoder(MediaMessage)
_AUDIO: Final = CallerAudio
"""Compiled, a ``Final`` is found without a look into the module's dictionary."""


def _media_of(message: str | bytes) -> Media | None:
    """Return the audio of a message, which is read without the members of others; ``None`` where it may be another."""
    if isinstance(message, bytes):
        return None
    try:
        read = READ_MEDIA.decode(message)
    except UNREADABLE:  # READ, which requires no less, says why
        return None
    return read.media if read.event == "media" else None


class CamelJsonCodec:
    """The wire of one stream; base64 is decoded by the JSON reader, in the same pass.

    ``advice`` ends the refusal of a format that is not among ``formats``: what to set at the provider. ``call_in`` are
    the members of a start that hold the id that the webhook has too.
    """

    def __init__(
        self,
        grant: Grant,
        playout: Playout,
        formats: Formats = G711,
        *,
        advice: str,
        sends_digits: bool = False,
        call_in: tuple[str, ...] = ("callSid",),
    ) -> None:
        self._grant = grant
        self._playout = playout
        self._formats = formats
        self._advice = advice
        self._sends_digits = sends_digits
        self._call_in = call_in
        self._stream_sid = ""
        self._media_head = ""
        self._started = False

    def decode(self, message: str | bytes) -> Sequence[PhoneEvent]:
        """Return the events of one message.

        Raises ``WireError`` for binary, non-JSON and a start that cannot be carried, ``MessageError`` for the rest.
        """
        media = _media_of(message)
        if media is None:
            return self._decode_rare(read_message(message, READ, "a Media Streams message", self._started))
        return (_AUDIO(media.payload or b""),) if media.track == "inbound" or is_callers(media.track) else ()

    def _decode_rare(self, read: Message) -> Sequence[PhoneEvent]:
        match read:
            case Message(event="connected"):
                return ()
            case Message(event="start", start=dict()):
                return self._start(read)
            case Message(event="mark", mark=dict() as mark):
                return (MarkReturned(mark_name(mark)),)
            case Message(event="dtmf", dtmf=dict() as dtmf):
                return (key_pressed(dtmf),)
            case Message(event="stop"):
                return (PhoneClosed(PhoneEnd.HUNG_UP),)
            case Message(event="start"):
                raise WireError("start without its start member")
            case Message(event="media" | "mark" | "dtmf"):
                raise MessageError(f"{read.event} without its {read.event} member")
            case _:
                return (UnknownMessage(read.event[:40]),)

    def _start(self, read: Message) -> Sequence[PhoneEvent]:
        if self._started:
            raise MessageError("a second start on the same stream")
        odd: list[str] = []
        start = Members(read.start, "start", odd)
        stream_sid = Members({"streamSid": read.stream_sid}, "message", odd).text("streamSid") or start.text(
            "streamSid"
        )
        call_id = call_of(self._grant.call_id, start.text(*self._call_in))
        if not call_id:  # a stream of Cloudonix that no answer of ours opened may not name its session
            call_id = call_of("", start.text("callSid"))
        if not stream_sid or not call_id:
            raise WireError("start without its streamSid or callSid")
        audio_format = self._format_of(start.inside("mediaFormat"))
        self._started = True
        self._stream_sid = text_of(stream_sid)
        self._media_head = f'{{"event":"media","streamSid":{self._stream_sid},"media":{{"payload":"'
        parameters = start.inside("customParameters").texts()
        started = CallStarted(
            call_id=call_id,
            stream_id=stream_sid,
            audio_format=audio_format,
            playout=self._playout,
            caller=self._grant.caller or parameters.get("from") or start.text("from"),  # others name it here
            called=self._grant.called or parameters.get("to") or start.text("to"),
            parameters=parameters,
        )
        return (started, *map(OddMessage, odd))

    def _format_of(self, media: Members) -> AudioFormat:
        encoding, rate_hz = media.text("encoding"), media.number("sampleRate", 8000)
        channels = media.number("channels", 1)
        audio_format = self._formats.get((encoding.lower(), rate_hz))
        if audio_format is None or channels != 1:
            found = f"{encoding[:40]!r}, {rate_hz} Hz, {channels} channel(s)"
            raise WireError(f"mediaFormat {found}: {self._advice}")
        return audio_format

    def encode(self, command: PhoneCommand | StreamCommand) -> Sequence[str]:
        """Return the messages that carry the command. Twilio ignores one with a member too few or too many (31951)."""
        match command:
            case PlayAudio(audio=audio):
                return (f'{self._media_head}{b64encode_as_string(audio)}"}}}}',)
            case SendMark(name=mark):
                return (f'{{"event":"mark","streamSid":{self._stream_sid},"mark":{{"name":"{mark}"}}}}',)
            case StopPlayback():
                return (f'{{"event":"clear","streamSid":{self._stream_sid}}}',)
            case SendDigits(digits=digits):
                return tuple(self._digit(digit) for digit in digits) if self._sends_digits else ()
            case EndStream() | TransferCall() | AskForLife():
                return ()
            case _:
                assert_never(command)

    def _digit(self, digit: str) -> str:
        return f'{{"event":"dtmf","streamSid":{self._stream_sid},"dtmf":{{"digit":{text_of(digit)}}}}}'

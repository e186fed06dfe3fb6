"""The wire of Genesys Cloud AudioHook, as Audio Connector uses it (developer.genesys.cloud/devapps/audiohook). Pure."""

import enum
from collections.abc import Mapping, Sequence
from typing import Any, assert_never

import msgspec
from msgspec import Struct

from gateway.audio.formats import PCMU
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
    MalformedMessage,
    MarkReturned,
    OddMessage,
    PhoneClosed,
    PhoneEnd,
    PhoneEvent,
    Playout,
    UnknownMessage,
    WireReply,
)
from gateway.phone.provider import Grant, Upgrade
from gateway.phone.shared.call_id import call_of
from gateway.phone.shared.json_text import UNREADABLE, key_pressed, read_again, text_of
from gateway.phone.shared.members import Members
from gateway.text import json_text

PLAYOUT = Playout(
    frame_ms=200,
    lead_ms=800,
    refill_ms=400,
    marks_return_at_once=False,
    marks_return_on_the_way=False,
    gathers=True,
)
"""Many small messages are answered with 429 (too many requests); pieces of 200 ms are known to be accepted."""
TOO_MANY = "429"
LONG_MESSAGE = 2 * PCMU.bytes_for(PLAYOUT.frame_ms)
"""Bytes of a message after a 429. Twice as many would leave the client without audio while they are gathered."""
AUDIO_LIMIT = 64_000
"""Bytes of one binary message that the reference client takes."""
NIL = "00000000-0000-0000-0000-000000000000"
"""Conversation and participant of a connection probe."""


class _Message(Struct):
    """A message. Its members are read one by one, so that an odd member does not end the call."""

    type: str
    version: Any = None
    id: Any = None
    seq: Any = None
    serverseq: Any = None
    parameters: Any = None


class _Media(Struct):
    type: str
    format: str
    channels: tuple[str, ...]
    rate: int


_OFFER = _Media("audio", "PCMU", ("external",), 8000)
_decode = msgspec.json.Decoder(_Message).decode


class _State(enum.Enum):
    OPENING = enum.auto()
    PROBED = enum.auto()
    OPEN = enum.auto()
    DISCONNECTING = enum.auto()
    """We said ``disconnect``: the client answers ``close``."""
    CLOSED = enum.auto()


class GenesysCodec:
    """The wire of one session: numbered transactions as text, audio as binary.

    There are no marks: when playback has run dry, all that were set return. ``EndStream`` and ``TransferCall`` ask the
    client to close; the socket is its to close, after our ``closed``.
    """

    def __init__(self, upgrade: Upgrade, grant: Grant) -> None:
        self._headers = upgrade.headers
        self._grant = grant
        self._state = _State.OPENING
        self._id = '""'
        self._seq = 0
        self._client_seq = 0
        self._session_id = ""
        self._wrong = ""
        self._marks: list[str] = []
        self._playing = False
        self._gathers = False
        self._gathered = b""

    def decode(self, message: str | bytes) -> Sequence[PhoneEvent | WireReply]:
        """Return the events of one message.

        Raises ``WireError`` for what is no message of the protocol and for a session that cannot be carried,
        ``MessageError`` for the rest.
        """
        if isinstance(message, bytes):
            return self._audio(message)
        try:
            read = _decode(message)
        except UNREADABLE as error:
            started = self._state is not _State.OPENING
            read = read_again(message, _Message, "an AudioHook message", error, started=started)
        odd: list[str] = []
        head = Members(
            {"version": read.version, "id": read.id, "seq": read.seq, "serverseq": read.serverseq}, "message", odd
        )
        version = head.text("version") or "2"
        if version != "2":
            raise WireError(f"AudioHook version {version[:8]!r}: expected '2'")
        if self._state is _State.OPENING and read.type != "open":
            self._client_seq = head.number("seq", self._client_seq + 1)
            return (UnknownMessage(f"{read.type[:40]} before open"),)
        return self._refused(head) or self._transact(read, head, odd)

    def _audio(self, audio: bytes) -> Sequence[PhoneEvent]:
        if self._state is _State.PROBED:  # the reference client sends an empty message, or a tone
            return ()
        return (CallerAudio(audio),)

    def _refused(self, head: Members) -> Sequence[PhoneEvent | WireReply]:
        """Check the message's place in the session; the protocol answers a wrong one by a disconnect."""
        expected = self._client_seq + 1
        self._client_seq = seq = head.number("seq", expected)
        serverseq, session_id = head.number("serverseq", 0), head.text("id")
        wrong = ""
        if seq != expected:
            wrong = f"seq {seq}: expected {expected}"
        elif serverseq > self._seq:
            wrong = f"serverseq {serverseq}: only {self._seq} were sent"
        elif self._session_id and session_id not in (self._session_id, ""):
            wrong = "the id is not this session's"
        if not wrong:
            return ()
        if self._state is _State.OPENING:
            raise WireError(wrong)
        reply = WireReply(self._disconnect({"reason": "error", "info": wrong}))
        return reply, MalformedMessage(wrong)

    def _transact(self, read: _Message, head: Members, odd: list[str]) -> Sequence[PhoneEvent | WireReply]:
        parameters = Members(read.parameters, "parameters", odd)
        match read.type:
            case "ping":
                return (WireReply((self._message("pong", {}),)),)
            case "open":
                return self._open(head.text("id"), parameters, odd)
            case "playback_started":
                self._playing = True
                return ()
            case "playback_completed":
                return self._played()
            case "dtmf":
                return (key_pressed(read.parameters),)
            case "close":
                reason = parameters.text("reason") or "no reason given"
                closed = WireReply((self._message("closed", {}),))
                is_probe, self._state = self._state is _State.PROBED, _State.CLOSED
                return closed, PhoneClosed(PhoneEnd.HUNG_UP, f"closed by Genesys: {reason[:40]}", is_probe)
            case "error":
                code, what = parameters.text("code"), parameters.text("message")
                self._gathers = self._gathers or code == TOO_MANY
                return (UnknownMessage(f"error {code[:8]}: {what[:80]}"),)
            case "paused" | "resumed" | "discarded" | "update":
                return ()
            case _:
                return (UnknownMessage(read.type[:40]),)

    def _open(self, session_id: str, opened: Members, odd: list[str]) -> Sequence[PhoneEvent | WireReply]:
        if self._state is not _State.OPENING:
            raise MessageError("a second open on the same stream")
        session_id = session_id or self._headers.get("audiohook-session-id", "")
        conversation_id = call_of(self._grant.call_id, opened.text("conversationId"))
        if not session_id or not conversation_id:
            raise WireError("open without its id or conversationId")
        for header, value in (
            ("audiohook-session-id", session_id),
            ("audiohook-organization-id", opened.text("organizationId")),
        ):
            if value and self._headers.get(header, value) != value:
                raise WireError(f"open contradicts the {header} that the stream was opened with")
        participant = opened.inside("participant")
        media = [_offer(offer) for offer in opened.each("media")]
        is_probe = conversation_id == participant.text("id") == NIL
        self._session_id = session_id
        self._id = text_of(session_id)
        if not is_probe and (wrong := _objection(media)):
            self._wrong = wrong
            raise WireError(wrong)
        selected = [offer for offer in media if offer == _OFFER][:1]
        reply = WireReply((self._message("opened", {"startPaused": False, "media": selected}),))
        if is_probe:
            self._state = _State.PROBED
            return (reply,)
        self._state = _State.OPEN
        started = CallStarted(
            call_id=conversation_id,
            stream_id=session_id,
            audio_format=PCMU,
            playout=PLAYOUT,
            caller=self._grant.caller or participant.text("ani"),
            called=self._grant.called or participant.text("dnis"),
            parameters={**opened.inside("customConfig").texts(), **opened.inside("inputVariables").texts()},
        )
        return (reply, started, *map(OddMessage, odd))

    def _played(self) -> Sequence[PhoneEvent]:
        if not self._playing:  # what StopPlayback discarded confirms nothing that was sent since
            return ()
        self._playing = False
        marks, self._marks = self._marks, []
        return tuple(map(MarkReturned, marks))

    def encode(self, command: PhoneCommand | StreamCommand) -> Sequence[str | bytes]:
        """Return the messages that carry the command; none once the session ends. An unopened one can be refused."""
        if self._state is _State.OPENING and self._session_id and isinstance(command, EndStream):
            return self._disconnect({"reason": "error", "info": self._wrong or "not a session of Audio Connector"})
        if self._state is not _State.OPEN:
            return ()
        match command:
            case PlayAudio(audio=audio, more=more):
                audio = self._taken(audio, more) if self._gathers else audio
                return [audio[start : start + AUDIO_LIMIT] for start in range(0, len(audio), AUDIO_LIMIT)]
            case SendMark(name=mark):
                self._marks.append(mark)
                return ()
            case StopPlayback():
                self._marks.clear()
                self._playing = False
                self._gathered = b""
                return (self._message("event", {"entities": [{"type": "barge_in", "data": {}}]}),)
            case EndStream():
                return self._disconnect({"reason": "completed"})
            case TransferCall(target=target):
                variables = {"action": "transfer", "target": target}
                return self._disconnect({"reason": "completed", "outputVariables": variables})
            case SendDigits() | AskForLife():
                return ()
            case _:
                assert_never(command)

    def _taken(self, audio: bytes, more: bool) -> bytes:
        """Return what is to be sent: nothing while more comes and it is less than a long message."""
        gathered = self._gathered + audio
        self._gathered = gathered if more and len(gathered) < LONG_MESSAGE else b""
        return b"" if self._gathered else gathered

    def _disconnect(self, parameters: Mapping[str, object]) -> tuple[str, ...]:
        if self._state in (_State.DISCONNECTING, _State.CLOSED):
            return ()
        self._state = _State.DISCONNECTING
        return (self._message("disconnect", parameters),)

    def _message(self, kind: str, parameters: Mapping[str, object]) -> str:
        self._seq += 1
        return (
            f'{{"version":"2","id":{self._id},"type":"{kind}","seq":{self._seq},"clientseq":{self._client_seq},'
            f'"parameters":{json_text(parameters)}}}'
        )


def _objection(offered: Sequence[_Media]) -> str:
    """Return why media are not those of an Audio Connector: AudioHook Monitor offers the internal channel too."""
    if _OFFER in offered and not any("internal" in media.channels for media in offered):
        return ""
    offers = ", ".join(f"{media.format} {media.rate} Hz {'+'.join(media.channels)}" for media in offered)
    return (
        f"the media offered are {offers[:200] or 'none'}: expected PCMU, 8000 Hz, the external channel alone, "
        "as an Audio Connector integration offers it (AudioHook Monitor only listens)"
    )


def _offer(media: Members) -> _Media:
    return _Media(media.text("type"), media.text("format"), tuple(media.words("channels")), media.number("rate", 0))

"""The rules of a call, pure: events of both legs and the time in, commands out."""

import enum
import math
from collections.abc import Sequence
from typing import assert_never

from gateway.audio.formats import AudioFormat
from gateway.call.ending import PHONE_ENDS, VOICE_ENDS, EndCall, EndReason, ShutDown
from gateway.call.gate import ResponseGate
from gateway.call.playback import HeardReply, Playback
from gateway.call.record import Note
from gateway.call.rules import CONNECT_BUFFER_S, END_CALL, MALFORMED_LIMIT, MALFORMED_WINDOW_S, Rules
from gateway.phone.commands import PhoneCommand
from gateway.phone.events import (
    CallerAudio,
    CallStarted,
    DigitPressed,
    MalformedMessage,
    MarkReturned,
    PhoneClosed,
    PhoneEvent,
    UnknownMessage,
)
from gateway.voice.commands import (
    CancelResponse,
    CommitTurn,
    CreateResponse,
    ReturnToolOutput,
    SendAudio,
    TruncateReply,
    VoiceCommand,
)
from gateway.voice.events import (
    ApprovalRequested,
    CallerPaused,
    CallerSaid,
    CallerSpoke,
    MalformedEvent,
    McpCalled,
    McpReturned,
    ReplyAudio,
    ReplyComplete,
    ReplySaid,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    ServiceError,
    ServiceWarning,
    SessionReady,
    ToolCalled,
    ToolsListed,
    TurnCommitted,
    UnknownEvent,
    VoiceClosed,
    VoiceEvent,
)

Command = PhoneCommand | VoiceCommand | Note | EndCall
Event = PhoneEvent | VoiceEvent | ShutDown


class State(enum.Enum):
    """Where the call stands."""

    CONNECTING = enum.auto()
    """The caller is there, the session is not ready yet."""
    TALKING = enum.auto()
    FAREWELL = enum.auto()
    """The bot has decided to hang up and its last words are still being heard."""
    ENDED = enum.auto()


class Conversation:
    """One call. ``handle`` and ``on_deadline`` take the time in seconds, on any clock that does not go back."""

    def __init__(self, started: CallStarted, rules: Rules, now: float) -> None:
        self._rules = rules
        self._format: AudioFormat = started.audio_format
        self._playback = Playback(started.audio_format, started.playout)
        self._gate = ResponseGate()
        self.state = State.CONNECTING
        self._early_audio = bytearray()
        self._ends_at = now + rules.duration_limit_s
        self._heard_phone_at = now
        self._paused_at: float | None = None
        self._last_reply = ""
        self._last_transcribed = ""
        self._quiet_since: float | None = None
        self._prompts = 0
        self._farewell_by = 0.0
        self._farewell_wanted = False
        self._malformed = {"phone": (0, now), "voice": (0, now)}

    @property
    def late_frames(self) -> int:
        """Frames of the bot's voice that reached the phone after their moment."""
        return self._playback.late_frames

    def handle(self, event: Event, now: float) -> Sequence[Command]:
        """What to do about an event; after the call has ended, nothing."""
        if type(event) is CallerAudio:
            return self.hear(event.audio, now)
        if self.state is State.ENDED:
            return ()
        commands = self._dispatch(event, now)
        return [*commands, *self._settle(now)]

    def hear(self, audio: bytes, now: float) -> Sequence[SendAudio]:
        """``handle`` for the caller's audio alone, which comes fifty times a second and changes no deadline."""
        self._heard_phone_at = now
        if self.state is State.TALKING or self.state is State.FAREWELL:
            return (SendAudio(audio),)
        if self.state is State.CONNECTING:
            self._keep(audio)
        return ()

    @property
    def _is_over(self) -> bool:
        return self.state is State.ENDED

    def next_deadline(self) -> float:
        """When ``on_deadline`` wants to be called; calling it earlier does no harm. Never, once the call has ended."""
        if self.state is State.ENDED:
            return math.inf
        deadline = min(self._ends_at, self._heard_phone_at + self._rules.stream_silence_limit_s)
        for due in (self._playback.next_deadline(), self._gate.next_deadline()):
            if due is not None and due < deadline:
                deadline = due
        if self.state is State.FAREWELL and self._farewell_by < deadline:
            deadline = self._farewell_by
        if self._rules.silence and self._quiet_since is not None:
            deadline = min(deadline, self._quiet_since + self._rules.silence.after_s)
        return deadline

    def on_deadline(self, now: float) -> Sequence[Command]:
        """Whatever is due by ``now``."""
        if self._is_over:
            return ()
        if now >= self._ends_at:
            return self._end(EndReason.TIME_LIMIT, "gateway", now)
        if now >= self._heard_phone_at + self._rules.stream_silence_limit_s:
            limit = self._rules.stream_silence_limit_s
            return self._end(EndReason.STREAM_LOST, "provider", now, f"no audio from the provider for {limit:g} s")
        if self.state is State.FAREWELL and now >= self._farewell_by:
            return self._end(EndReason.BOT_HUNG_UP, "bot", now, "the farewell was not confirmed as heard")
        commands: list[Command] = [*self._playback.on_deadline(now)]
        given_up = self._gate.expire(now)
        if any(isinstance(command, CancelResponse) for command in given_up):
            commands += self._playback.complete(None, now)
            commands.append(Note("response_cut_short", {"status": "given_up", "detail": "nothing more came of it"}))
        commands += given_up
        commands += self._settle(now)
        if not self._is_over:
            commands += self._mind_silence(now)
        return commands

    def _dispatch(self, event: Event, now: float) -> Sequence[Command]:  # noqa: C901 -- one case an event, told in order
        match event:
            case MarkReturned(name=name):
                self._playback.mark_returned(name, now)
                return ()
            case ReplyAudio():
                return self._reply_audio(event, now)
            case CallerSpoke(item_id=item_id):
                return self._caller_spoke(item_id, now)
            case CallerPaused(item_id=item_id):
                self._paused_at = now
                return [Note("caller_paused"), *self._turn_over(item_id, now)]
            case TurnCommitted(item_id=item_id):
                return self._turn_over(item_id, now)
            case CallerSaid():
                return self._caller_said(event)
            case ResponseStarted(response_id=response_id, request_id=request_id):
                return self._response_started(response_id, request_id, now)
            case ReplySaid(item_id=item_id, text=text):
                return (Note("reply_said", {"item_id": item_id, "text": text}),)
            case ReplyComplete(item_id=item_id):
                return self._playback.complete(item_id, now)
            case ToolCalled():
                return self._tool_called(event, now)
            case ResponseEnded():
                return self._response_ended(event, now)
            case SessionReady():
                return self._session_ready(event)
            case DigitPressed(digit=digit):
                return self._digit_pressed(digit, now)
            case ServiceError(code=code, message=message, event_id=event_id):
                note = Note("service_error", {"code": code, "detail": message})
                return [note, *self._gate.refused(event_id, code, now)]
            case ServiceWarning(code=code, message=message):
                return (Note("service_warning", {"code": code, "detail": message}),)
            case UnknownMessage(kind=kind):
                return (Note("unknown_message", {"leg": "phone", "message_kind": kind}),)
            case UnknownEvent(kind=kind):
                return (Note("unknown_message", {"leg": "voice", "message_kind": kind}),)
            case MalformedMessage(detail=detail):
                return self._malformed_message("phone", detail, now)
            case MalformedEvent(detail=detail):
                return self._malformed_message("voice", detail, now)
            case PhoneClosed(end=phone_end, detail=detail):
                return self._end(*PHONE_ENDS[phone_end], now, detail)
            case VoiceClosed(end=voice_end, detail=detail):
                return self._end(*VOICE_ENDS[voice_end], now, detail)
            case ShutDown():
                return self._end(EndReason.SHUT_DOWN, "gateway", now)
            case CallerAudio() | CallStarted() | ToolsListed() | McpCalled() | McpReturned() | ApprovalRequested():
                return ()
            case _:
                assert_never(event)

    # The caller

    def _keep(self, audio: bytes) -> None:
        self._early_audio += audio
        excess = len(self._early_audio) - self._format.bytes_for(int(CONNECT_BUFFER_S * 1000))
        if excess > 0:
            del self._early_audio[: excess + excess % self._format.sample_bytes]

    def _caller_spoke(self, item_id: str, now: float) -> Sequence[Command]:
        self._gate.caller_spoke(item_id, now)
        self._paused_at = None
        self._prompts = 0
        return self._barge_in(now) if self._rules.barge_in else ()

    def _turn_over(self, item_id: str, now: float) -> Sequence[Command]:
        """The service answers a turn by itself, but for turns ended by a key, and those it heard beside a response."""
        answers_itself = not self._rules.commit_on and (self._gate.response is None or self._gate.cancelled)
        if answers_itself:
            self._gate.answer_owed(now)
        done = self._gate.caller_done(item_id)
        return done if answers_itself else [*done, *self._gate.want(CreateResponse())]

    def _caller_said(self, said: CallerSaid) -> Sequence[Command]:
        done: list[Command] = [*self._gate.caller_done(said.item_id)]
        if not said.text.strip() or said.item_id == self._last_transcribed:
            return done
        self._last_transcribed = said.item_id
        return [Note("caller_said", {"item_id": said.item_id, "text": said.text}), *done]

    def _digit_pressed(self, digit: str, now: float) -> Sequence[Command]:
        self._quiet_since = None
        self._prompts = 0
        commands: list[Command] = [Note("digit_pressed", {"digit": digit})]
        if digit == self._rules.commit_on and self.state is not State.CONNECTING:
            commands += self._barge_in(now)
            commands.append(CommitTurn())
        return commands

    def _barge_in(self, now: float) -> list[Command]:
        """Silence the bot: the phone's queue and ours, the response that runs, and the one that is on its way."""
        if self.state is State.FAREWELL:
            self.state = State.TALKING
        commands, cut = self._cut_short(now)
        self._gate.drop_wishes()
        cancel = self._gate.cancel()
        commands += cancel
        commands += [TruncateReply(reply.reply_id, reply.heard_ms) for reply in cut]
        if cut or cancel:
            replies = [{"item_id": r.reply_id, "heard_ms": r.heard_ms, "received_ms": r.received_ms} for r in cut]
            commands.append(Note("barge_in", {"replies": replies, "response_cancelled": bool(cancel)}))
        return commands

    def _cut_short(self, now: float) -> tuple[list[Command], list[HeardReply]]:
        """Stop playback; note what had been heard, and tell which replies were not heard to their end.

        Of a reply that is not complete the service may have sent more, which is dropped here.
        """
        stop, heard = self._playback.stop(now)
        cut = [reply for reply in heard if reply.heard_ms < reply.received_ms or not reply.complete]
        return [*stop, *map(_heard_note, heard)], cut

    # The bot

    def _session_ready(self, ready: SessionReady) -> Sequence[Command]:
        if self.state is not State.CONNECTING:
            return ()
        self.state = State.TALKING
        commands: list[Command] = [Note("session_ready", {"session_id": ready.session_id, "model": ready.model})]
        if self._early_audio:
            commands.append(SendAudio(bytes(self._early_audio)))
            self._early_audio.clear()
        if self._rules.greeting is not None:
            commands += self._gate.want(self._rules.greeting)
        return commands

    def _response_started(self, response_id: str, request_id: str, now: float) -> Sequence[Command]:
        was_wanted = self._gate.started(response_id, request_id, now)
        if was_wanted and not (self._gate.caller_speaks and self._rules.barge_in):
            return ()
        self._paused_at = None
        return [*self._gate.cancel(), Note("barge_in", {"replies": [], "response_cancelled": True})]

    def _reply_audio(self, reply: ReplyAudio, now: float) -> Sequence[Command]:
        if reply.response_id != self._gate.response or self._gate.cancelled:
            return ()
        self._gate.goes_on(now)
        self._farewell_wanted = False
        commands: list[Command] = [*self._playback.add(reply.item_id, reply.audio, now)]
        if reply.item_id != self._last_reply:
            self._last_reply = reply.item_id
            waited = None if self._paused_at is None else round((now - self._paused_at) * 1000)
            self._paused_at = None
            commands.append(Note("reply_started", {"item_id": reply.item_id, "latency_ms": waited}))
        return commands

    def _response_ended(self, ended: ResponseEnded, now: float) -> Sequence[Command]:
        if ended.response_id != self._gate.response:
            return ()
        commands: list[Command] = []
        if not self._gate.cancelled:
            commands += self._playback.complete(None, now)
            if ended.status is not ResponseStatus.COMPLETED:
                commands.append(Note("response_cut_short", {"status": ended.status.value, "detail": ended.detail}))
        commands += self._gate.ended(ended.response_id)
        if self.state is State.FAREWELL and self._farewell_wanted:
            self._farewell_wanted = False
            commands += self._gate.want(CreateResponse("Say goodbye to the caller in one short sentence."))
        return commands

    def _tool_called(self, call: ToolCalled, now: float) -> Sequence[Command]:
        if call.response_id != self._gate.response or self._gate.cancelled:
            return ()
        self._gate.goes_on(now)
        commands: list[Command] = [Note("tool_called", {"tool": call.name})]
        if call.name != END_CALL:
            commands.append(ReturnToolOutput(call.call_id, '{"error":"this line has no such tool"}'))
            return [*commands, *self._gate.want(CreateResponse())]
        commands.append(ReturnToolOutput(call.call_id, '{"result":"the call ends after your farewell"}'))
        if self.state is not State.FAREWELL:
            self.state = State.FAREWELL
            self._farewell_wanted = self._playback.idle  # a goodbye may yet follow in this response, or has been said
            self._farewell_by = now + self._rules.farewell_limit_s
        return commands

    def _settle(self, now: float) -> Sequence[Command]:
        """What follows from where things stand: replies heard to their end, silence begun, a farewell over."""
        commands: list[Command] = list(map(_heard_note, self._playback.heard(now)))
        if self.state is State.ENDED or self.state is State.CONNECTING:
            return commands
        if not (self._playback.idle and self._gate.idle):
            self._quiet_since = None
        elif self.state is State.FAREWELL:
            commands += self._end(EndReason.BOT_HUNG_UP, "bot", now)
        elif self._quiet_since is None:
            self._quiet_since = now
            self._paused_at = None  # nobody is about to answer
        return commands

    def _mind_silence(self, now: float) -> Sequence[Command]:
        silence = self._rules.silence
        if silence is None or self._quiet_since is None or now < self._quiet_since + silence.after_s:
            return ()
        if self._prompts == silence.times:
            return self._end(EndReason.SILENCE, "caller", now)
        self._prompts += 1
        self._quiet_since = None
        return [Note("silence_prompt", {"count": self._prompts}), *self._gate.want(silence.say)]

    # The end

    def _malformed_message(self, leg: str, detail: str, now: float) -> Sequence[Command]:
        count, since = self._malformed[leg]
        if now - since > MALFORMED_WINDOW_S:
            count, since = 0, now
        self._malformed[leg] = (count + 1, since)
        note = Note("malformed_message", {"leg": leg, "detail": detail})
        if count + 1 < MALFORMED_LIMIT:
            return (note,)
        reason, by = (EndReason.STREAM_BROKEN, "provider") if leg == "phone" else (EndReason.VOICE_LOST, "service")
        return [note, *self._end(reason, by, now, f"{MALFORMED_LIMIT} malformed messages in a minute")]

    def _end(self, reason: EndReason, by: str, now: float, detail: str = "") -> Sequence[Command]:
        commands, _ = self._cut_short(now)
        self.state = State.ENDED
        return [*commands, EndCall(reason, by, detail)]


def _heard_note(reply: HeardReply) -> Note:
    fields = {"item_id": reply.reply_id, "heard_ms": reply.heard_ms, "received_ms": reply.received_ms}
    return Note("reply_heard", dict(fields))

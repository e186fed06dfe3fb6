"""The rules of a call, pure: events of both legs and the time in, commands out."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, get_args

from gateway.call import notes
from gateway.call.bad_messages import BadMessage, BadMessages
from gateway.call.caller_audio import FLOOD, CallerStream, is_sign_of_life
from gateway.call.ending import EndCall, EndReason, ShutDown
from gateway.call.errands import TransferEnded
from gateway.call.keypad import Keypad
from gateway.call.leaving import Leaving
from gateway.call.messages import SESSION_EVENTS, Command, Event
from gateway.call.notes import Note
from gateway.call.settings import CallSettings
from gateway.call.silence import SilenceTimer
from gateway.call.speaking.greeting import RECORDING, Greeting
from gateway.call.speaking.playback import HeardReply, Playback
from gateway.call.speaking.responses import ANSWER, Responses
from gateway.call.state import State
from gateway.call.tools.tools import ToolEvent, Tools
from gateway.call.transcripts import Transcripts
from gateway.phone.events import (
    CallerAudio,
    CallStarted,
    DigitPressed,
    MarkReturned,
    PhoneClosed,
    SignOfLife,
)
from gateway.voice.commands import AddMessage, CancelResponse, TruncateReply
from gateway.voice.events import (
    CallerPaused,
    CallerSaid,
    CallerSpoke,
    ReplyAudio,
    ReplyComplete,
    ReplySaid,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    ServiceError,
    SessionReady,
    ToolCalled,
    TranscriptionFailed,
    TurnCommitted,
    VoiceClosed,
)


class Conversation:
    """One call. ``handle`` and ``on_deadline`` take the time in seconds, on any clock that does not go back."""

    def __init__(self, started: CallStarted, settings: CallSettings, now: float) -> None:
        self._settings = settings
        self._playback = Playback(started.audio_format, started.playout)
        self._responses = Responses()
        self._greeting = Greeting(settings)
        self._leaving = Leaving(settings, self._responses)
        self._tools = Tools(settings, self._leaving)
        self._keypad = Keypad(settings, self._responses, self._tools, self._leaving)
        self._transcripts = Transcripts(self._responses, self._tools)
        self._caller_audio = CallerStream(started.audio_format, now, settings.stream_silence_limit_s)
        self._silence = SilenceTimer(settings, self._responses)
        self._bad_messages = BadMessages(now)
        self._connected = False
        self._due: float | None = None
        """When something is due that the caller's audio does not put off; ``None`` where that is to be looked for."""
        self._ended = False
        self._untold: list[AddMessage] = []
        self._ends_at = now + settings.duration_limit_s
        self._paused_at: float | None = None
        self._last_reply = ""

    @property
    def state(self) -> State:
        """Where the call stands."""
        if self._ended:
            return State.ENDED
        if self._leaving.transferring:
            return State.TRANSFERRING
        if self._leaving.planned:
            return State.LEAVING
        return State.TALKING if self._connected else State.CONNECTING

    @property
    def late_frames(self) -> int:
        """Frames of the bot's voice that reached the phone after their moment."""
        return self._playback.late_frames

    def begin(self, now: float) -> Sequence[Command]:
        """Begin a recorded greeting, whether the session is there or not; nothing, where the call has ended already."""
        if self._ended:
            return ()
        self._due = None
        commands: list[Command] = [*self._greeting.notes()]
        if recording := self._greeting.recording:
            commands += self._playback.add(RECORDING, recording.audio, now)
            commands += self._playback.complete(RECORDING, now)
        if self._settings.closed and self._greeting.request is None:
            recorded_s = self._playback.duration_s(recording.audio) if recording else 0.0
            self._leaving.plan(self._settings.closed_to, now, recorded_s=recorded_s)
        return [*commands, *self._settle(now)]

    def handle(self, event: Event, now: float) -> Sequence[Command]:
        """What to do about an event; after the call has ended, nothing."""
        if type(event) is CallerAudio:
            return self.receive_audio(event.audio, now)
        if self._ended:
            return ()
        self._due = None
        kind = type(event)
        if not self._connected and kind in SESSION_EVENTS:
            return (notes.UnknownMessage("voice", f"{kind.__name__} too early"),)
        if is_sign_of_life(event) and (ended := self._caller_audio.note_sign(event, now)):
            return self._carry_out(ended, now)
        return [*self._REACTIONS[kind](self, event, now), *self._settle(now)]

    def receive_audio(self, audio: bytes, now: float) -> Sequence[Command]:
        """``handle`` for the caller's audio alone, which comes fifty times a second and makes no deadline earlier."""
        if self._ended:
            return ()
        commands = self._caller_audio.receive(audio, now)
        return self._carry_out(commands, now) if commands is FLOOD else commands

    def next_deadline(self) -> float:
        """When ``on_deadline`` wants to be called; calling it earlier does no harm. Never, once the call has ended."""
        if self._ended:
            return math.inf
        if self._due is None:
            parts = (self._playback, self._responses, self._tools, self._keypad, self._silence, self._leaving)
            dues = [due for part in parts if (due := part.next_deadline()) is not None]
            self._due = min([self._ends_at, *dues])
        return min(self._due, self._caller_audio.next_deadline())

    def on_deadline(self, now: float) -> Sequence[Command]:
        """Whatever is due by ``now``."""
        if now < self.next_deadline():  # as is usual: a pause of the stream was looked for, and frames have come
            return ()
        self._due = None
        if now >= self._ends_at:
            return self._end(EndReason.TIME_LIMIT, "gateway", now)
        streams = [*self._caller_audio.on_deadline(now), *self._playback.on_deadline(now), *self._playback.stalled()]
        commands = self._carry_out(streams, now)
        if self._ended:
            return commands
        if left := self._leaving.on_deadline(now):
            return [*commands, *self._carry_out(left, now), *self._settle(now)]
        commands += self._give_up(now)
        quiet = self._playback.idle and self._responses.idle
        commands += self._tools.on_deadline(now, quiet=quiet)
        commands += self._please_wait(now, quiet=quiet)
        commands += [*self._keypad.on_deadline(now), *self._settle(now)]
        return [*commands, *self._carry_out(self._silence.on_deadline(now), now)]

    def _please_wait(self, now: float, *, quiet: bool) -> list[Command]:
        """Cover the wait for tools that take long.

        The service may keep a response open as long as a server works for it, and takes no other meanwhile. Cancelling
        it ends no server's work: the result comes all the same, and is told by a response of its own.
        Words that are due for several tools at once are said once.
        """
        talking = self.state is State.TALKING
        held = self._playback.idle and self._responses.waits_for_a_tool
        of_functions = self._tools.please_wait(now, quiet=quiet and talking)
        of_servers = self._tools.please_wait_for_servers(now, quiet=(quiet or held) and talking)
        commands: list[Command] = [*self._responses.cancel()] if of_servers else []
        for words in dict.fromkeys((*of_functions, *of_servers)):
            commands += self._responses.want(words, now)
        return commands

    # The caller

    def _caller_spoke(self, event: CallerSpoke, now: float) -> Sequence[Command]:
        self._responses.caller_spoke(event.item_id, now)
        self._tools.caller_spoke(event.item_id, now)
        self._paused_at = None
        self._silence.caller_spoke(event.item_id, now)
        return self._barge_in(now) if self._settings.barge_in else self._leaving.call_off()

    def _caller_paused(self, event: CallerPaused, now: float) -> Sequence[Command]:
        self._paused_at = now
        return [notes.CallerPaused(), *self._turn_over(event, now)]

    def _turn_over(self, event: CallerPaused | TurnCommitted, now: float) -> Sequence[Command]:
        """The service answers a turn by itself, but for turns ended by a key, and those that came beside a response."""
        beside_a_response = self._responses.response is not None and not self._responses.cancelled
        answers_itself = not self._settings.commit_on and not beside_a_response
        if answers_itself:
            self._responses.answer_owed(now)
        done = self._responses.caller_done(event.item_id, now)
        self._tools.caller_done(event.item_id, now)
        return done if answers_itself else [*done, *self._responses.want(ANSWER, now)]

    def _digit_pressed(self, event: DigitPressed, now: float) -> Sequence[Command]:
        digit = event.digit
        self._silence.caller_pressed()
        if (not self._connected or self._leaving.transferring) and not self._tools.private(now):
            return (notes.DigitPressed(digit),)
        silenced = self._barge_in(now) if self._keypad.interrupts(digit, now) else []
        return [*silenced, *self._keypad.press(digit, now)]

    def _barge_in(self, now: float) -> list[Command]:
        """Silence the bot: the phone's queue and ours, the response that runs, and the one that is on its way.

        Not over a greeting that must be heard. Of a reply that is not complete the service may have sent more, which is
        dropped here.
        """
        if self._greeting.protected or self._leaving.transferring:
            return []
        stop, heard = self._playback.stop(now)
        self._responses.drop_wishes()
        self._tools.unsaid()
        cancel = self._responses.cancel()
        cut = [reply for reply in heard if reply.heard_ms < reply.received_ms or not reply.complete]
        commands: list[Command] = [*stop, *self._note_heard(heard), *cancel]
        commands += [TruncateReply(reply.reply_id, reply.heard_ms) for reply in cut if reply.reply_id != RECORDING]
        if cut or cancel:
            replies = [notes.CutReply(reply.reply_id, reply.heard_ms, reply.received_ms) for reply in cut]
            commands.append(notes.BargeIn(replies, response_cancelled=bool(cancel)))
        return [*commands, *self._leaving.call_off()]

    # The bot

    def _session_ready(self, ready: SessionReady, now: float) -> Sequence[Command]:
        if self._connected:
            return ()
        self._connected = True
        commands: list[Command] = [notes.SessionReady(ready.session_id, ready.model)]
        commands += [*self._untold, *self._caller_audio.connected()]
        if self._greeting.request is not None:
            commands += self._responses.want(self._greeting.request, now)
            if self._settings.closed:
                self._leaving.plan(self._settings.closed_to, now)
        return commands

    def _response_started(self, event: ResponseStarted, now: float) -> Sequence[Command]:
        was_wanted = self._responses.started(event.response_id, event.request_id, now)
        self._greeting.response_started(event.response_id, self._responses.request)
        overtaken = self._responses.caller_speaks and self._settings.barge_in and not self._greeting.protected
        if was_wanted and not overtaken:
            self._tools.response_started(self._responses.request, answers=self._responses.answers)
            return ()
        self._tools.unsaid()
        if overtaken:  # behind a text that was dropped comes the answer, and the caller waits for that
            self._paused_at = None
        return [*self._responses.cancel(), notes.BargeIn([], response_cancelled=True)]

    def _reply_audio(self, reply: ReplyAudio, now: float) -> Sequence[Command]:
        if reply.response_id != self._responses.response or self._responses.cancelled:
            return ()
        self._responses.goes_on(now)
        self._leaving.spoken()
        commands: list[Command] = [*self._playback.add(reply.item_id, reply.audio, now)]
        if reply.item_id != self._last_reply:
            self._last_reply = reply.item_id
            self._greeting.reply_begun(reply.response_id, reply.item_id)
            waited = None if self._paused_at is None else round((now - self._paused_at) * 1000)
            self._paused_at = None
            commands.append(notes.ReplyStarted(reply.item_id, waited))
        return commands

    def _reply_said(self, event: ReplySaid, now: float) -> Sequence[Command]:
        return (notes.ReplySaid(event.item_id, event.text),)

    def _mark_returned(self, event: MarkReturned, now: float) -> Sequence[Command]:
        self._playback.mark_returned(event.name, now)
        return ()

    def _response_ended(self, ended: ResponseEnded, now: float) -> Sequence[Command]:
        if ended.response_id != self._responses.response:
            return ()
        commands: list[Command] = []
        if not self._responses.cancelled:
            commands += self._playback.complete(None, now)
            if ended.status is not ResponseStatus.COMPLETED:
                commands.append(notes.ResponseCutShort(ended.status.value, ended.detail))
        commands += self._responses.ended(ended.response_id, now, failed=ended.status is ResponseStatus.FAILED)
        if words := self._leaving.take_words():
            commands += self._responses.want(words, now)
        return commands

    def _refused(self, event: ServiceError, now: float) -> Sequence[Command]:
        note = notes.ServiceError(event.code, event.message)
        return [note, *self._responses.refused(event.event_id, event.code, now)]

    def _tool_called(self, event: ToolCalled, now: float) -> Sequence[Command]:
        if event.response_id != self._responses.response or self._responses.cancelled:
            return self._tools.not_carried_out(event)
        self._responses.goes_on(now)
        return self._tools.called(event, now, silent=self._playback.idle)

    def _note_heard(self, replies: Sequence[HeardReply]) -> list[Command]:
        """Note what was heard, and tell the service of what it did not speak itself."""
        commands: list[Command] = []
        for reply in replies:
            commands.append(notes.ReplyHeard(reply.reply_id, reply.heard_ms, reply.received_ms))
            if message := self._greeting.heard(reply):
                (commands if self._connected else self._untold).append(message)
        return commands

    # Where things stand

    def _settle(self, now: float) -> Sequence[Command]:
        """Do what follows from where things stand, and decide if the service may listen to the caller."""
        if self._ended:
            return ()
        commands = self._follow_up(now)
        private = self._tools.asks_for_secret or self._leaving.transferring or self._settings.closed
        self._caller_audio.set_private(private=private, now=now)
        return commands

    def _follow_up(self, now: float) -> Sequence[Command]:
        """Replies heard to their end, silence begun, the last words over."""
        commands = self._note_heard(self._playback.heard(now))
        if self._leaving.transferring or not (self._connected or self._leaving.planned):
            return commands
        if not (self._playback.idle and self._responses.idle):
            self._silence.interrupted()
            return commands
        self._greeting.over()
        if self._leaving.planned:
            return [*commands, *self._carry_out(self._leaving.leave(), now)]
        if request := self._tools.wish(now):
            return [*commands, *self._responses.want(request, now)]
        if self._tools.busy or self._keypad.collecting:
            self._silence.interrupted()
        elif self._silence.quiet(now):
            self._paused_at = None  # nobody is about to answer
        return commands

    def _give_up(self, now: float) -> list[Command]:
        """Whatever the service owes and never brings; a response whose tool is at work is not hurried."""
        if self._tools.server_at_work:
            self._responses.goes_on(now)
        given_up = self._responses.on_deadline(now)
        if not any(isinstance(command, CancelResponse) for command in given_up):
            return [*given_up]
        note = notes.ResponseCutShort("given_up", "nothing more came of it")
        return [*self._playback.complete(None, now), note, *given_up]

    # The end, and what is beside the conversation

    def _carry_out(self, commands: Sequence[Command], now: float) -> list[Command]:
        """Commands as they are, up to the end of the call, with all that belongs to it."""
        carried_out: list[Command] = []
        for command in commands:
            if isinstance(command, EndCall):
                return [*carried_out, *self._end(command.reason, command.by, now, command.detail)]
            carried_out.append(command)
        return carried_out

    def _end(self, reason: EndReason, by: str, now: float, detail: str = "") -> Sequence[Command]:
        stop, heard = self._playback.stop(now)
        heard_notes = [command for command in self._note_heard(heard) if isinstance(command, Note)]
        self._ended = True
        self._silence.interrupted()
        return [*stop, *heard_notes, *self._tools.abandon(), EndCall(reason, by, detail)]

    _REACTIONS: ClassVar[Mapping[type, Callable[..., Sequence[Command]]]] = {
        CallerSpoke: _caller_spoke,
        CallerPaused: _caller_paused,
        TurnCommitted: _turn_over,
        CallerSaid: lambda self, event, now: self._transcripts.said(event, now),
        TranscriptionFailed: lambda self, event, now: self._transcripts.failed(event, now),
        DigitPressed: _digit_pressed,
        SessionReady: _session_ready,
        ResponseStarted: _response_started,
        ReplyAudio: _reply_audio,
        ReplySaid: _reply_said,
        ReplyComplete: lambda self, event, now: self._playback.complete(event.item_id, now),
        MarkReturned: _mark_returned,
        ResponseEnded: _response_ended,
        ServiceError: _refused,
        ToolCalled: _tool_called,
        TransferEnded: lambda self, event, now: self._carry_out(self._leaving.transfer_ended(event.failure, now), now),
        ShutDown: lambda self, _, now: self._end(EndReason.SHUT_DOWN, "gateway", now),
        **dict.fromkeys(
            (PhoneClosed, VoiceClosed),
            lambda self, event, now: self._carry_out(self._leaving.leg_closed(event), now),
        ),
        **dict.fromkeys(get_args(ToolEvent), lambda self, event, now: self._tools.handle(event, now)),
        **dict.fromkeys(
            get_args(BadMessage), lambda self, event, now: self._carry_out(self._bad_messages.handle(event, now), now)
        ),
        **dict.fromkeys((CallStarted, SignOfLife), lambda *_: ()),
    }
    """By the type itself: asking for one type after the other costs far more, since these classes have a metaclass."""

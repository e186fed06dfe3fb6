"""Reactions of a call to its events, carried out on its parts. Pure."""

from collections.abc import Callable, Mapping
from typing import ClassVar, get_args

from gateway.call import notes
from gateway.call.bad_messages import BadMessage
from gateway.call.ending import Order, ShutDown
from gateway.call.errands import TransferEnded
from gateway.call.messages import Event
from gateway.call.parts import Parts
from gateway.call.recovery.commands import VoiceFailed, VoiceOpened
from gateway.call.recovery.sessions import Sessions
from gateway.call.settings import CallSettings
from gateway.call.tools.tools import ToolEvent
from gateway.phone.events import CallStarted, DigitPressed, PhoneClosed, PlaybackStopped, SignOfLife
from gateway.voice.events import (
    CallerPartlySaid,
    CallerPaused,
    CallerSaid,
    CallerSpoke,
    ReplyAudio,
    ReplyComplete,
    ResponseEnded,
    ResponseStarted,
    ServiceError,
    SessionReady,
    ToolCalled,
    TranscriptionFailed,
    TurnCommitted,
    VoiceClosed,
    WordEvent,
)


class Reactions:
    """Hand each event to the parts that it concerns, in the order in which one may depend on the other."""

    def __init__(self, parts: Parts, sessions: Sessions, settings: CallSettings) -> None:
        self._parts, self._sessions = parts, sessions
        self._barge_in = settings.barge_in
        self._bot, self._leaving, self._tools = parts.bot, parts.leaving, parts.tools
        self._caller_audio, self._silence, self._held_speech = parts.caller_audio, parts.silence, parts.held_speech

    def react(self, event: Event, now: float) -> None:
        """Do what an event leads to, which the call expects in its state."""
        self.TABLE[type(event)](self, event, now)

    # The caller

    def caller_spoke(self, event: CallerSpoke, now: float) -> None:
        """Begin a turn of the caller, who may be interrupting the bot."""
        for part in (self._bot, self._tools, self._silence):
            part.caller_spoke(event.item_id, now)
        self._parts.add([notes.CallerSpoke(event.item_id, over_reply=not self._bot.is_silent)])
        self._caller_audio.turn_begun()
        if self._barge_in:
            self._parts.caller_spoke(event.item_id, now)
        else:
            self._parts.add(self._leaving.call_off())

    def _caller_paused(self, event: CallerPaused, now: float) -> None:
        self._parts.add([notes.CallerPaused(event.item_id)])
        self._bot.caller_paused(now)
        self._turn_over(event, now)

    def _turn_committed(self, event: TurnCommitted, now: float) -> None:
        self._turn_over(event, now)

    def _turn_over(self, event: CallerPaused | TurnCommitted, now: float) -> None:
        self._parts.add(self._held_speech.over(event.item_id, now))
        self._parts.history.turn(event.item_id)
        self._parts.add(self._bot.turn_over(event.item_id, now))
        self._tools.caller_done(event.item_id, now)
        self._sessions.check(now)

    def _caller_said(self, said: CallerSaid, now: float) -> None:
        self._turn_known()
        self._parts.add(self._bot.caller_done(said.item_id, now))
        words = self._parts.transcripts.words(said)
        self._parts.history.caller_said(said.item_id, words)
        if words:
            self._parts.add([notes.CallerSaid(said.item_id, words)])
            self._parts.add(self._tools.caller_said(said.item_id, words, now))
        elif words is not None:
            self._parts.add(self._tools.not_understood(said.item_id, now))

    def _transcription_failed(self, failed: TranscriptionFailed, now: float) -> None:
        self._turn_known()
        self._parts.add([notes.TranscriptionFailed(failed.item_id, failed.code, failed.detail)])
        self._parts.add(self._bot.caller_done(failed.item_id, now))
        self._parts.add(self._tools.not_understood(failed.item_id, now))

    # The bot

    def _session_ready(self, ready: SessionReady, now: float) -> None:
        self._sessions.ready(ready, now)

    def _voice_opened(self, event: VoiceOpened, now: float) -> None:
        self._sessions.opened(event, now)

    def _turn_known(self) -> None:
        """Let go of a turn that is over, and whose words have come or will not; the caller may have begun another."""
        if not self._bot.responses.caller_speaks:
            self._caller_audio.turn_known()

    def _response_started(self, event: ResponseStarted, now: float) -> None:
        self._parts.add([notes.ResponseStarted(event.response_id, asked=bool(event.request_id))])
        cancelled = self._bot.response_started(event, now, held=self._held_speech.is_held)
        self._parts.add(cancelled)
        if cancelled:
            self._tools.unsaid()
        else:
            self._tools.response_started(self._bot.request, answers=self._bot.answers)

    def _reply_audio(self, reply: ReplyAudio, now: float) -> None:
        if self._bot.is_current(reply.response_id):
            self._leaving.spoken()
            self._parts.add(self._bot.reply_audio(reply, now))

    def _response_ended(self, ended: ResponseEnded, now: float) -> None:
        if ended.tokens is not None:
            self._parts.add([self._sessions.used(ended.response_id, ended.tokens)])
        if not self._bot.runs(ended.response_id):
            return
        self._parts.add(self._bot.response_ended(ended, now))
        if words := self._leaving.take_words():
            self._parts.want(words, now)
        self._turn_known()
        self._sessions.check(now)

    def _service_error(self, error: ServiceError, now: float) -> None:
        self._parts.add(self._bot.refused(error, now))
        self._sessions.error(error, now)

    def _tool_called(self, call: ToolCalled, now: float) -> None:
        self._parts.history.called(call)
        if not self._bot.is_current(call.response_id):
            self._parts.add(self._tools.not_carried_out(call))
            return
        self._bot.goes_on(now)
        silent, transferring = self._bot.is_silent, self._leaving.transferring
        self._parts.carry_out(self._tools.called(call, now, silent=silent, transferring=transferring), now)

    # The table, made once for each class: a subclass has its own methods in it

    TABLE: ClassVar[Mapping[type, Callable[..., None]]] = {}
    """By the type itself: asking for one type after the other costs far more, since these classes have a metaclass."""

    @classmethod
    def table(cls) -> Mapping[type, Callable[..., None]]:
        """Return what handles each event, by its type."""
        return {
            CallerSpoke: cls.caller_spoke,
            CallerPaused: cls._caller_paused,
            TurnCommitted: cls._turn_committed,
            CallerPartlySaid: lambda self, said, _: self._parts.add([notes.CallerPartlySaid(said.item_id, said.text)]),
            CallerSaid: cls._caller_said,
            TranscriptionFailed: cls._transcription_failed,
            DigitPressed: lambda self, event, now: self._parts.press(event.digit, now),
            SessionReady: cls._session_ready,
            ResponseStarted: cls._response_started,
            ReplyAudio: cls._reply_audio,
            **dict.fromkeys(get_args(WordEvent), lambda self, event, _: self._parts.add(self._bot.words(event))),
            ReplyComplete: lambda self, event, now: self._parts.add(self._bot.reply_complete(event.item_id, now)),
            PlaybackStopped: lambda self, _, now: self._parts.add(self._bot.playback_stopped(now)),
            ResponseEnded: cls._response_ended,
            ServiceError: cls._service_error,
            ToolCalled: cls._tool_called,
            TransferEnded: lambda self, event, now: self._parts.transfer_ended(event, now),
            Order: lambda self, order, now: self._parts.order(order, now),
            ShutDown: lambda self, event, now: self._parts.shut_down(event, now),
            PhoneClosed: lambda self, event, now: self._parts.carry_out(self._leaving.phone_closed(event), now),
            VoiceClosed: lambda self, event, now: self._sessions.closed(event, now),
            VoiceOpened: cls._voice_opened,
            VoiceFailed: lambda self, event, now: self._sessions.failed(event, now),
            **dict.fromkeys(get_args(ToolEvent), lambda self, event, now: self._parts.tool_event(event, now)),
            **dict.fromkeys(get_args(BadMessage), lambda self, event, now: self._parts.bad_message(event, now)),
            **dict.fromkeys((CallStarted, SignOfLife), lambda *_: None),
        }


Reactions.TABLE = Reactions.table()

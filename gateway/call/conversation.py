"""The rules of a call, pure: events of both legs and the time in, commands out."""

import math

from gateway.call import notes
from gateway.call.caller_audio import is_sign_of_life
from gateway.call.deadlines import Deadlines
from gateway.call.ending import EndCall, EndReason
from gateway.call.history.glance import Glance
from gateway.call.leaving import LeaveCall
from gateway.call.messages import NOTHING, Commands, Event
from gateway.call.parts import Parts
from gateway.call.reactions import Reactions
from gateway.call.recovery.sessions import Sessions
from gateway.call.settings import CallSettings
from gateway.call.state import EXPECTED, PIECES, TALKING, State
from gateway.phone.events import CallerAudio, CallStarted, MarkReturned
from gateway.voice.commands import SendAudio
from gateway.voice.events import ReplyAudio


class Conversation:
    """One call. ``handle`` and ``on_deadline`` take the time in seconds, on any clock that does not go back.

    Parts return what they ask for, and know nothing of one another; it is carried out here.
    """

    def __init__(self, started: CallStarted, settings: CallSettings, now: float) -> None:
        self._settings = settings
        self._parts = parts = Parts(started, settings, now)
        self._bot, self._leaving, self._tools, self._keypad = parts.bot, parts.leaving, parts.tools, parts.keypad
        self._recording = parts.recording
        self._caller_audio, self._silence, self._held_speech = parts.caller_audio, parts.silence, parts.held_speech
        self._sessions = Sessions(parts, settings, started.audio_format, now)
        parts.lose = self._sessions.lose
        self._reactions = Reactions(parts, self._sessions, settings)
        self._deadlines = Deadlines(parts, self._sessions, now + settings.duration_limit_s)

    @property
    def state(self) -> State:
        """The state of the call."""
        return self._parts.state

    @property
    def late_frames(self) -> int:
        """Frames of the bot's voice that reached the phone after their moment."""
        return self._bot.late_frames

    @property
    def marks_lost(self) -> int:
        """Marks that the provider has not returned though they were due."""
        return self._bot.marks_lost

    @property
    def caller_audio_s(self) -> float:
        """Seconds of audio that came from the phone."""
        return self._caller_audio.received_s

    def glance(self) -> Glance:
        """Return what the call looks like now."""
        return self._parts.glance()

    def session_s(self, now: float) -> float:
        """Return the seconds in which there was a session."""
        return self._sessions.lasted_s(now)

    def begin(self, now: float) -> Commands:
        """Begin a recorded greeting, whether the session is there or not; nothing, where the call has ended already."""
        if self._parts.ended:
            return NOTHING
        self._deadlines.forget()
        self._parts.add(self._bot.begin(now))
        self._parts.add(self._recording.begin())
        if self._settings.closed and self._bot.greeting.request is None:
            self._leaving.plan(LeaveCall(self._settings.closed_to), now, recorded_s=self._bot.recorded_s)
        self._settle(now)
        return self._parts.hand_over()

    def handle(self, event: Event, now: float) -> Commands:
        """Return what an event leads to; nothing after the call has ended."""
        if type(event) is MarkReturned:
            return self._mark_returned(event, now)
        if type(event) is ReplyAudio and (done := self._more_of_a_reply(event, now)) is not None:
            return done
        if type(event) is CallerAudio:
            made = self.receive_audio(event.audio, now)
            return Commands(voice=[SendAudio(made)]) if isinstance(made, bytes) else made or NOTHING
        kind = type(event)
        if kind not in EXPECTED[self._parts.state]:
            if not self._parts.ended:
                self._parts.add([notes.UnknownMessage("voice", f"{kind.__name__} too early")])
            return self._parts.hand_over()
        if kind in PIECES:  # several a second while the bot speaks, and nothing is due because of them
            self._bot.words(event)  # type: ignore[arg-type]  # by the set that its type is in
            return NOTHING
        if is_sign_of_life(event):
            self._parts.carry_out(self._caller_audio.note_sign(event, now), now)
        self._deadlines.forget()
        if not self._parts.ended:
            self._reactions.react(event, now)
            self._settle(now)
        return self._parts.hand_over()

    # What comes many times a second, and makes no deadline earlier but that of the audio that is played

    def _mark_returned(self, event: MarkReturned, now: float) -> Commands:
        if self._parts.ended:
            return NOTHING
        self._caller_audio.note_life(now)
        self._bot.mark_returned(event.name, now)
        self._played(now)
        return self._parts.hand_over()

    def _more_of_a_reply(self, reply: ReplyAudio, now: float) -> Commands | None:
        """Play more of the reply that alone is being played; ``None`` for audio that changes more than that."""
        if self._parts.ended or self._parts.recovering or not self._bot.is_playing(reply):
            return None
        self._leaving.spoken()
        self._parts.add(self._bot.reply_audio(reply, now))
        self._deadlines.forget_playback()
        return self._parts.hand_over()

    def receive_audio(self, audio: bytes, now: float) -> bytes | Commands | None:
        """``handle`` for the caller's audio alone, which comes fifty times a second and makes no deadline earlier.

        Bytes are audio for the service.
        """
        if self._parts.ended:
            return None
        made = self._caller_audio.receive(audio, now)
        if made is None or isinstance(made, bytes):
            return made
        self._parts.carry_out((made,), now)
        return self._parts.hand_over()

    def next_deadline(self) -> float:
        """Return when ``on_deadline`` is due; calling it earlier does no harm. Never, once the call has ended."""
        return math.inf if self._parts.ended else self._deadlines.next()

    def on_deadline(self, now: float) -> Commands:
        """Return what is due by ``now``."""
        if self._parts.ended or not self._deadlines.is_due(now):
            return NOTHING
        if self._deadlines.is_playback_alone(now):
            self._parts.carry_out(self._bot.play_on(now), now)  # five times a second while the bot speaks
            self._played(now)
        else:
            self._deadlines.forget()
            if now >= self._deadlines.ends_at:
                self._parts.end(EndCall(EndReason.TIME_LIMIT, "gateway"), now)
            else:
                self._parts.carry_out([*self._caller_audio.on_deadline(now), *self._bot.play_on(now)], now)
        if self._deadlines.are_forgotten and not self._parts.ended:
            self._meet_deadlines(now)
        return self._parts.hand_over()

    def _played(self, now: float) -> None:
        """Do what follows where nothing has changed but what is played: nothing, until a reply was heard to its end."""
        self._deadlines.forget_playback()
        if self._parts.ended:
            return
        heard = self._bot.heard(now)
        if heard or self._bot.is_silent:
            self._deadlines.forget()
            self._parts.add(heard)
            self._settle(now)

    def _meet_deadlines(self, now: float) -> None:
        self._sessions.on_deadline(now)
        if self._parts.ended:
            return
        if left := self._leaving.on_deadline(now):
            self._parts.carry_out(left, now)
            self._settle(now)
            return
        if self._held_speech.on_deadline(now, self._bot.reply_began(now)):
            self._parts.interrupt(now, by_speech=True)
        self._parts.add(self._bot.give_up(now, tool_at_work=self._tools.server_at_work))
        self._sessions.check(now)
        quiet = self._bot.is_idle and not self._parts.recovering
        talking, held = self._parts.state is TALKING, self._bot.waits_for_a_tool
        self._parts.carry_out(self._tools.on_deadline(now, quiet=quiet, talking=talking, held=held), now)
        self._parts.carry_out(self._keypad.on_deadline(now), now)
        self._parts.carry_out(self._recording.on_deadline(now), now)
        self._settle(now)
        if not self._parts.ended:
            self._parts.carry_out(self._silence.on_deadline(now), now)

    # After each event

    def _settle(self, now: float) -> None:
        """Do what follows from the new state, and decide if the service may listen to the caller."""
        if self._parts.ended:
            return
        self._follow_up(now)
        self._sessions.watch(now)
        recording = self._recording
        private = self._tools.asks_for_secret or self._leaving.is_deaf or self._settings.closed or recording.is_opening
        self._caller_audio.set_private(private=private, now=now)
        if recording.is_on:
            self._parts.add(recording.follow(self._tools.private_until, now))

    def _follow_up(self, now: float) -> None:
        """Note replies heard to their end, leave after the last words, or begin to count silence."""
        self._parts.add(self._bot.heard(now))
        if self._parts.recovering:
            self._sessions.settle(now)
            return
        if self._leaving.transferring or not (self._parts.connected or self._leaving.planned):
            return
        if not self._bot.is_idle:
            self._silence.interrupted()
            return
        was_heard = self._bot.greeting.was_heard
        self._bot.greeting.over()
        if self._leaving.planned:
            self._parts.carry_out(self._leaving.leave(), now)
        elif self._recording.is_opening:
            self._open(now, was_heard=was_heard)
        elif self._sessions.may_roll_over and not self._tools.server_at_work:
            self._sessions.roll_over(now)
        elif request := self._tools.wish(now):
            self._parts.want(request, now)
        elif self._tools.busy or self._keypad.collecting:
            self._silence.interrupted()
        elif self._silence.quiet(now):
            self._bot.nobody_answers()

    def _open(self, now: float, *, was_heard: bool) -> None:
        """Go on with the words before the greeting, or with what follows them."""
        self._silence.interrupted()
        opening = self._recording.said(now, was_heard=was_heard)
        self._parts.carry_out(opening, now)
        if opening:
            self._follow_up(now)

"""The sessions of one call, one after the other: the first, those after a loss, those before one expires. Pure."""

import math
from collections.abc import Sequence

from msgspec.structs import asdict

from gateway.audio.formats import AudioFormat
from gateway.call import notes
from gateway.call.ending import VOICE_ENDS, EndCall, EndReason, LoseVoice
from gateway.call.leaving import LeaveCall
from gateway.call.parts import Parts
from gateway.call.recovery.attempts import Attempts
from gateway.call.recovery.commands import FIRST, CloseVoice, OpenVoice, UseVoice, VoiceFailed, VoiceOpened
from gateway.call.recovery.error_burst import ErrorBurst
from gateway.call.recovery.overdue import Overdue
from gateway.call.recovery.roll_over import LOOK_AGAIN_S, RollOver
from gateway.call.settings import CallSettings
from gateway.call.speaking.comfort import Comfort
from gateway.call.speaking.responses import ANSWER
from gateway.voice.commands import AddMessage, SeedItem, SeedMessage
from gateway.voice.events import ServiceError, SessionReady, Tokens, VoiceClosed, VoiceEnd

PROVEN_S = 30.0
"""A session that lasted so long was worth while, even if it was asked for nothing."""
PLAY_LIMIT_S = 15.0
"""The time for the caller to hear what is left, counted from the last try."""
CUT_OFF = AddMessage(
    "system",
    "The connection broke off in the middle of your last reply. Go on from the words that the caller has heard, "
    "and do not repeat them.",
)
BACK = AddMessage(
    "system",
    "The connection was interrupted, and the caller was asked to wait. Say in a few words that you are there again; "
    "do not repeat what you have said or asked.",
)
MUTE = EndCall(EndReason.VOICE_LOST, "service", "what the service was asked for brought no sound, twice")
ERRORS = EndCall(EndReason.VOICE_LOST, "service", "the service answered with errors alone")


class Sessions:
    """Replaces the session of a call, and decides what the caller hears meanwhile.

    What a change means for each part of the call is asked of that part. Times are in seconds.
    """

    def __init__(self, parts: Parts, settings: CallSettings, audio_format: AudioFormat, now: float) -> None:
        self._parts = parts
        self._settings = settings
        self._rule = settings.trouble
        self._connect_by = now + self._rule.connect_limit_s
        self._attempts = Attempts(self._rule)
        self._comfort = Comfort(self._rule.phrase, audio_format)
        self._overdue = Overdue(parts, self._comfort, settings)
        self._errors = ErrorBurst()
        self._roll_over = RollOver(settings.session_limit_s)
        self._in_use, self._last = FIRST, FIRST
        self._conversation_id = ""
        self._resumed = False
        """``True`` if the leg that was opened last goes on with the conversation of its agent."""
        self._opening: int | None = None
        self._spare: tuple[int, SessionReady, float] | None = None
        """A session that is ready and not in use, and since when."""
        self._ready_at = now
        self._model, self._voice = "", ""
        self._in_use_since: float | None = None
        self._lasted_s = 0.0
        """The time of the sessions before the one in use."""
        self._replies = 0
        self._lost: LoseVoice | None = None
        self._lost_at = now
        self._turn_is_kept = False
        self._known: Sequence[SeedItem] = ()
        """The conversation of an agent when its session was lost."""
        self._is_cut = False
        """``True`` if the next session is to go on with a reply that broke off."""
        self._try_at: float | None = None
        self._end: tuple[float, EndCall] | None = None
        """The end of a call that got no session, and when it comes, heard or not."""
        self.due = math.inf
        """When ``on_deadline`` is due."""

    @property
    def may_roll_over(self) -> bool:
        """``True`` if another session is ready to take over at a moment when nobody speaks."""
        return self._spare is not None

    def used(self, response_id: str, tokens: Tokens) -> notes.TokensUsed:
        """Return the note of a response's tokens, which the model in use has taken."""
        return notes.TokensUsed(response_id, self._model, self._voice, **asdict(tokens))

    def lasted_s(self, now: float) -> float:
        """Return the time in which there was a session."""
        return self._lasted_s + (now - self._in_use_since if self._in_use_since is not None else 0.0)

    # The session in use

    def ready(self, ready: SessionReady, now: float) -> None:
        """Begin with the first session."""
        parts = self._parts
        if parts.connected:
            return
        parts.add([notes.SessionReady(ready.session_id, ready.model), *self._settings.history])
        parts.add([*parts.bot.connected(), *parts.caller_audio.connected()])
        self._begin_session(ready, now, now)
        self._connected(now)
        self._plan()

    def closed(self, event: VoiceClosed, now: float) -> None:
        """Go on with another session, because the one in use has ended; or end the call."""
        end = EndCall(*VOICE_ENDS[event.end], event.detail)
        passes = event.passes or self._parts.connected
        passes = passes and event.end is not VoiceEnd.CLOSED
        self.lose(LoseVoice(event.end.value, end, event.close_code, passes), now)

    def error(self, error: ServiceError, now: float) -> None:
        """Count an error of the service; a burst of them means that the session is lost."""
        if self._errors.count(error.code, now):
            self._lose_by_sign(LoseVoice("errors", ERRORS), now)
        else:
            self.check(now)

    def check(self, now: float) -> None:
        """Take the session for lost if what it was asked for brings no sound."""
        bot = self._parts.bot
        on_trial = self._attempts.count > 0 and bot.replies_begun == self._replies
        if bot.responses.is_mute(on_trial=on_trial):
            self._lose_by_sign(LoseVoice("mute", MUTE), now)

    def watch(self, now: float) -> None:
        """Cover a wait for the session in use that takes long."""
        if self._overdue.look(now):
            self._plan()

    def _lose_by_sign(self, lost: LoseVoice, now: float) -> None:
        parts = self._parts
        if not (parts.ended or parts.recovering or parts.leaving.transferring) and self._may_recover(lost, now):
            self.lose(lost, now)

    def lose(self, lost: LoseVoice, now: float) -> None:
        """Go on without the session in use: with another one, if the line and the call allow it."""
        parts = self._parts
        if parts.leaving.transferring:
            parts.leaving.voice_lost(lost)
        elif not self._may_recover(lost, now):
            parts.end(lost.end, now)
        else:
            self._recover(lost, now)
        self._plan()

    def _may_recover(self, lost: LoseVoice, now: float) -> bool:
        within = self._parts.connected or now < self._connect_by
        return self._rule.tries > 0 and lost.passes and within and not self._settings.closed

    def _recover(self, lost: LoseVoice, now: float) -> None:
        parts = self._parts
        if parts.bot.replies_begun > self._replies or now - self._ready_at >= PROVEN_S:
            self._attempts.proven()
        parts.add([notes.SessionLost(lost.cause, lost.end.detail, lost.close_code)])
        speaks, silent_at = parts.bot.responses.caller_speaks, parts.bot.ends_at(now)
        self._leave_session(now)
        parts.recovering = True
        self._lost, self._lost_at = lost, now
        if not parts.bot.responses.idle or not parts.leaving.planned:
            self._comfort.begin(silent_at, caller_speaks=speaks)
        if self._spare is not None:
            self._take_over(*self._spare, now)
            return
        left_s = self._rule.limit_s if parts.connected else self._connect_by - now
        self._attempts.begin(now, left_s)
        if self._opening is None:
            self._next_try(now, lost.end.detail)

    def _leave_session(self, now: float) -> None:
        """Let each part forget the session in use, and ask again for what it has not brought."""
        parts = self._parts
        self._lasted_s, self._in_use_since = self.lasted_s(now), None
        speaks = parts.bot.responses.caller_speaks
        if parts.bot.responses.has_spoken and not speaks:
            parts.caller_audio.turn_known()
        is_kept = parts.caller_audio.lost()
        self._turn_is_kept = is_kept and not speaks
        commands, is_cut = parts.bot.session_lost(now, turn_is_kept=is_kept)
        parts.add([CloseVoice(self._in_use)])
        parts.add(commands)
        parts.add(parts.tools.session_lost(now))
        parts.silence.interrupted()
        parts.held_speech.session_lost()
        if self._conversation_id:
            self._known = parts.seed(self._settings.seed_limit_chars)
        if is_cut:
            self._is_cut = True
            parts.want(ANSWER, now)

    # The next session

    def _next_try(self, now: float, detail: str) -> None:
        self._try_at = self._attempts.next_at(now)
        if self._try_at is None:
            self._give_up(now, detail)

    def _open(self) -> None:
        self._try_at = None
        self._last += 1
        self._opening = self._last
        self._resumed = bool(self._conversation_id)
        self._parts.add([OpenVoice(self._last, self._conversation_id)])

    def opened(self, event: VoiceOpened, now: float) -> None:
        """Use a session that is ready, at once or when the one in use is not needed any more."""
        if event.leg != self._opening:
            self._parts.add([CloseVoice(event.leg)])
            return
        self._opening = None
        if self._parts.recovering:
            self._take_over(event.leg, event.ready, now, now)
        else:
            self._spare = (event.leg, event.ready, now)
        self._plan()

    def failed(self, event: VoiceFailed, now: float) -> None:
        """Try again, because a session that is not in use was refused or has ended."""
        known = {self._opening, self._spare[0] if self._spare else None}
        if event.leg not in known:
            return
        self._opening = self._spare = None
        if self._resumed:
            self._conversation_id = ""
        self._parts.add([CloseVoice(event.leg)])
        if self._parts.recovering:
            self._next_try(now, event.closed.detail)
        else:
            self._roll_over.failed(now)
        self._plan()

    def _take_over(self, leg: int, ready: SessionReady, since: float, now: float, *, forced: bool = False) -> None:
        """Go on with this session, ready ``since`` then: tell it what was said, and ask it for what is due."""
        parts, lost = self._parts, self._lost
        is_first = not parts.connected
        self._in_use, self._spare, self._lost, self._end = leg, None, None, None
        parts.recovering = False
        parts.add([UseVoice(leg)])
        seed = self._seed()
        parts.add([*seed, *(parts.bot.connected() if is_first else ()), *([CUT_OFF] if self._is_cut else ())])
        parts.add([*parts.caller_audio.connected()])
        self._is_cut = False
        self._begin_session(ready, since, now)
        if lost is not None:
            self._note_recovered(lost, ready, len(seed), now)
            self._comfort.over()
        else:
            parts.add([notes.SessionRolledOver(ready.session_id, ready.model, len(seed), forced=forced)])
        is_due = self._turn_is_kept or parts.tools.busy or parts.tools.answer_due
        nothing_due = parts.bot.responses.idle and not is_due
        if is_first:
            self._connected(now)
        elif lost is not None and self._comfort.words_played and nothing_due:
            parts.add([BACK])
            parts.want(ANSWER, now)
        parts.add(parts.bot.session_ready(now, owed=self._turn_is_kept))
        self._turn_is_kept = False

    def _seed(self) -> Sequence[SeedItem]:
        """Return what the next session is told; one that goes on with its agent's conversation, what it missed."""
        items = self._parts.seed(self._settings.seed_limit_chars)
        if not self._resumed:
            return [*self._settings.history, *items]
        return [item for item in items if isinstance(item, SeedMessage) and item not in self._known]

    def _note_recovered(self, lost: LoseVoice, ready: SessionReady, seeded: int, now: float) -> None:
        after_ms, covered_ms = round((now - self._lost_at) * 1000), round(self._comfort.covered_s * 1000)
        note = notes.SessionRecovered(
            lost.cause, after_ms, self._attempts.count, covered_ms, ready.session_id, ready.model, seeded
        )
        self._parts.add([note])

    def _begin_session(self, ready: SessionReady, since: float, now: float) -> None:
        self._conversation_id = ready.conversation_id
        self._model, self._voice = ready.model, ready.voice
        self._errors.forget()
        self._ready_at = self._in_use_since = now
        self._replies = self._parts.bot.replies_begun
        self._roll_over.begin(ready.lasts_s, since)

    def _connected(self, now: float) -> None:
        """Say the greeting, with the first session of the call."""
        parts = self._parts
        parts.connected = True
        if (request := parts.bot.greeting.request) is not None:
            parts.want(request, now)
            if self._settings.closed:
                parts.leaving.plan(LeaveCall(self._settings.closed_to), now)

    # The end

    def _give_up(self, now: float, detail: str) -> None:
        """End the call once the caller has heard what is left: no session was found."""
        lost, parts = self._lost, self._parts
        assert lost is not None, "only a loss is given up"  # noqa: S101 -- for mypy
        self._comfort.over()
        self._try_at = None
        if self._opening is not None:
            parts.add([CloseVoice(self._opening)])
            self._opening = None
        after_ms, covered_ms = round((now - self._lost_at) * 1000), round(self._comfort.covered_s * 1000)
        tries = self._attempts.count
        parts.add([notes.SessionNotRecovered(lost.cause, after_ms, tries, covered_ms, detail)])
        end = EndCall(lost.end.reason, lost.end.by, f"{lost.end.detail}; {tries} tries at another session: {detail}")
        self._end = (now + PLAY_LIMIT_S, end)
        self.settle(now)

    def settle(self, now: float) -> None:
        """Leave the call that has no session, if it was about to be left, or is given up, and all was heard."""
        parts = self._parts
        is_over = self._end is not None and parts.bot.is_silent
        if parts.leaving.planned and (parts.bot.is_idle or is_over):
            self._leave(now)
        elif is_over and self._end is not None:
            parts.end(self._end[1], now)

    def _leave(self, now: float) -> None:
        parts = self._parts
        parts.recovering = False
        if self._opening is not None:
            parts.add([CloseVoice(self._opening)])
        if self._lost is not None:
            parts.leaving.voice_lost(self._lost)
        self._opening = self._try_at = self._end = None
        self._comfort.over()
        parts.carry_out(parts.leaving.leave(), now)
        self._plan()

    # Before a session expires

    def roll_over(self, now: float, *, forced: bool = False) -> None:
        """Let the session that is ready take over; ``forced``, although somebody speaks."""
        if self._spare is None:
            return
        self._leave_session(now)
        self._take_over(*self._spare, now, forced=forced)
        self._plan()

    def _roll_over_due(self, now: float) -> None:
        times, bot = self._roll_over, self._parts.bot
        if now >= times.prepare_at:
            times.asked()
            self._open()
        if self._spare is None or now < times.force_at:
            return
        if now >= times.last_at or not (bot.responses.is_generating or bot.responses.caller_speaks):
            self.roll_over(now, forced=True)
        else:
            times.force_at = min(now + LOOK_AGAIN_S, times.last_at)

    # Time

    def on_deadline(self, now: float) -> None:
        """Do what is due."""
        parts = self._parts
        if now < self.due:
            return
        if not parts.recovering:
            if not parts.leaving.transferring:
                self._roll_over_due(now)
            self._overdue.on_deadline(now)
        elif self._end is not None:
            if now >= self._end[0]:
                parts.end(self._end[1], now)
        else:
            self._recovery_due(now)
        self._plan()

    def _recovery_due(self, now: float) -> None:
        if self._try_at is not None and now >= self._try_at:
            self._open()
        elif now >= self._attempts.until:
            self._give_up(now, f"no session within {self._rule.limit_s:g} s")
            return
        if piece := self._comfort.next(now):
            audio, words = piece
            self._parts.add(self._parts.bot.cover.play(audio, now, words=words))

    def _plan(self) -> None:
        parts, times = self._parts, self._roll_over
        if not parts.recovering:
            force_at = times.force_at if self._spare is not None else math.inf
            self.due = math.inf if parts.leaving.transferring else min(times.prepare_at, force_at, self._overdue.due)
        elif self._end is not None:
            self.due = self._end[0]
        else:
            at = [self._attempts.until, self._try_at, self._comfort.due]
            self.due = min(one for one in at if one is not None)

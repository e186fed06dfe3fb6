"""A call that is cut at a random moment: a conversation, a phone, a caller and a service of events, all of one seed.

``python -m tests.call.recovery.cut_call 17`` tells what happened in the call of a seed.
"""

import heapq
import itertools
import math
import random
import sys
from collections.abc import Callable, Sequence
from functools import partial

from gateway.call import notes
from gateway.call.conversation import Conversation
from gateway.call.ending import EndCall
from gateway.call.errands import FunctionReturned, RunFunction, TransferCaller, TransferEnded
from gateway.call.messages import Commands
from gateway.call.recovery.commands import FIRST, LegCommand, OpenVoice, UseVoice, VoiceFailed, VoiceOpened
from gateway.call.settings import CallSettings, FunctionRule, Target, Trouble
from gateway.phone.commands import PlayAudio, SendMark, StopPlayback
from gateway.phone.events import CallerAudio, MarkReturned
from gateway.voice.commands import (
    SayText,
    SeedMessage,
    SeedOutput,
)
from gateway.voice.events import (
    ReplyAudio,
    SessionReady,
    ToolCalled,
    VoiceClosed,
    VoiceEnd,
    VoiceEvent,
)
from tests.call.recovery.cut_service import (
    FAREWELL,
    FUNCTION_S,
    GREETING,
    HERE,
    OUTPUT,
    PHRASE,
    RESULT,
    SILENCE,
    TICK_S,
    Session,
)
from tests.story import STARTED, told

LATEST_S = 16.5
"""An uncut call takes about so long."""


class CutCall:
    """The call of one seed, from its start to its end."""

    def __init__(self, seed: int) -> None:
        chance = self._chance = random.Random(seed)
        self.transfers = chance.random() < 0.4
        self.transfer_fails = chance.random() < 0.3
        self.cut_at = chance.uniform(0.0, LATEST_S)
        self.refused = chance.random() < 0.2
        self.now = 0.0
        self.ids = itertools.count(1)
        self.log: list[tuple[object, ...]] = []
        self.texts: dict[str, str] = {}
        self.notes: list[tuple[float, notes.Note]] = []
        self.turns = self.functions = 0
        self.end: EndCall | None = None
        self.moment = ""
        self.audible: list[tuple[float, float]] = []
        """From when to when the phone plays something."""
        self.sessions = {FIRST: Session(self, FIRST)}
        self.opened_at = self.first_audio_at = None  # type: float | None
        self.due_at_ready = False
        self.known: list[object] = []
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._used = FIRST
        self._plays_until = 0.0
        self._saying = 0
        self._said_until = -10.0
        self._was_quiet_since = 0.0
        self.conversation = Conversation(
            STARTED,
            CallSettings(
                greeting=SayText(GREETING),
                trouble=Trouble(tries=6, phrase=lambda: PHRASE, seed=seed),
                functions={"look": FunctionRule()},
                built_in=frozenset({"end_call", "transfer_call"}),
                targets={"desk": Target("desk", "+14255550199", SayText(FAREWELL))},
            ),
            0.0,
        )

    # The world

    def later(self, after_s: float, do: Callable[[], None]) -> None:
        """Do something after a while."""
        heapq.heappush(self._queue, (self.now + after_s, next(self.ids), do))

    def hear(self, number: int, event: VoiceEvent) -> None:
        """Pass an event of a session on, as the runner does: that of the leg in use only."""
        if number == self._used and self.sessions[number].is_open:
            resumes = isinstance(event, ReplyAudio | ToolCalled) and self.opened_at is not None
            if resumes and self.first_audio_at is None:
                self.first_audio_at = self.now
            self._perform(self.conversation.handle(event, self.now))

    def run(self) -> None:
        """Run the call to its end."""
        self._perform(self.conversation.begin(0.0))
        self.later(0.3, lambda: self.hear(FIRST, SessionReady("s1", "m")))
        self.later(self.cut_at, self._cut)
        while self.end is None and self.now < 90.0:
            self._until(self.now + TICK_S)
            if self.end is None:
                self._perform(self.conversation.handle(CallerAudio(self._caller()), self.now))

    def _until(self, moment: float) -> None:
        while self.end is None:
            due = self.conversation.next_deadline()
            at = self._queue[0][0] if self._queue else math.inf
            step = min(due, at)
            if step > moment:
                break
            self.now = max(self.now, step)
            if at <= due:
                heapq.heappop(self._queue)[2]()
            else:
                self._perform(self.conversation.on_deadline(self.now))
        self.now = moment

    def _caller(self) -> bytes:
        """Speak the next turn once the bot has been silent for a second after the words that it answers."""
        if self.now < self._said_until:
            return bytes([self._saying]) * 160
        if self._plays_until > self.now:
            self._was_quiet_since = self.now
        texts = [self.texts.get(note.item_id, "") for _, note in self.notes if isinstance(note, notes.ReplyHeard)]
        answered = any(text in (RESULT, HERE) for text in texts)
        may = self.now - self._was_quiet_since > 1.0 and self.now - self._said_until > (1.0 if answered else 8.0)
        if may and self._saying == 0 and texts:
            self._saying = 1
        elif may and self._saying == 1 and RESULT in texts:
            self._saying = 2
        elif not (may and self._saying and self.now - self._was_quiet_since > 9.0):
            return SILENCE
        self._said_until = self.now + 1.5
        return bytes([self._saying]) * 160

    def _cut(self) -> None:
        session = self.sessions[self._used]
        if self.end is not None or not session.is_open:
            return
        self.moment = self._moment()
        self.log.append((round(self.now, 2), "cut", self.moment))
        session.is_open = False
        self._perform(self.conversation.handle(VoiceClosed(VoiceEnd.LOST, "cut", passes=True), self.now))

    def _moment(self) -> str:
        if self.now < self._said_until or self.conversation._bot.responses.caller_speaks:
            return "caller speaking"
        if not any(isinstance(note, notes.ReplyHeard) for _, note in self.notes):
            return "greeting"
        state = self.conversation.state.name.lower()
        if state in ("leaving", "transferring", "connecting"):
            return state
        if self.functions and not any(isinstance(note, notes.ToolReturned) for _, note in self.notes):
            return "tool running"
        if self.conversation._bot.responses.is_generating:
            return "generating"
        return "playing" if self._plays_until > self.now else "idle"

    # What the conversation asks for

    def _perform(self, asked: Commands) -> None:
        for change in asked.legs:
            self._change(change)
        for command in told(asked):
            if isinstance(command, PlayAudio | SendMark | StopPlayback):
                self._play(command)
            elif isinstance(command, RunFunction | TransferCaller):
                self._carry_out(command)
            elif isinstance(command, notes.Note):
                self.notes.append((self.now, command))
            elif isinstance(command, EndCall):
                self.end = command
            elif self.sessions[self._used].is_open:
                self.sessions[self._used].take(command)

    def _change(self, change: LegCommand) -> None:
        if isinstance(change, OpenVoice):
            self._open(change.leg)
        elif isinstance(change, UseVoice):
            self._used = change.leg
        else:
            self.sessions[change.leg].is_open = False

    def _play(self, command: PlayAudio | SendMark | StopPlayback) -> None:
        begins = max(self._plays_until, self.now)
        if isinstance(command, PlayAudio):
            self._plays_until = begins + len(command.audio) / 8000
            self.audible.append((begins, self._plays_until))
        elif isinstance(command, SendMark):
            self.later(begins - self.now, partial(self._mark, command.name))
        else:
            self._plays_until = self.now
            self.audible = [(a, min(b, self.now)) for a, b in self.audible if a < self.now]

    def _carry_out(self, errand: RunFunction | TransferCaller) -> None:
        if isinstance(errand, RunFunction):
            self.functions += 1
            self.later(FUNCTION_S, partial(self._returned, errand.call_id))
        else:
            ended = TransferEnded("busy" if self.transfer_fails else "")
            self.later(0.8, lambda: self._perform(self.conversation.handle(ended, self.now)))

    def _mark(self, name: str) -> None:
        self._perform(self.conversation.handle(MarkReturned(name), self.now))

    def _returned(self, call_id: str) -> None:
        self._perform(self.conversation.handle(FunctionReturned(call_id, OUTPUT), self.now))

    def _open(self, leg: int) -> None:
        self.sessions[leg] = Session(self, leg)
        delay_s = self._chance.uniform(0.05, 0.6)
        if self.refused and leg == FIRST + 1:
            failed = VoiceFailed(leg, VoiceClosed(VoiceEnd.REFUSED, "429"))
            self.later(delay_s, lambda: self._perform(self.conversation.handle(failed, self.now)))
        else:
            self.later(delay_s, lambda: self._ready(leg))

    def _ready(self, leg: int) -> None:
        if self.end is not None or not self.sessions[leg].is_open:
            return
        self.due_at_ready = not self.conversation._bot.responses.idle
        self.opened_at = self.now
        self.log.append((round(self.now, 2), "ready", leg))
        self.known = self._known()
        ready = VoiceOpened(leg, SessionReady(f"s{leg}", "m"))
        self._perform(self.conversation.handle(ready, self.now))

    # What must hold

    def _known(self) -> list[object]:
        """The items that the next session must get: the caller's words, and a function's result."""
        said = [note for _, note in self.notes if isinstance(note, notes.CallerSaid)]
        known: list[object] = [SeedMessage("user", note.text) for note in said]
        returned = [note for _, note in self.notes if isinstance(note, notes.ToolReturned) and note.tool == "look"]
        return [*known, *(SeedOutput(note.call_id, OUTPUT) for note in returned)]

    def heard(self) -> Sequence[str]:
        """The texts of which the caller heard something, in order."""
        over = [note for _, note in self.notes if isinstance(note, notes.ReplyHeard)]
        return [self.texts[note.item_id] for note in over if note.heard_ms >= 100 and note.item_id in self.texts]

    def longest_silence_s(self) -> float:
        """The longest time without a sound from the cut until another session was there."""
        lost = [at for at, note in self.notes if isinstance(note, notes.SessionLost)]
        back = [at for at, note in self.notes if isinstance(note, notes.SessionRecovered)]
        if not lost or not back:
            return 0.0
        silent_since, longest = lost[-1], 0.0
        for begins, ends in [*sorted(self.audible), (back[0], back[0])]:
            begins = min(begins, back[0])  # noqa: PLW2901 -- what comes later is not of this silence
            if ends > lost[-1]:
                longest = max(longest, begins - silent_since)
                silent_since = max(silent_since, ends)
        return longest


def main(seed: int) -> None:
    """Tell what happened in the call of a seed."""
    call = CutCall(seed)
    call.run()
    for at, note in call.notes:
        call.log.append((round(at, 2), note))
    for line in sorted(call.log, key=lambda line: float(str(line[0]))):
        print(*line)  # noqa: T201 -- a program
    print(call.moment, call.end, call.heard(), call.longest_silence_s())  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]))

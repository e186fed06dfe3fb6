"""A call told as a story: ``>>`` an event, ``<<`` the commands it leads to, on a clock that the story sets.

The commands of a moment are told leg by leg: changes of the voice leg, those to the phone, those to the service,
errands, the end of the call.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from gateway.audio.formats import PCMU
from gateway.call import notes
from gateway.call.barge_in.listening import conversation_for
from gateway.call.conversation import Conversation
from gateway.call.ending import ENDED_BY, EndCall
from gateway.call.messages import Command, Commands, Event
from gateway.call.notes import Note
from gateway.call.settings import CallSettings
from gateway.call.state import State
from gateway.phone.commands import PlayAudio, SendMark, StopPlayback
from gateway.phone.events import CallerAudio, CallStarted, MarkReturned, Playout
from gateway.voice.commands import CreateResponse, SayText, SeedItem, SendAudio, TruncateReply
from gateway.voice.events import (
    CallerPaused,
    CallerSpoke,
    ReplyAudio,
    ReplyComplete,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    SessionReady,
    ToolCalled,
    TurnCommitted,
)
from tests.notes import check_note

AnyNote = TypeVar("AnyNote", bound=Note)
SILENCE = b"\xff" * 160
SPEECH = b"\x01" * 160
READY = SessionReady("sess_1", "gpt-realtime")
STARTED = CallStarted("CA1", "MZ1", PCMU, Playout(), caller="+14155550100", called="+14255550100")


MOST_AT_ONCE = 20
"""Most deadlines at one moment; a deadline that is due more often than that is never met."""


def told(commands: Commands) -> list[Command]:
    """All commands in one list, notes before the end."""
    end = [commands.end] if commands.end is not None else []
    return [*commands.legs, *commands.phone, *commands.voice, *commands.errands, *commands.notes, *end]


def meet(conversation: Conversation, now: float) -> list[Command]:
    """Carry out whatever is due by ``now``; a deadline that stays in the past, and so keeps a processor busy, fails."""
    commands: list[Command] = []
    for _ in range(MOST_AT_ONCE):
        done = told(conversation.on_deadline(now))
        commands += done
        due = conversation.next_deadline()
        if due > now:
            return commands
        assert done, f"nothing was done about a deadline that is {now - due:g} s old"
    raise AssertionError(f"something is due again and again: {commands[-MOST_AT_ONCE:]}")


def check(command: Command) -> None:
    """Fail where a command is not as its type says, and nobody could carry it out."""
    if isinstance(command, Note):
        check_note(command)
        return
    if isinstance(command, PlayAudio | SendAudio | SendMark):  # of which there are many, and each is used at once
        return
    if isinstance(command, EndCall):
        assert command.by == ENDED_BY[command.reason], command
    fields = {name: getattr(command, name) for name in command.__struct_fields__}
    msgspec.convert(fields, type(command), builtin_types=(bytes,), str_keys=False)


class Story:
    """Drives a conversation by hand. Notes are kept apart from what goes to the legs."""

    def __init__(
        self, settings: CallSettings | None = None, *, ready: bool = True, started: CallStarted = STARTED
    ) -> None:
        self.now = 1000.0
        self.conversation = conversation_for(started, settings or CallSettings(), self.now)
        self.notes: list[Note] = []
        self.played = 0
        self.marks: list[tuple[str, float]] = []
        self.requests: list[str] = []
        """The ids of the requests to the service; commands are returned without them."""
        self._plays_until = 0.0
        self.begun = self._sort(told(self.conversation.begin(self.now)))
        """The commands of the conversation before any event."""
        if ready:
            self.tell(READY)

    def tell(self, event: Event) -> list[Command]:
        """``>>`` an event; returns the commands to the legs, the end of the call included."""
        return self._sort(told(self.conversation.handle(event, self.now)))

    def seed(self, limit_chars: int) -> list[SeedItem]:
        """Return what a new session would be given now."""
        return self.conversation._parts.seed(limit_chars)

    def wait(self, seconds: float) -> list[Command]:
        """Let time pass, meeting every deadline on the way."""
        until = self.now + seconds
        commands: list[Command] = []
        while (due := self.conversation.next_deadline()) <= until:
            self.now = max(self.now, due)
            commands += self._sort(meet(self.conversation, self.now))
        self.now = max(self.now, until)
        return commands

    def return_marks(self) -> list[Command]:
        """Return the marks of the audio that the phone has played by now."""
        due = [name for name, at in self.marks if at <= self.now]
        self.marks = [(name, at) for name, at in self.marks if at > self.now]
        return [command for name in due for command in self.tell(MarkReturned(name))]

    def listen(self, seconds: float) -> list[Command]:
        """Let time pass with a phone that sends silence and returns its marks; what is asked besides playing audio."""
        return self._listen(seconds, self.return_marks)

    def listen_without_marks(self, seconds: float) -> list[Command]:
        """Let time pass as ``listen`` does, with a phone that returns no marks."""
        return self._listen(seconds, list)

    def _listen(self, seconds: float, return_marks: Callable[[], list[Command]]) -> list[Command]:
        commands: list[Command] = []
        for _ in range(round(seconds * 10)):
            self.tell(CallerAudio(SILENCE))
            commands += self.wait(0.1)
            commands += return_marks()
        return [command for command in commands if not isinstance(command, PlayAudio | SendMark)]

    def answer(self, *, seconds: int = 1, response: str = "r", item: str = "i", request: str = "") -> list[Command]:
        """The service speaks a whole response; what is asked besides playing it."""
        commands = self.tell(ResponseStarted(response, request))
        commands += self.tell(ReplyAudio(response, item, b"\x10" * 8000 * seconds))
        commands += self.tell(ReplyComplete(response, item))
        commands += self.tell(ResponseEnded(response, ResponseStatus.COMPLETED))
        return [command for command in commands if not isinstance(command, PlayAudio | SendMark)]

    def call(self, name: str, arguments: str = "{}", *, call_id: str = "call_1", response: str = "r") -> list[Command]:
        """Let the model call a tool, and nothing else, in a response of its own."""
        commands = self.tell(ResponseStarted(response))
        commands += self.tell(ToolCalled(response, call_id, name, arguments))
        return commands + self.tell(ResponseEnded(response, ResponseStatus.COMPLETED))

    def goes_on(self, seconds: float = 120.0, *, interruptible: bool = True) -> None:
        """Fail on any later effect of the past, for two minutes of silence and a turn that follows.

        The turn is heard, and answered by the service; the wait for it is noted, and its answer can be interrupted.
        """
        assert self.listen(seconds) == []
        assert self.conversation.state is State.TALKING
        assert self.tell(CallerAudio(SPEECH)) == [SendAudio(SPEECH)]
        assert self.tell(CallerSpoke("next turn")) == []
        self.wait(1.0)
        assert self.tell(CallerPaused("next turn")) + self.tell(TurnCommitted("next turn")) == []
        self.wait(0.7)
        assert self.answer(response="next", item="next reply", seconds=3) == []
        assert self.noted(notes.ReplyStarted)[-1] == notes.ReplyStarted("next reply", 700)
        assert self.listen(1.0) == []
        stopped = self.tell(CallerSpoke("turn after"))
        assert [type(command) for command in stopped] == ([StopPlayback, TruncateReply] if interruptible else [])
        self.wait(0.5)
        assert self.tell(CallerPaused("turn after")) + self.tell(TurnCommitted("turn after")) == []
        assert self.answer(response="last", item="last reply") == []
        assert self.listen(seconds) == []

    def noted(self, kind: type[AnyNote]) -> list[AnyNote]:
        """All notes of a kind."""
        return [note for note in self.notes if isinstance(note, kind)]

    def _sort(self, commands: Sequence[Command]) -> list[Command]:
        shown: list[Command] = []
        for command in commands:
            check(command)
            if isinstance(command, Note):
                self.notes.append(command)
                continue
            if isinstance(command, PlayAudio):
                self.played += len(command.audio)
                self._plays_until = max(self._plays_until, self.now) + len(command.audio) / 8000
            elif isinstance(command, SendMark):
                self.marks.append((command.name, max(self._plays_until, self.now)))
            elif isinstance(command, StopPlayback):
                self._plays_until = self.now
            elif isinstance(command, CreateResponse | SayText):
                self.requests.append(command.request_id)
                command = replace(command, request_id="")  # noqa: PLW2901 -- told as the line wrote it
            shown.append(command)
        return shown

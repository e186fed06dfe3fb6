"""The voice legs of one call, as the runner holds them: one is in use, others are opened ahead or being closed."""

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Protocol, assert_never

from gateway.call.recovery.commands import FIRST, CloseVoice, LegCommand, OpenVoice, UseVoice, VoiceFailed, VoiceOpened
from gateway.voice.commands import VoiceCommand
from gateway.voice.events import SessionReady, VoiceClosed, VoiceEvent

NONE = 0
"""The number of no leg."""


class Voice(Protocol):
    """The voice leg as a call sees it."""

    async def run(self, tell: Callable[[VoiceEvent], None]) -> None:
        """Pass every event to ``tell`` as it arrives, the closing event last; raise what ``tell`` raises."""

    def send(self, command: VoiceCommand) -> None:
        """Carry out at once; ``OutboxFullError`` where the peer does not read."""

    def send_audio(self, audio: bytes) -> None:
        """Do as ``send`` with ``SendAudio``, which comes fifty times a second."""

    async def close(self) -> None:
        """End the leg, in any state."""

    def again(self, conversation_id: str) -> "Voice":
        """Return a leg of the same kind that has not begun; its agent goes on with ``conversation_id``, if given."""


class Running(Protocol):
    """The task of a leg that runs."""

    def cancel(self) -> object:
        """Stop it."""


class VoiceLegs:
    """The voice legs of one call, by number.

    ``tell`` gets the events of the leg in use as they are. Of any other leg it gets that it is ready or has ended, and
    nothing once it was closed: a late event of a session that was replaced never reaches the conversation.
    ``start`` runs a coroutine as a task of the call; ``close`` ends a leg, within a limit.
    """

    def __init__(
        self,
        first: Voice,
        tell: Callable[[VoiceEvent | VoiceOpened | VoiceFailed], None],
        start: Callable[[Coroutine[Any, Any, None]], Running],
        close: Callable[[Voice, Running], Coroutine[Any, Any, None]],
    ) -> None:
        self.in_use: Voice = first
        self._number = FIRST
        self._legs: dict[int, Voice] = {FIRST: first}
        self._running: dict[int, Running] = {}
        self._first = first
        self._tell = tell
        self._start = start
        self._close = close

    def begin(self) -> None:
        """Run the first leg."""
        self._run(FIRST)

    @property
    def open(self) -> Sequence[tuple[Voice, Running | None]]:
        """All legs that were not closed, each with its task."""
        return tuple((leg, self._running.get(number)) for number, leg in self._legs.items())

    def perform(self, command: LegCommand) -> None:
        """Open, use or close a leg."""
        match command:
            case OpenVoice(leg=number, conversation_id=conversation_id):
                self._legs[number] = self._first.again(conversation_id)
                self._run(number)
            case UseVoice(leg=number):
                self.in_use, self._number = self._legs[number], number
            case CloseVoice(leg=number):
                self._drop(number)
            case _:
                assert_never(command)

    def _run(self, number: int) -> None:
        self._running[number] = self._start(self._legs[number].run(partial(self._on_event, number)))

    def _drop(self, number: int) -> None:
        leg = self._legs.pop(number, None)
        if number == self._number:
            self.in_use, self._number = _NoLeg(), NONE
        if leg is not None:
            self._start(self._close(leg, self._running.pop(number)))

    def _on_event(self, number: int, event: VoiceEvent) -> None:
        if number == self._number:
            self._tell(event)
        elif number in self._legs:
            if type(event) is SessionReady:
                self._tell(VoiceOpened(number, event))
            elif type(event) is VoiceClosed:
                self._tell(VoiceFailed(number, event))


class _NoLeg:
    """Stands for the leg in use while there is none: what is sent is lost, and the history of the call keeps it."""

    async def run(self, tell: Callable[[VoiceEvent], None]) -> None:
        """End at once."""

    def send(self, command: VoiceCommand) -> None:
        """Let the command go."""

    def send_audio(self, audio: bytes) -> None:
        """Let the audio go."""

    async def close(self) -> None:
        """Do nothing: nothing is open."""

    def again(self, conversation_id: str) -> Voice:
        """Return itself."""
        return self

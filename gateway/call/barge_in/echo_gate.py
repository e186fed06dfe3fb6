"""The echo gate: speech that is an echo of the bot is not taken for the caller's. Pure."""

from collections.abc import Sequence

from gateway.call.barge_in.hearing import Hearing
from gateway.call.notes import SpeechIgnored
from gateway.voice.commands import DeleteItem

CHECK_S = 0.2
"""The time after which speech that was an echo is compared anew: the caller may speak meanwhile."""
ANSWER_LIMIT_S = 5.0
"""The service begins its answer to an echo within this time, or never."""


class EchoGate:
    """Decides which speech of the service's reports is an echo, and follows it until it is over.

    An echo is no turn of the caller: its item is deleted, and the service's own answer to it is not wanted.
    Times are in seconds.
    """

    def __init__(self, hearing: Hearing) -> None:
        self._hearing = hearing
        self._item_id: str | None = None
        """The speech that goes on, and is an echo so far."""
        self._check_at = 0.0
        self._echoes: set[str] = set()
        self._committed: list[tuple[str, float]] = []
        """The echoes that became turns, each with the time by which the service has begun its answer, if it does."""

    def begin(self, item_id: str, now: float) -> bool:
        """Note that the service reports speech; return ``True`` if it is an echo."""
        self._item_id = None
        if not self._hearing.is_echo():
            return False
        self._item_id = item_id
        self._echoes.add(item_id)
        self._check_at = now + CHECK_S
        return True

    def is_echo(self, item_id: str) -> bool:
        """Return ``True`` if this turn is an echo."""
        return item_id in self._echoes

    def paused(self, item_id: str) -> Sequence[SpeechIgnored]:
        """Note that an echo is over."""
        if item_id != self._item_id:
            return ()
        self._item_id = None
        return (SpeechIgnored(item_id, "echo"),)

    def committed(self, item_id: str, now: float) -> None:
        """Note that an echo became a turn of the conversation, which the service answers."""
        self._committed.append((item_id, now + ANSWER_LIMIT_S))

    def turn_over(self) -> Sequence[DeleteItem]:
        """Note a turn of the caller: from here on the service answers that, and the echoes before it can be deleted."""
        committed, self._committed = self._committed, []
        return [DeleteItem(item_id) for item_id, _ in committed]

    def answered(self, now: float) -> Sequence[DeleteItem]:
        """Note a response that the service begins by itself; return the echo that it answers, which can be deleted now.

        A text model has a turn in its conversation only once that is transcribed; its answer comes after that.
        """
        due = [(item_id, by) for item_id, by in self._committed if by > now]
        if not due:
            return ()
        self._committed.remove(due[0])
        return (DeleteItem(due[0][0]),)

    def next_deadline(self) -> float | None:
        """Return when ``on_deadline`` is due; ``None`` if no echo goes on."""
        return None if self._item_id is None else self._check_at

    def on_deadline(self, now: float) -> str | None:
        """Compare an echo that goes on anew; return its item if the caller speaks in it now."""
        item_id = self._item_id
        if item_id is None or now < self._check_at:
            return None
        self._check_at = now + CHECK_S
        if not self._hearing.is_loud() or self._hearing.is_echo():
            return None
        self._item_id = None
        self._echoes.discard(item_id)
        return item_id

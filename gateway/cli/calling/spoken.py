"""Finds when the words of a call were spoken: the words come from the gateway, the times from the phone."""

from collections.abc import Sequence

from gateway.call import notes
from gateway.call.notes import Note
from gateway.sim.caller.call import Progress
from gateway.sim.caller.recording import Span

SENTENCE_GAP_MS = 500
"""A pause of the caller of this length may end a turn; what follows is shown with its own time."""


class SpokenTimes:
    """Joins the gateway's notes and the phone's events of a call; all times are seconds from its start.

    A transcript comes after the words, and a reply's text before the reply is heard. Each is therefore shown with the
    time at which its speech began. A pure object: it takes events, and returns what can be shown.
    """

    def __init__(self) -> None:
        self._sentences: list[float] = []
        """The start of each stretch of the caller's speech."""
        self._paused_at: float | None = None
        self._caller_speaks = False
        self._begun: dict[str, float] = {}
        self._waiting: list[str] = []
        """Replies that have begun to arrive and have not been heard yet."""
        self._texts: dict[str, str] = {}
        self._lines: list[tuple[float, str]] = []
        self._bot_plays = False

    def progress(self, step: Progress) -> None:
        """Take an event of the phone."""
        at_s = step.at_ms / 1000
        match step.kind:
            case "caller_started":
                self._caller_speaks = True
                self._sentences += [begin / 1000 for begin in _sentences(step.speech)] or [at_s]
            case "caller_stopped":
                self._caller_speaks = False
            case "bot_started":
                self._bot_plays = True
                self._next_is_heard(at_s)
            case "bot_stopped" | "bot_cleared":
                self._bot_plays = False

    def note(self, note: Note, at_s: float) -> None:
        """Take a note of the gateway."""
        match note:
            case notes.CallerPaused():
                self._paused_at = at_s
            case notes.ReplyStarted(item_id=item_id):
                self._waiting.append(item_id)
            case notes.ReplyHeard(item_id=item_id) if item_id in self._waiting:
                self._waiting.remove(item_id)  # it was stopped before its first sound
            case notes.ReplyHeard(heard_ms=heard_ms, received_ms=received_ms) if heard_ms == received_ms:
                if self._bot_plays:
                    self._next_is_heard(at_s)

    def reply_said(self, item_id: str, text: str, at_s: float) -> None:
        """Take the text of a reply."""
        if item_id in self._begun:
            self._lines.append((self._begun[item_id], text))
        elif item_id in self._waiting:
            self._texts[item_id] = text
        else:
            self._lines.append((at_s, text))

    def replies(self) -> list[tuple[float, str]]:
        """Return the bot's texts that have been heard since the last call of this method, each with its start."""
        lines, self._lines = self._lines, []
        return lines

    def unheard(self) -> list[str]:
        """Return the texts of replies that were never heard."""
        return list(self._texts.values())

    def caller_at(self, now_s: float) -> float:
        """Return when the caller began to say the words of the latest transcript."""
        until = now_s if self._paused_at is None else self._paused_at
        return next((begin for begin in reversed(self._sentences) if begin < until), now_s)

    def interrupted_at(self, now_s: float) -> float:
        """Return when the caller, who is heard now, began to speak; ``now`` if the caller is silent."""
        begun = [begin for begin in self._sentences if begin <= now_s]
        return begun[-1] if self._caller_speaks and begun else now_s

    def _next_is_heard(self, at_s: float) -> None:
        if self._waiting:
            item_id = self._waiting.pop(0)
            self._begun[item_id] = at_s
            if item_id in self._texts:
                self._lines.append((at_s, self._texts.pop(item_id)))


def _sentences(speech: Sequence[Span]) -> list[int]:
    """Return the start of each stretch of speech; short pauses do not end one."""
    begins: list[int] = []
    end_ms: int | None = None
    for span in speech:
        if end_ms is None or span.start_ms - end_ms >= SENTENCE_GAP_MS:
            begins.append(span.start_ms)
        end_ms = span.end_ms
    return begins

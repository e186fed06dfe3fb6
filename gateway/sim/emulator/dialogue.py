"""The position of one session in its script."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from gateway.sim.emulator.record import Event
from gateway.sim.emulator.script import Answer, Script, Transcription
from gateway.sim.emulator.settings.tool_choice import choose_tool

_EXACTLY = re.compile(
    r"[^\n]*\b(?:exactly|word for word|verbatim)\b[^\n]*:\s*(?P<words>\S.*)", re.IGNORECASE | re.DOTALL
)


def exact_words(instructions: str | None) -> str | None:
    """Return the words that a response's instructions want said exactly; ``None`` where they want something else.

    That is all of instructions which a script can follow. The words come behind a colon in the first line.
    """
    found = _EXACTLY.match(instructions or "")
    return found["words"].strip() if found else None


@dataclass(frozen=True)
class _Position:
    """The position on which the next answer depends."""

    started: bool = False
    unanswered: Answer | None = None
    called: Answer | None = None
    """The last answer that made calls, until what follows on them was asked for; the caller may speak meanwhile."""
    came: Literal["output", "denial"] | None = None


class Dialogue:
    """A session's dialogue: what was said so far, and what comes next."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._turns_taken = 0
        self.transcription: Transcription = script.transcription
        """The outcome of the transcription of the last turn that was taken."""
        self._at = _Position()
        self._before: tuple[Answer, _Position] | None = None
        """The last answer and the position that it was for, while nothing has happened since."""

    @property
    def next_is_filler(self) -> bool:
        """True if the next turn of the script is a filler word."""
        return self._script.turns[self._next()].filler

    def filler_ignored(self) -> None:
        """Take a filler word that counts as no turn: nothing is answered."""
        self._turns_taken += 1

    def _next(self) -> int:
        turns, index = self._script.turns, self._turns_taken
        if index < len(turns):
            return index
        return index % len(turns) if self._script.at_the_end == "repeat" else len(turns) - 1

    def turn_taken(self, speech_ms: int) -> str:
        """Take a turn of the caller, or a typed message; return what was understood."""
        turns = self._script.turns
        index = self._next()
        self._turns_taken += 1
        self._move(replace(self._at, started=True, unanswered=turns[index], came=None))
        self.transcription = turns[index].transcription or self._script.transcription
        return turns[index].heard or f"({speech_ms / 1000:.1f} s of speech)"

    def announced(self, text: str) -> Answer:
        """Take the words that the client wants said, and return them as an answer."""
        self._move(replace(self._at, started=True))
        return Answer(say=text)

    def output_came(self) -> None:
        """Take the output of a function, or of an MCP server's tool."""
        self._move(replace(self._at, came="output"))

    def denied(self) -> None:
        """Note that the client did not approve of a call."""
        self._move(replace(self._at, came="denial"))

    def answer(self, choice: str | Event, tools: Sequence[Event], instructions: str | None = None) -> Answer:
        """Choose what the next response consists of, under a ``tool_choice``, these tools and its own instructions.

        Words that are to be said exactly are, once the greeting was said, which is the script's in any case.
        """
        if self._at.started and (words := exact_words(instructions)) is not None:
            return self.announced(words)
        before = self._at
        after = replace(before, started=True)
        if before.came is not None:
            after = replace(after, came=None, called=None)
            answer = self._following(before)
            choice = "auto"  # else a forced call would be answered with the same call for ever
        elif before.unanswered is not None:
            after = replace(after, unanswered=None)
            answer = before.unanswered
        else:
            asked_back = self._script.instructed if instructions else self._script.unprompted
            answer = Answer(say=asked_back if before.started else self._script.greeting)
        answer = choose_tool(answer, choice, tools)
        self._move(replace(after, called=answer) if answer.makes_calls else after)
        self._before = answer, before
        return answer

    def _following(self, at: _Position) -> Answer:
        """Choose what is said about the outcome of a call."""
        script, called = self._script, at.called
        if at.came == "denial":
            return (called and called.denied_answer) or Answer(say=script.default_after_denial)
        return (called and called.next_answer) or Answer(say=script.default_after_call)

    def unsaid(self, answer: Answer) -> None:
        """Put back an answer of which nothing was said: it is the next one, unless the conversation has gone on."""
        if self._before is not None and self._before[0] is answer:
            self._move(self._before[1])

    def _move(self, to: _Position) -> None:
        self._at = to
        self._before = None

"""Where one session stands in its script."""

from collections.abc import Sequence

from gateway.sim.emulator.record import Event
from gateway.sim.emulator.script import Answer, Script
from gateway.sim.emulator.toolchoice import choose_tool


class Dialogue:
    """What was heard so far, and what comes next."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._turns_heard = 0
        self._started = False
        self._unanswered: Answer | None = None
        self._after_call: Answer | None = None
        self._outputs_came = False

    def heard(self, speech_ms: int) -> str:
        """The caller (or a typed message) took a turn: what was understood."""
        turns = self._script.turns
        index = self._turns_heard
        if index >= len(turns):
            index = index % len(turns) if self._script.at_the_end == "repeat" else len(turns) - 1
        self._turns_heard += 1
        self._started = True
        self._unanswered = turns[index]
        self._outputs_came = False
        return turns[index].heard or f"({speech_ms / 1000:.1f} s of speech)"

    def announced(self, text: str) -> Answer:
        """The client said what to say, word for word."""
        self._started = True
        return Answer(say=text)

    def output_came(self) -> None:
        """A function's output is there."""
        self._outputs_came = True

    def answer(self, choice: str | Event, tools: Sequence[Event]) -> Answer:
        """What the next response consists of, under a ``tool_choice`` and these tools."""
        first = not self._started
        self._started = True
        if self._outputs_came:
            self._outputs_came = False
            answer = self._after_call or Answer(say=self._script.default_after_call)
            choice = "auto"  # else a forced call would be answered with the same call for ever
        elif self._unanswered is not None:
            answer, self._unanswered = self._unanswered, None
        else:
            answer = Answer(say=self._script.greeting if first else self._script.unprompted)
        answer = choose_tool(answer, choice, tools)
        self._after_call = answer.next_answer
        return answer

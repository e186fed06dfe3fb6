"""A call as plain text, to be copied. Pure."""

from collections.abc import Sequence

from gateway.report.actions import Happening
from gateway.report.turns import Turn

_WHO = {"tool": "Tool", "key": "Keys", "call": "Call"}


def clock_text(milliseconds: float) -> str:
    """Write a time, such as ``1:02.4``."""
    tenths = round(milliseconds / 100)
    return f"{tenths // 600}:{tenths // 10 % 60:02}.{tenths % 10}"


def transcript(turns: Sequence[Turn], happenings: Sequence[Happening]) -> str:
    """Return a line for each thing that was said or done, in the order of time; unheard words in brackets."""
    lines = [(turn.start_ms, f"{turn.speaker.capitalize()}: {_words(turn)}") for turn in turns]
    lines += [(happening.at_ms, f"{_WHO[happening.who]}: {happening.text}") for happening in happenings]
    return "\n".join(f"{clock_text(at_ms)}  {text}" for at_ms, text in sorted(lines, key=lambda line: line[0]))


def _words(turn: Turn) -> str:
    if not (turn.text or turn.unheard):
        return turn.recording or f"spoke for {(turn.end_ms - turn.start_ms) / 1000:.2f} s"
    return f"{turn.text} [not heard: {turn.unheard}]".strip() if turn.unheard else turn.text

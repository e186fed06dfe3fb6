"""An explanation as text for a terminal. Pure."""

import textwrap
from collections.abc import Iterator, Sequence

from gateway.report.explanation import Explanation, Finding
from gateway.text import one_line

WIDTH = 100
_INDENT = "     "


def as_text(explanation: Explanation, width: int = WIDTH) -> str:
    """Return the page; nothing in it controls a terminal."""
    return "\n".join(line.rstrip() for line in _lines(explanation, max(width, 40))) + "\n"


def _lines(explanation: Explanation, width: int) -> Iterator[str]:
    yield from _wrapped(f"{explanation.ended}.", width, "")
    yield ""
    yield from _pairs(explanation.about, width)
    if explanation.unknown:
        yield ""
        yield "Not known"
        for text in explanation.unknown:
            yield from _wrapped(text, width, "  ")
    yield ""
    if explanation.findings:
        yield "Findings, the likeliest first"
        for number, finding in enumerate(explanation.findings, 1):
            yield from _finding(number, finding, width)
    else:
        yield "Findings: none. Nothing in the record explains a bad call."
    if explanation.silences:
        yield ""
        yield "Silences over 2 s"
        for one in explanation.silences:
            parts = "; ".join(f"{_seconds(lasted)} {why}" for why, lasted in one.parts[1:] if lasted >= 100)
            also = f" (also {parts})" if parts else ""
            text = f"{clock(one.start_ms)}  {_seconds(one.length_ms):>7}  {one.whose:<9} {one.why}{also}"
            yield from _wrapped(text, width, "  ", "  " + " " * 27)
    if explanation.interruptions:
        yield ""
        yield "Interruptions"
        for cut in explanation.interruptions:
            spoke = f", {_seconds(cut.speech_ms)} of speech" if cut.speech_ms is not None else ""
            unheard = f", {_seconds(cut.unheard_ms)} of the bot unheard" if cut.unheard_ms else ""
            text = f"{clock(cut.at_ms)}  {cut.kind:<8} {cut.evidence}{spoke}{unheard}"
            yield from _wrapped(text, width, "  ", "  " + " " * 17)
    yield ""
    yield "Figures"
    yield from _pairs(explanation.figures, width)


def _finding(number: int, finding: Finding, width: int) -> Iterator[str]:
    where = ", ".join(clock(at) for at in finding.at_ms[:5]) + (", …" if len(finding.at_ms) > 5 else "")
    yield from _wrapped(f"{number:>3}. {finding.title}", width, "", _INDENT)
    if finding.detail:
        yield from _wrapped(finding.detail, width, _INDENT)
    if where:
        yield f"{_INDENT}at {where}"
    yield from _wrapped(finding.advice, width, _INDENT)
    yield from _wrapped(f"settings: {', '.join(finding.settings)} · {finding.page}", width, _INDENT)


def _pairs(pairs: Sequence[tuple[str, str]], width: int) -> Iterator[str]:
    longest = max((len(one_line(name)) for name, _ in pairs), default=0)
    for name, value in pairs:
        yield from _wrapped(f"{one_line(name):<{longest}}  {value}", width, "  ", "  " + " " * (longest + 2))


def _wrapped(text: str, width: int, first: str, further: str | None = None) -> list[str]:
    return textwrap.wrap(
        one_line(text),
        width,
        initial_indent=first,
        subsequent_indent=first if further is None else further,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


def clock(milliseconds: float) -> str:
    """Write a time of the call, such as ``1:02.4``."""
    tenths = round(milliseconds / 100)
    return f"{tenths // 600}:{tenths // 10 % 60:02}.{tenths % 10}"


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.1f} s"

"""Judges a simulated call: the expectations it must meet, and every complaint about it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.call.ending import EndReason
from gateway.call.notes import CallEnded
from gateway.cli.calling.own_gateway import CalledGateway
from gateway.errors import InputError
from gateway.sim.caller.call import CallResult
from gateway.sim.providers import PROVIDERS
from gateway.sim.report.dialogue import dialogue

NORMAL = 1000
TURNED_AWAY = {
    1008: "it knows no line for that number, or refuses the stream",
    1011: "it failed",
    1013: "it takes no more calls now",
}
"""Meanings of the codes with which a gateway elsewhere closes a stream (RFC 6455, 7.4.1)."""
FINE = frozenset(
    {
        EndReason.CALLER_HUNG_UP,
        EndReason.BOT_HUNG_UP,
        EndReason.TRANSFERRED,
        EndReason.LINE_CLOSED,
        EndReason.SILENCE,
        EndReason.TIME_LIMIT,
    }
)
FINE_UNHEARD = frozenset({EndReason.TRANSFERRED, EndReason.LINE_CLOSED})
"""Ends that a line may be configured to reach without a word of the bot."""


@dataclass(frozen=True)
class Expected:
    """The user's expectations: texts that the bot must be heard to say, and the longest wait for an answer."""

    texts: Sequence[str] = ()
    max_answer_ms: int | None = None

    def __post_init__(self) -> None:
        if self.max_answer_ms is not None and self.max_answer_ms < 0:
            raise InputError(f"--max-answer-ms: {self.max_answer_ms} is negative, expected milliseconds from 0")
        if not all(text.strip() for text in self.texts):
            raise InputError("--expect: there is no text, expected words that the bot says")


def complaints(result: CallResult, stream: CalledGateway, expected: Expected) -> list[str]:
    """Return what went wrong with the call itself and with its connections, and which expectations it did not meet."""
    title = PROVIDERS[result.plan.provider].title
    found = [f"{title} would warn: {violation.code} {violation.what}" for violation in result.violations]
    found += [*_end(result, stream), *_silence(result, stream)]
    if stream.emulator is not None:
        found += [f"Voice Live would object: {v}" for session in stream.emulator.sessions for v in session.violations]
    return [*found, *_unmet(result, stream, expected)]


def _end(result: CallResult, stream: CalledGateway) -> Iterator[str]:
    """Yield a complaint about an unwanted end, with the gateway's own reason if the gateway is ours."""
    if result.failure:
        yield result.failure
    unwanted = [f"the call ended by {end.reason}: {end.detail}" for end in _ends(stream) if end.reason not in FINE]
    if not unwanted and result.ended_by == "gateway" and result.close_code != NORMAL:
        meaning = TURNED_AWAY.get(result.close_code or 0, "expected 1000")
        reasons = "; ".join(stream.refusals) or meaning
        yield f"{result.end_reason} with {result.close_code}: {reasons}"
    elif not stream.ended.is_set():
        yield "the gateway did not tell how the call ended: it never took it, or still holds it"
        yield from stream.refusals
    else:
        yield from (*unwanted, *stream.refusals)


def _silence(result: CallResult, stream: CalledGateway) -> Iterator[str]:
    """Yield a complaint if the bot was never heard and nothing shows that this was intended."""
    if result.last_audible_ms is not None or any(end.reason in FINE_UNHEARD for end in _ends(stream)):
        return
    if result.ended_by == "gateway" and not result.spoken and not result.keys_ms:
        yield f"the gateway closed the stream at once, after {result.duration_ms / 1000:.1f} s"
    yield "the bot never spoke"


def _unmet(result: CallResult, stream: CalledGateway, expected: Expected) -> Iterator[str]:
    heard = [_plain(turn.text) for turn in dialogue(result, stream.timeline()) if turn.speaker == "bot"]
    for text in expected.texts:
        if not any(_plain(text) in words for words in heard):
            yield f"--expect: the bot was not heard to say {text!r}"
    limit_ms = expected.max_answer_ms
    if limit_ms is None:
        return
    answers = result.measures.latencies
    for answer in answers:
        if answer.ms > limit_ms:
            yield f"--max-answer-ms: answered after {answer.ms} ms at {answer.at_ms / 1000:.1f} s, expected {limit_ms}"
    if not answers:
        yield "--max-answer-ms: the bot answered nothing that the caller said"


def _ends(stream: CalledGateway) -> list[CallEnded]:
    return [note.note for note in stream.notes if isinstance(note.note, CallEnded)]


def _plain(text: str) -> str:
    """Return a text in the form in which it is compared: in lower case, with single spaces."""
    return " ".join(text.casefold().split())

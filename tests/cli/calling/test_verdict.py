"""Whether a call went well."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway.call import notes
from gateway.call.ending import EndReason
from gateway.call.record import TimedNote
from gateway.cli.calling.own_gateway import CalledGateway
from gateway.cli.calling.verdict import Expected, complaints
from gateway.errors import InputError
from gateway.report.turns import Latency
from gateway.sim.caller.call import CallPlan, CallResult
from gateway.sim.caller.measures import Measures
from gateway.sim.caller.recording import Span

SPOKEN = (Span(500, 3000),)


def call(**changes: Any) -> CallResult:
    """A call that went well, and how this one differs."""
    measures = Measures(changes.pop("bot", SPOKEN), None, changes.pop("latencies", ()), ())
    plan = CallPlan((), to="+14255550100", from_="+14255550199")
    well = {
        "plan": plan,
        "violations": (),
        "ended_by": "caller",
        "end_reason": "the gateway closed the stream",
        "close_code": 1000,
        "failure": "",
        "spoken": (),
        "keys_ms": (),
        "duration_ms": 4000,
        "started_at": 100.0,
        "measures": measures,
        "last_audible_ms": measures.bot[-1].end_ms if measures.bot else None,
    }
    return cast(CallResult, SimpleNamespace(**{**well, **changes}))


def gateway(*made: TimedNote, ended: bool = True, refusals: tuple[str, ...] = ()) -> CalledGateway:
    """A gateway that told this."""
    called = CalledGateway(notes=list(made), refusals=list(refusals))
    if ended:
        called.ended.set()
    return called


def ended(reason: str) -> TimedNote:
    return TimedNote(104.0, notes.CallEnded(EndReason(reason), "gateway", "why", "twilio", 4.0, turns=1))


def said(text: str, *, heard_ms: int = 2500) -> list[TimedNote]:
    return [
        TimedNote(100.5, notes.ReplyStarted("r", None)),
        TimedNote(100.6, notes.ReplySaid("r", text)),
        TimedNote(103.0, notes.ReplyHeard("r", heard_ms, 2500)),
    ]


def test_a_call_that_went_well() -> None:
    """Nobody has anything to complain of."""
    assert complaints(call(), gateway(ended("caller_hung_up")), Expected()) == []


def test_a_gateway_of_our_own_must_tell_how_the_call_ended() -> None:
    """A call that it never took, or never lets go, is no success because the caller hung up in order."""
    assert complaints(call(), gateway(ended=False), Expected()) == [
        "the gateway did not tell how the call ended: it never took it, or still holds it"
    ]


@pytest.mark.parametrize("reason", ["fault", "voice_unavailable", "voice_refused", "stream_lost"])
def test_an_end_that_nobody_wanted(reason: str) -> None:
    """With its detail."""
    assert complaints(call(), gateway(ended(reason)), Expected()) == [f"the call ended by {reason}: why"]


def test_a_bot_that_never_spoke() -> None:
    """However orderly the end was."""
    assert complaints(call(bot=()), gateway(ended("caller_hung_up")), Expected()) == ["the bot never spoke"]


def test_a_stream_that_was_closed_at_once() -> None:
    """Before anybody did anything, with the code of an orderly end."""
    silent = call(bot=(), ended_by="gateway", duration_ms=100)
    assert complaints(silent, gateway(), Expected()) == [
        "the gateway closed the stream at once, after 0.1 s",
        "the bot never spoke",
    ]


@pytest.mark.parametrize("reason", ["transferred", "line_closed"])
def test_a_line_may_be_silent_where_it_is_set_so(reason: str) -> None:
    """A closed line that transfers, or a key that does, needs no word."""
    assert complaints(call(bot=(), ended_by="gateway"), gateway(ended(reason)), Expected()) == []


def test_a_refusal_of_our_own_gateway_is_told_in_its_words() -> None:
    """Not by guessing from the code."""
    turned_away = call(ended_by="gateway", close_code=1008)
    found = complaints(turned_away, gateway(refusals=("the gateway's own account: bad start: no tracks",)), Expected())
    assert found == ["the gateway closed the stream with 1008: the gateway's own account: bad start: no tracks"]


def test_what_failed_after_the_stream_was_open() -> None:
    """The call is kept, and no success."""
    assert complaints(call(failure="it held the call"), gateway(), Expected()) == ["it held the call"]


@pytest.mark.parametrize(
    ("text", "heard_ms", "met"),
    [
        ("how can i HELP", 2500, True),
        ("How  can\nI help?", 2500, True),
        ("goodbye", 2500, False),
        ("How can I help?", 500, False),
    ],
)
def test_words_that_were_expected(text: str, heard_ms: int, met: bool) -> None:
    """Case and white space do not matter; words that the caller did not hear do not count."""
    notes = [*said("Thank you. How can I help?", heard_ms=heard_ms), ended("caller_hung_up")]
    found = complaints(call(), gateway(*notes), Expected([text]))
    assert found == ([] if met else [f"--expect: the bot was not heard to say {text!r}"])


def test_answers_that_took_too_long() -> None:
    """Each of them; and none at all is too long as well."""
    slow = call(latencies=(Latency(7500, 900), Latency(20_000, 1400)))
    assert complaints(slow, gateway(), Expected(max_answer_ms=1000)) == [
        "--max-answer-ms: answered after 1400 ms at 20.0 s, expected 1000"
    ]
    assert complaints(slow, gateway(), Expected(max_answer_ms=1400)) == []
    assert complaints(call(), gateway(), Expected(max_answer_ms=1400)) == [
        "--max-answer-ms: the bot answered nothing that the caller said"
    ]


@pytest.mark.parametrize(("texts", "limit_ms"), [([" "], None), ([], -1)])
def test_expectations_that_mean_nothing(texts: list[str], limit_ms: int | None) -> None:
    """Are wrong input, before anybody is called."""
    with pytest.raises(InputError, match=r"--(expect|max-answer-ms): "):
        Expected(texts, limit_ms)

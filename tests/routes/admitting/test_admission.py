"""Whether a call may be taken, and if not, why."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.call.calls import Calls
from gateway.call.refusal import Refusal
from gateway.config import Line
from gateway.fleet.board import Board
from gateway.fleet.places import KnownCall
from gateway.routes.admitting.admission import Admission
from gateway.voice.endpoints.circuit import Failure
from gateway.voice.endpoints.endpoint import Endpoint
from gateway.voice.endpoints.pool import Pool
from tests.e2e.rig import LINE, configuration, load

CALLER = "+14255550123"
CLOSED = 'hours: {open: {mon-sun: "00:00-00:01"}, closed: {transfer: desk}}\ntransfers: {desk: "+14255550199"}\n'


class Held:
    """An admission whose clock stands still."""

    def __init__(self, folder: Path, keys: str = "", calls: int = 10, endpoint: Endpoint | None = None) -> None:
        _, lines = load(configuration(folder, {"support": LINE + keys}))
        (self.line,) = lines
        self.now = 1000.0
        board = Board(calls, now=lambda: self.now)
        self.calls = Calls(calls, board.places)
        self.pool = Pool([endpoint or Endpoint("west")], board.sessions)
        self.admission = Admission(self.calls, board, self.pool, lambda: self.now, 60)
        self._count = 0

    def take(self, caller: str = CALLER, line: Line | None = None) -> Refusal | None:
        """Let one more call come in by a webhook."""
        self._count += 1
        return self.admission.take(("twilio", f"CA{self._count}"), line or self.line, caller)

    def cancel(self) -> None:
        """Let the last call be over before its stream came."""
        self.admission.cancel(("twilio", f"CA{self._count}"))


def test_a_call_keeps_a_place_and_a_session(tmp_path: Path) -> None:
    """Both are given back where it does not come."""
    held = Held(tmp_path, calls=1, endpoint=Endpoint("west", sessions=1))
    assert held.admission.why_not(held.line) is None
    assert held.take() is None
    assert held.pool.shown(held.now)[0].sessions == 1
    assert (held.admission.why_not(), held.take()) == (Refusal.FULL, Refusal.FULL)
    held._count = 1
    held.cancel()
    assert held.pool.shown(held.now)[0].sessions == 0
    assert held.admission.why_not() is None


def test_without_a_session_the_place_is_given_back(tmp_path: Path) -> None:
    """The quota is the reason, not the gateway's own limit."""
    held = Held(tmp_path, endpoint=Endpoint("west", sessions=1))
    assert held.take() is None
    assert (held.admission.why_not(), held.take()) == (Refusal.VOICE_FULL, Refusal.VOICE_FULL)
    assert held.calls.in_use == 1


def test_without_an_endpoint_that_can_be_reached_none_is_taken(tmp_path: Path) -> None:
    """Until a circuit is half open: then one."""
    held = Held(tmp_path)
    held.pool.note_failed("west", Failure.UNREACHABLE, held.now)
    assert (held.admission.why_not(), held.take()) == (Refusal.VOICE_UNREACHABLE, Refusal.VOICE_UNREACHABLE)
    held.now += 2
    assert (held.take(), held.take()) == (None, Refusal.VOICE_UNREACHABLE)


def test_a_closed_line_whose_words_need_no_session_is_answered_without_one(tmp_path: Path) -> None:
    """It only transfers."""
    offset = 12 - datetime.now(UTC).hour
    zone = f"timezone: Etc/GMT{-offset:+d}\n" if offset else "timezone: UTC\n"
    held = Held(tmp_path, zone + CLOSED)
    held.pool.note_failed("west", Failure.UNREACHABLE, held.now)
    assert (held.admission.why_not(held.line), held.take()) == (None, None)


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ("limits: {calls: 2}\n", Refusal.LINE_FULL),
        ("limits: {calls_per_hour: 2}\n", Refusal.LINE_RATE),
        ("limits: {caller_calls: 2}\n", Refusal.CALLER_FULL),
        ("limits: {caller_calls_per_hour: 2}\n", Refusal.CALLER_RATE),
    ],
)
def test_each_limit_has_its_own_reason(tmp_path: Path, keys: str, reason: Refusal) -> None:
    """Another caller is taken where the limit is the caller's; one without a number is not limited so."""
    held = Held(tmp_path, keys)
    assert [held.take() for _ in range(3)] == [None, None, reason]
    of_caller = reason in (Refusal.CALLER_FULL, Refusal.CALLER_RATE)
    for other in ("+14255550124", "", "", ""):
        assert held.take(other) == (None if of_caller else reason)


def test_an_hour_later_the_calls_of_then_do_not_count(tmp_path: Path) -> None:
    """Refused calls never did."""
    held = Held(tmp_path, "limits: {calls_per_hour: 2}\n")
    for _ in range(4):
        held.take()
    held.now += 3661
    assert [held.take() for _ in range(3)] == [None, None, Refusal.LINE_RATE]


async def test_a_drain_is_a_reason_of_its_own(tmp_path: Path) -> None:
    """For every line."""
    held = Held(tmp_path)
    await held.calls.drain(0, 1)
    assert held.admission.why_not(held.line) is Refusal.DRAINING
    assert held.take() is Refusal.DRAINING


async def test_a_stream_without_a_webhook_is_held_to_the_same_limits(tmp_path: Path) -> None:
    """One that a webhook announced was counted then."""
    held = Held(tmp_path, "limits: {caller_calls_per_hour: 2, caller_calls: 1}\n")
    assert held.take() is None
    with held.calls.place(("twilio", "CA1")) as announced, held.calls.place() as other:
        assert announced is not None
        assert other is not None
        assert held.admission.name(announced, ("twilio", "CA1"), held.line, CALLER) is None
        assert held.admission.name(other, ("genesys", "1"), held.line, CALLER) is Refusal.CALLER_FULL
    with held.calls.place() as second:
        assert second is not None
        assert held.admission.name(second, ("genesys", "2"), held.line, CALLER) is None
    with held.calls.place() as third:
        assert third is not None
        assert held.admission.name(third, ("genesys", "3"), held.line, CALLER) is Refusal.CALLER_RATE
    await asyncio.sleep(0)


async def test_a_call_that_its_stream_names_otherwise_gives_back_the_session_that_was_kept(tmp_path: Path) -> None:
    """As at Azure Communication Services: it would count twice."""
    held = Held(tmp_path, endpoint=Endpoint("west", sessions=1))
    assert held.take() is None
    with held.calls.place(("twilio", "CA1")) as place:
        assert place is not None
        announced = KnownCall("twilio", "CA1", "support")
        assert held.admission.name(place, ("twilio", "other"), held.line, CALLER, announced) is None
        assert held.pool.shown(held.now)[0].sessions == 0

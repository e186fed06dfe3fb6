"""How calls ended, remembered for whoever is asked."""

from pathlib import Path

from gateway.call.ending import EndCall, EndReason
from gateway.routes.outcomes import Outcomes

KEY = ("twilio", "CA1")


def test_every_end_is_remembered() -> None:
    """By the provider and the call's id; no other call has it."""
    outcomes = Outcomes()
    for reason in EndReason:
        outcomes.note_end(KEY, EndCall(reason, "bot"))
        assert outcomes.find(KEY) is reason
    assert outcomes.find(("twilio", "CA2")) is None
    assert outcomes.find(("plivo", "CA1")) is None


def test_processes_that_share_a_file_know_each_others_calls(tmp_path: Path) -> None:
    """One worker had the stream, another one is asked; an id may hold bytes that are no text."""
    one, other = Outcomes(tmp_path / "outcomes"), Outcomes(tmp_path / "outcomes")
    one.note_end(("plivo", "\udcff"), EndCall(EndReason.SILENCE, "caller"))
    assert other.find(("plivo", "\udcff")) is EndReason.SILENCE
    assert Outcomes(tmp_path / "outcomes").find(("plivo", "\udcff")) is EndReason.SILENCE


def test_a_hundred_thousand_calls_take_no_more_memory() -> None:
    """The table has its size from the beginning, and knows the latest call of each place."""
    outcomes = Outcomes()
    for number in range(100_000):
        outcomes.note_end(("twilio", str(number)), EndCall(EndReason.SILENCE, "caller"))
    assert outcomes.find(("twilio", "99999")) is EndReason.SILENCE

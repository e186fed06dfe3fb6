"""What pages say of calls in few words."""

from msgspec.structs import replace

from gateway.console import wording
from gateway.records.listing import ListedCall
from gateway.records.rows import CallRow
from gateway.report.ends import FINE, SENTENCES
from tests.records.kept import rows_of

CALL = next(row for row in reversed(rows_of()) if isinstance(row, CallRow))


def test_an_end_is_a_word_with_a_colour() -> None:
    """Green for what went well, red for a failure; a call that goes on or broke off has no reason."""
    assert wording.end_of(CALL) == ("transferred", "fine")
    assert wording.end_of(replace(CALL, state="running", reason="")) == ("in progress", "live")
    assert wording.end_of(replace(CALL, state="interrupted", reason="")) == ("broke off", "bad")
    assert wording.end_of(replace(CALL, reason="")) == ("not known", "bad")
    assert wording.end_of(replace(CALL, reason="turned_away", detail="line_full")) == ("turned away: line full", "bad")
    tones = {reason: wording.tone_of(reason) for reason in SENTENCES}
    assert {reason for reason, tone in tones.items() if tone == "fine"} == wording.GOOD
    assert (
        {reason for reason, tone in tones.items() if tone == "plain"}
        == FINE - wording.GOOD
        >= {"silence", "time_limit"}
    )
    assert tones["voice_lost"] == tones["fault"] == "bad"


def test_figures_are_short() -> None:
    """Lengths, costs, counts; what is not known is empty or said."""
    assert [wording.length(seconds) for seconds in (None, 9.6, 62, 3600)] == ["", "0:10", "1:02", "1:00:00"]
    assert wording.cost_of(CALL) == ""
    assert wording.cost_of(replace(CALL, cost_note="no price")) == "unknown"
    assert wording.cost_of(replace(CALL, cost_nanos=120_000_000, currency="USD")) == "0.1200 USD"
    assert wording.cost_of(replace(CALL, cost_nanos=120_000_000, currency="USD", cost_note="x")) == "0.1200 USD +"
    assert [wording.counted(count, "call") for count in (0, 1, 10_000)] == ["0 calls", "1 call", "10,000 calls"]
    listed = ListedCall(call=CALL, is_recorded=True, ended_badly=False, failed=("tool", "transfer"))
    assert wording.failures_of(listed) == ["tool failed", "transfer failed"]

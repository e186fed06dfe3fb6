"""Calls on a terminal."""

import pytest
from msgspec.structs import replace

from gateway.cli.records import shown
from gateway.records.rows import CallRow, RecordingRow
from gateway.records.search import CostOf
from gateway.records.stored_call import stored_call
from tests.records.kept import NINE, TOLD, rows_of


def call(**values: object) -> CallRow:
    """A call with these values."""
    made = CallRow(call_key="01-2-3-abc", call_id="CA1", provider="twilio", line="support", started=NINE)
    return replace(made, **values)


def test_a_call_is_shown_as_its_conversation(capsys: pytest.CaptureFixture[str]) -> None:
    """Words and acts by their times; where nothing can be struck out, what was not heard is told."""
    recording = RecordingRow(call_key="k1", url="file:///a.wav", state="stored")
    shown.print_call(stored_call([*rows_of(), recording]))
    text = capsys.readouterr().out
    assert "began     2026-11-29 09:00:00 UTC, 0:10 long" in text
    assert "recording file:///a.wav (stored)" in text
    lines = [line for line in text.splitlines() if " s  " in line]
    assert lines == [
        "   0.9 s  bot     Welcome to Contoso.",
        "   3.5 s  caller  Where is my order?",
        "   5.9 s  tool    order_status: error after 0.5 s",
        "   6.1 s  bot     It is on (not heard: its way to you.)",
        "   7.1 s  key     3",
        "   8.0 s  call    transfer to desk begins",
        "   9.0 s  call    transferred to desk",
    ]


def test_an_end_has_its_reason_in_a_few_words() -> None:
    """And whose it was; of a call for which there was no room, the limit that it met."""
    assert shown.end(call(state="ended", reason="voice_lost", by="service")) == "voice_lost, by service"
    assert shown.end(call(state="ended", reason="turned_away", by="gateway", detail="full")) == "turned_away: full"
    assert shown.end(call(state="running")) == "running"


def test_a_call_without_room_tells_its_limit_once(capsys: pytest.CaptureFixture[str]) -> None:
    """And no cost, which it has not."""
    shown.print_call(stored_call([call(state="ended", reason="turned_away", by="gateway", detail="line_full")]))
    assert "end       turned_away: line_full\n" in capsys.readouterr().out


def test_what_was_not_heard_is_struck_out_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the terminal's own attribute."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    shown.print_call(stored_call(rows_of()))
    assert "\x1b[2;9mits way to you." in capsys.readouterr().out


def test_nothing_of_a_caller_s_reaches_the_terminal_as_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Words, numbers, and what a provider says are text."""
    rows = rows_of(
        told=[*TOLD[:8], (5300, type(TOLD[8][1])("u1", "\x1b]0;own\x07 [red]x[/red]\r\n\u202ey"))], caller="\x1b[2J1"
    )
    stored = stored_call(rows)
    shown.print_call(stored)
    shown.print_calls([stored.call])
    text = capsys.readouterr().out
    assert not {"\x1b", "\x07", "\r", "\u202e"} & set(text)
    assert "[red]x[/red]" in text


def test_a_list_that_is_piped_has_a_row_on_each_line(capsys: pytest.CaptureFixture[str]) -> None:
    """However long it is: a search in it finds whole calls."""
    shown.print_calls([call(caller="+14155550100" * 9), call(line="sales")])
    rows = [line for line in capsys.readouterr().out.splitlines() if "2026-11-29" in line]
    assert [("+14155550100" * 9 in row, "abc" in row) for row in rows] == [(True, True), (False, True)]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"reason": "silence", "by": "caller", "state": "ended"}, "silence, by caller"),
        ({"state": "interrupted"}, "interrupted"),
    ],
)
def test_the_end_of_a_call_in_a_few_words(values: dict[str, object], told: str) -> None:
    """Its reason, or its state where it has none."""
    assert shown.end(call(**values)) == told


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, "-"),
        ({"cost_note": "no price"}, "unknown"),
        ({"cost_nanos": 12_300_000, "currency": "EUR"}, "0.0123 EUR"),
        ({"cost_nanos": 12_300_000, "currency": "EUR", "cost_note": "no price"}, "0.0123 EUR +"),
    ],
)
def test_a_cost_that_is_not_known_is_not_nothing(values: dict[str, object], told: str) -> None:
    """And one in which something is missing is marked."""
    assert shown.cost(call(**values)) == told


def test_costs_are_shown_with_what_they_were_made_of(capsys: pytest.CaptureFixture[str]) -> None:
    """A row for each, and the prices below."""
    one = CostOf(name="support", currency="USD", calls=3, unknown=1, incomplete=2, nanos=1_500_000_000, seconds=90)
    shown.print_costs([one], "line", ["prices of 2026-08-11"])
    text = capsys.readouterr().out.split()
    assert {"support", "3", "1.5", "1.5000", "USD", "1"} <= set(text)
    assert text[-3:] == ["prices", "of", "2026-08-11"]

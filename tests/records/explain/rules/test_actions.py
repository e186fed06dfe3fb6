"""Findings about keys, tools, transfers, the line's file and broken messages."""

import pytest

from tests.records.explain.made_calls import detail, note, scores


def test_keys_that_mean_nothing() -> None:
    """Each is named once."""
    pressed = [note(at, "digit_ignored", digit=digit) for at, digit in ((8000, "9"), (8100, "7"), (8200, "9"))]
    assert list(scores(*pressed)) == ["key_ignored"]
    assert detail("key_ignored", *pressed) == "3 keys: 7, 9"
    assert scores(note(8000, "digit_pressed", digit="9")) == {}


@pytest.mark.parametrize(("outcome", "found"), [("entered", []), ("abandoned", []), ("nothing", ["entry_abandoned"])])
def test_an_entry_that_came_to_nothing(outcome: str, found: list[str]) -> None:
    """One that the end of the call cut short is none."""
    assert list(scores(note(8000, "secure_entry_ended", tool="pay", parameter="card", outcome=outcome))) == found


@pytest.mark.parametrize("outcome", ["ok", "error", "timeout", "refused", ""])
def test_tools_that_did_not_end_well(outcome: str) -> None:
    """By their outcome; one that had not returned is a matter of its silence."""
    run = [note(8000, "tool_called", tool="t", call_id="x")]
    run += [note(8100, "tool_returned", tool="t", call_id="x", outcome=outcome, took_ms=100)] if outcome else []
    assert list(scores(*run)) == (["tool_failed"] if outcome not in ("ok", "") else [])


def test_a_transfer_that_was_refused() -> None:
    """With the provider's words."""
    assert detail("transfer_refused", note(8000, "transfer_failed", target="desk", detail="busy")) == "to desk: busy"


def test_a_transfer_that_was_called_off() -> None:
    """A key's weighs more than the model's; later ones count for nothing, as a farewell that the caller spoke into."""
    by_key = note(8000, "hang_up_cancelled", target="desk", asked_by="key")
    by_model = note(8000, "hang_up_cancelled", target="desk", asked_by="model")
    assert detail("transfer_called_off", by_key) == "to desk, which a key had asked for"
    assert detail("transfer_called_off", by_model) == "to desk, which the model had asked for"
    assert scores(by_key)["transfer_called_off"] > scores(by_model)["transfer_called_off"]
    assert scores(by_key, note(8200, "transfer_started", target="desk")) == {}
    assert list(scores(note(7000, "transfer_started", target="desk"), by_key)) == ["transfer_called_off"]
    assert scores(note(8000, "hang_up_cancelled", target=None, asked_by="model")) == {}
    assert scores(note(8000, "hang_up_cancelled")) == {}


def test_a_line_whose_file_has_a_mistake() -> None:
    """And the generation that was used."""
    started = note(0, "call_started", caller="", called="", generation="g1", line_error="support.yaml:3:1: wrong")
    found = detail("line_file", started, instead_of=("call_started",))
    assert found == "the call used generation g1; support.yaml:3:1: wrong"


def test_messages_that_broke_a_protocol() -> None:
    """Of which leg."""
    assert detail("malformed", note(8000, "malformed_message", leg="phone", detail="x")) == "1 message of the phone leg"

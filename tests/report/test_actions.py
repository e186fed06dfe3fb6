"""What is done in a call beside talking."""

from dataclasses import replace

import pytest

from gateway.report.actions import Key, TransferRun, action_text, keys_shown, together
from gateway.sim.caller.call import CallResult
from gateway.sim.caller.timeline import TimelineEvent
from gateway.sim.report.actions import actions


def pressed(call: CallResult, *digits: tuple[int, str]) -> list[TimelineEvent]:
    """The gateway's account of keys."""
    return [TimelineEvent(call.started_at + at_ms / 1000, "digit_pressed", {"digit": digit}) for at_ms, digit in digits]


def test_a_key_has_a_digit_only_where_the_gateway_tells_it(call: CallResult) -> None:
    """Its time is when it was pressed, and the rest may be a secret."""
    call = replace(call, keys_ms=(1_000, 1_250, 5_000, 5_250, 9_000))
    keys = actions(call, pressed(call, (1_010, "1"), (1_260, "2"), (9_004, "5"))).keys
    assert keys == (Key(1_000, "1"), Key(1_250, "2"), Key(5_000, None), Key(5_250, None), Key(9_000, "5"))


def test_keys_that_are_told_late_keep_their_order(call: CallResult) -> None:
    """A gateway on a busy machine tells of a key when the next one has been pressed."""
    call = replace(call, keys_ms=(1_000, 1_250, 1_500))
    keys = actions(call, pressed(call, (1_300, "1"), (1_550, "2"), (1_800, "3"))).keys
    assert "".join(key.digit or "?" for key in keys) == "123"


def test_without_a_phone_that_knows_its_keys_the_gateway_s_account_is_all(call: CallResult) -> None:
    """A digit that nobody pressed here stands where it was told."""
    assert actions(replace(call, keys_ms=()), pressed(call, (1_010, "1"))).keys == (Key(1_010, "1"),)


def test_keys_of_one_number_are_told_together() -> None:
    """A second and a half apart they are two."""
    keys = [Key(0, "1"), Key(250, None), Key(1_749, "3"), Key(3_249, "4")]
    assert [keys_shown(group) for group in together(keys)] == ["1•3", "4"]


def test_the_phone_tells_of_a_transfer_where_the_gateway_does_not(call: CallResult) -> None:
    """Whom the provider was asked to connect."""
    ordered = TimelineEvent(call.started_at + 11, "transfer_ordered", {"to": "+3"})
    done = actions(replace(call, keys_ms=(), events=(*call.events, ordered)), [])
    assert done.transfers == (TransferRun("+3", "transferred", 11_000),)
    assert [line.text for line in done.happenings] == ["transferred to +3"]


def test_keys_of_a_gateway_elsewhere_are_not_told(call: CallResult) -> None:
    """Nobody knows whether they are a secret."""
    assert [line.text for line in actions(call, []).happenings] == ["••• (withheld)"]


@pytest.mark.parametrize(
    ("kind", "fields", "told"),
    [
        ("tool_returned", {"tool": "a", "outcome": "timeout", "took_ms": 5_000}, ("tool", "a: timeout after 5.0 s")),
        ("tool_returned", {"tool": "a", "outcome": "refused"}, ("tool", "a: refused")),
        (
            "mcp_returned",
            {"server": "crm", "tool": "a", "outcome": "ok", "took_ms": 12},
            ("tool", "crm/a: ok after 12 ms"),
        ),
        ("approval_asked", {"server": "crm", "tool": "a"}, ("tool", "crm/a: the caller is asked for approval")),
        (
            "approval_given",
            {"server": "crm", "tool": "a", "approved": True, "how": "key"},
            ("tool", "crm/a: approved by key"),
        ),
        (
            "approval_given",
            {"server": "crm", "tool": "a", "approved": False, "how": "voice"},
            ("tool", "crm/a: not approved by voice"),
        ),
        ("digit_pressed", {"digit": "#"}, ("key", "#")),
        ("digits_entered", {"digits": "12"}, ("key", "entered 12")),
        (
            "secure_entry_started",
            {"tool": "pay", "parameter": "card"},
            ("key", "the caller keys in card, unseen"),
        ),
        (
            "secure_entry_ended",
            {"tool": "pay", "parameter": "card", "outcome": "nothing"},
            ("key", "card, unseen: nothing entered"),
        ),
        ("digits_sent", {}, ("call", "keys sent")),
        ("transfer_started", {"target": "desk"}, ("call", "transfer to desk begins")),
        ("transfer_failed", {"target": "desk", "detail": "503"}, ("call", "transfer to desk failed: 503")),
        ("transfer_failed", {"target": "desk", "detail": ""}, ("call", "transfer to desk failed")),
        ("hang_up_cancelled", {"target": None}, ("call", "not hung up: the caller spoke into the last words")),
        (
            "hang_up_cancelled",
            {"target": "desk"},
            ("call", "not transferred to desk: the caller spoke into the last words"),
        ),
        ("closed_line", {}, ("call", "the line is closed at this hour")),
    ],
)
def test_each_act_is_one_line(kind: str, fields: dict[str, object], told: tuple[str, str]) -> None:
    """Who, and what."""
    assert action_text(kind, fields) == told


@pytest.mark.parametrize("kind", ["tool_called", "mcp_called", "greeting_played", "reply_said", "moon_rose"])
def test_what_is_no_act_of_its_own_is_not_told(kind: str) -> None:
    """A call is told when it returns, words are told elsewhere, and the unknown is left to the timeline."""
    assert action_text(kind, {}) is None

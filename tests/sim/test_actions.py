"""What was done on a call, joined from both accounts."""

from gateway.sim.actions import Action, actions
from gateway.sim.timeline import TimelineEvent


def note(at: float, kind: str, **fields: object) -> TimelineEvent:
    """Something that the gateway or the phone tells."""
    return TimelineEvent(at, kind, fields)


def test_a_tool_from_its_call_to_its_return() -> None:
    """By the model's id of the call; MCP calls by their item, with the server's label."""
    notes = [
        note(101.0, "tool_called", tool="status", call_id="a"),
        note(101.2, "mcp_called", server="crm", tool="get", item_id="m"),
        note(101.5, "tool_called", tool="status", call_id="b"),
        note(102.0, "tool_returned", tool="status", call_id="b", outcome="error", took_ms=500),
        note(102.2, "mcp_returned", server="crm", tool="get", item_id="m", outcome="ok", took_ms=1000),
    ]
    assert actions(notes, (), 100.0) == (
        Action("tool", 1000, "status"),
        Action("tool", 1200, "crm: get", "ok", 1000),
        Action("tool", 1500, "status", "error", 500),
    )


def test_what_a_tool_did_in_words() -> None:
    """One line of the report."""
    assert Action("tool", 0, "status", "ok", 1234).text == "status: ok after 1.2 s"
    assert Action("tool", 0, "status").text == "status: not finished"
    assert Action("transfer", 0, "desk", "transferred").text == "transferred: desk"


def test_a_key_is_shown_where_the_gateway_told_it() -> None:
    """Pressed by the phone, told by the gateway: together one key; pressed and not told: a key that is not shown."""
    phone = [note(101.0, "key_pressed"), note(102.0, "key_pressed"), note(103.0, "mark_set", name="m")]
    told = [note(101.01, "digit_pressed", digit="5")]
    assert actions(told, phone, 100.0) == (Action("key", 1000, "5"), Action("key", 2000))


def test_a_secret_between_two_keys_stays_one() -> None:
    """What the gateway told later belongs to the later key."""
    phone = [note(101.0, "key_pressed"), note(101.24, "key_pressed"), note(105.0, "key_pressed")]
    told = [note(105.01, "digit_pressed", digit="9")]
    assert [action.name for action in actions(told, phone, 100.0)] == ["", "", "9"]


def test_keys_without_a_phone_are_those_of_the_gateway() -> None:
    """A gateway's account alone is shown as it is."""
    assert actions([note(101.0, "digit_pressed", digit="1")], (), 100.0) == (Action("key", 1000, "1"),)


def test_transfers_and_the_rest() -> None:
    """Each with its target, or in words."""
    notes = [
        note(101.0, "transfer_started", target="desk"),
        note(102.0, "transfer_failed", target="desk", detail="busy"),
        note(103.0, "secure_entry_started", tool="pay", parameter="card"),
        note(104.0, "secure_entry_ended", tool="pay", parameter="card", outcome="entered"),
        note(105.0, "approval_given", server="crm", tool="get", approved=False, how="key"),
    ]
    assert [action.text for action in actions(notes, (), 100.0)] == [
        "asked for: desk",
        "failed: desk",
        "card is keyed in, unseen",
        "card entered",
        "crm: get denied",
    ]

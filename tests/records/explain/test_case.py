"""All that is known of a call."""

from gateway.records.explain.case import counted, seconds
from tests.records.explain.made_calls import case, ended, healthy, note


def test_a_case_has_what_follows_from_its_events() -> None:
    """Both sides, the greeting, the end."""
    found = case(*healthy())
    assert (len(found.replies), len(found.turns), found.reason, found.length_ms) == (2, 1, "caller_hung_up", 8500)
    assert found.greeting is found.replies[0]
    assert (case(note(5, "x")).reason, case(note(5, "x")).length_ms) == ("", 5)
    assert case(ended(5, "fault")).reason == "fault"


def test_figures_are_written_for_people() -> None:
    """With the plural of the thing."""
    assert (seconds(1234), seconds(0)) == ("1.2 s", "0.0 s")
    assert [counted(1, "reply"), counted(2, "reply"), counted(2, "key"), counted(0, "turn")] == [
        "1 reply",
        "2 replies",
        "2 keys",
        "0 turns",
    ]

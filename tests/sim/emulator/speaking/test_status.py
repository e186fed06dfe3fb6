"""The status of a response at its end."""

from typing import get_args

from gateway.sim.emulator.script import Answer
from gateway.sim.emulator.speaking.status import STATUS, details


def test_each_ending_of_a_script_has_a_status() -> None:
    """Those that a script may ask for, and no other."""
    assert set(get_args(Answer.model_fields["ending"].annotation)) == set(STATUS)


def test_details_are_those_of_the_status() -> None:
    """A reason where a response was cut off, an error where it failed, nothing where it was whole."""
    assert details("completed", "completed") is None
    assert details("cancelled", "turn_detected") == {"type": "cancelled", "reason": "turn_detected"}
    assert details("incomplete", "content_filter") == {"type": "incomplete", "reason": "content_filter"}
    failed = details("failed", "failed")
    assert failed is not None
    assert (failed["error"]["code"], failed["error"]["message"]) == ("server_error", "The model failed to answer.")
    limited = details("failed", "Too many tokens.", "rate_limit_exceeded")
    assert limited is not None
    assert (limited["error"]["code"], limited["error"]["message"]) == ("rate_limit_exceeded", "Too many tokens.")

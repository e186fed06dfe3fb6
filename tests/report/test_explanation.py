"""The parts of an explanation."""

from gateway.report.explanation import Silence


def test_a_silence_has_a_length() -> None:
    """In milliseconds."""
    assert Silence(start_ms=100, end_ms=2600, whose="tool", why="t was running").length_ms == 2500

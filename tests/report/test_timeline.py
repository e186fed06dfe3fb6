"""The timeline of a call."""

from gateway.report.shown import Row
from gateway.report.timeline import row_of


def test_an_event_is_a_row() -> None:
    """With its fields on one line; those that are empty are left out."""
    fields: dict[str, object] = {"text": "a", "none": None, "empty": "", "list": [], "zero": 0, "inner": {"ü": [1]}}
    assert row_of(12.6, "gateway", "reply_heard", fields) == Row(
        13, "gateway", "reply heard", 'text a · zero 0 · inner {"ü": [1]}'
    )

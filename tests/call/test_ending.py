"""Why calls end, by whom, and how loudly the log says so."""

import pytest

from gateway.call.ending import ENDED_BY, PHONE_ENDS, VOICE_ENDS, EndReason, level_of


def test_every_reason_has_somebody() -> None:
    """Also for the ends that a leg tells: the series of each pair exist before the first call."""
    assert set(ENDED_BY) == set(EndReason)
    assert {**ENDED_BY, **dict([*PHONE_ENDS.values(), *VOICE_ENDS.values()])} == ENDED_BY


@pytest.mark.parametrize(
    ("level", "reasons"),
    [
        ("error", {"voice_unavailable", "voice_refused", "voice_lost", "voice_stalled", "fault"}),
        ("warning", {"stream_lost", "stream_stalled", "stream_broken"}),
    ],
)
def test_a_call_that_failed_is_no_information(level: str, reasons: set[str]) -> None:
    """An error where the bot failed the caller, a warning where the stream failed; everything else is usual."""
    assert {reason.value for reason in EndReason if level_of(reason) == level} == reasons

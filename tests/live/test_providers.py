"""How the calls of each provider ended of late."""

import pytest

from gateway.call.ending import EndReason
from gateway.call.notes import CallEnded, HangUpCancelled
from gateway.call.record import CallIdentity, TimedNote
from gateway.live.messages import LiveProvider
from gateway.live.providers import RecentEnds


def test_lost_streams_are_counted_among_the_last_calls() -> None:
    """Older ends are forgotten, other notes and other providers passed over."""
    ends = RecentEnds(["twilio", "plivo"], lambda: 7.0)

    def end(reason: EndReason, provider: str = "twilio") -> None:
        call = CallIdentity("CA1", provider, "support", "", "", "g711_ulaw", 0.0)
        ends.observe(call, TimedNote(0.0, CallEnded(reason, "provider", "", provider, 1.0, 0)))
        ends.observe(call, TimedNote(0.0, HangUpCancelled(None, "model")))

    end(EndReason.STREAM_LOST)
    end(EndReason.CALLER_HUNG_UP)
    end(EndReason.STREAM_LOST, "telnyx")
    assert ends.shown() == (
        LiveProvider(name="twilio", ended=2, broken=1, last_end=7.0),
        LiveProvider(name="plivo"),
    )
    for _ in range(50):  # as docs/console.md says
        end(EndReason.CALLER_HUNG_UP)
    assert ends.shown()[0] == LiveProvider(name="twilio", ended=50, broken=0, last_end=7.0)


@pytest.mark.parametrize(
    ("reason", "broken"),
    [
        (EndReason.STREAM_LOST, 1),
        (EndReason.STREAM_STALLED, 1),
        (EndReason.STREAM_BROKEN, 1),
        (EndReason.VOICE_LOST, 0),
        (EndReason.FAULT, 0),
    ],
)
def test_what_a_provider_or_the_way_to_it_has_broken_counts(reason: EndReason, broken: int) -> None:
    """A stream that was lost, stalled or broken; not what the service or the gateway has done."""
    ends = RecentEnds(["twilio"], lambda: 7.0)
    call = CallIdentity("CA1", "twilio", "support", "", "", "g711_ulaw", 0.0)
    ends.observe(call, TimedNote(0.0, CallEnded(reason, "provider", "", "twilio", 1.0, 0)))
    assert ends.shown()[0].broken == broken

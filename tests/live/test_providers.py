"""How the calls of each provider ended of late."""

from gateway.call.ending import EndReason
from gateway.call.notes import CallEnded, HangUpCancelled
from gateway.call.record import CallIdentity, TimedNote
from gateway.live.messages import LiveProvider
from gateway.live.providers import KEPT, RecentEnds


def test_lost_streams_are_counted_among_the_last_calls() -> None:
    """Older ends are forgotten, other notes and other providers passed over."""
    ends = RecentEnds(["twilio", "plivo"], lambda: 7.0)

    def end(reason: EndReason, provider: str = "twilio") -> None:
        call = CallIdentity("CA1", provider, "support", "", "", "g711_ulaw", 0.0)
        ends.observe(call, TimedNote(0.0, CallEnded(reason, "provider", "", provider, 1.0, 0)))
        ends.observe(call, TimedNote(0.0, HangUpCancelled()))

    end(EndReason.STREAM_LOST)
    end(EndReason.CALLER_HUNG_UP)
    end(EndReason.STREAM_LOST, "telnyx")
    assert ends.shown() == (
        LiveProvider(name="twilio", ended=2, broken=1, last_end=7.0),
        LiveProvider(name="plivo"),
    )
    for _ in range(KEPT):
        end(EndReason.CALLER_HUNG_UP)
    assert ends.shown()[0] == LiveProvider(name="twilio", ended=KEPT, broken=0, last_end=7.0)

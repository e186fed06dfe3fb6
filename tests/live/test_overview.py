"""The state of all processes together."""

from gateway.live.messages import About, LiveEndpoint, LiveProvider
from gateway.live.overview import overview


def test_processes_are_shown_as_one() -> None:
    """Places are shared; calls of providers add up; a failure that one has seen is shown."""
    endpoint = LiveEndpoint(name="eu", circuit="closed", sessions=3, sessions_minute=1)
    failed = LiveEndpoint(name="eu", circuit="closed", sessions=3, sessions_minute=1, last_failure="quota", ready_ms=9)
    one = About(
        status="draining", in_use=3, limit=10, endpoints=(endpoint,), providers=(LiveProvider(name="twilio", ended=2),)
    )
    other = About(
        status="ready",
        in_use=3,
        limit=10,
        endpoints=(failed,),
        providers=(LiveProvider(name="twilio", ended=1, broken=1, last_end=5.0),),
    )
    seen = overview([one, other])
    assert seen is not None
    assert (seen.status, seen.in_use, seen.limit) == ("ready", 3, 10)
    assert seen.endpoints == (failed,)
    assert seen.providers == (LiveProvider(name="twilio", ended=3, broken=1, last_end=5.0),)
    assert overview([]) is None

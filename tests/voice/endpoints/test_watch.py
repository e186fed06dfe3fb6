"""The counts of what endpoints do."""

from gateway.voice.endpoints.watch import PoolWatch, UnwatchedPool


def test_nothing_need_be_counted() -> None:
    """A pool works without metrics."""
    watch: PoolWatch = UnwatchedPool()
    watch.session_begun("west")
    watch.session_opened("west", 1.0)
    watch.attempt_failed("west", "quota")
    watch.circuit_opened("west", "quota", 1.0)
    watch.circuit_closed("west")

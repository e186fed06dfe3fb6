"""The event loop of the commands."""

import sys

from gateway.cli.loop import SWITCH_S, run


def test_no_thread_keeps_the_event_loop_waiting_for_long() -> None:
    """A thread in Python code, such as one that writes recordings, lets it go on well within a frame."""
    before = sys.getswitchinterval()
    try:
        sys.setswitchinterval(0.005)

        async def interval() -> float:
            return sys.getswitchinterval()

        assert abs(run(interval()) - SWITCH_S) < 1e-6
    finally:
        sys.setswitchinterval(before)
    assert SWITCH_S <= 0.001

"""The event loop of the commands."""

import sys

import pytest
from structlog.testing import capture_logs

from gateway.cli.loop import SWITCH_S, report_transports, run


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


@pytest.mark.parametrize(("wanted", "logged"), [("", []), ("aiofastnet", []), ("loop", ["own_transports"])])
def test_slower_transports_are_reported(wanted: str, logged: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, with the reason; what is as it should be is not worth a line."""
    monkeypatch.setenv("GATEWAY_TRANSPORTS", wanted)
    with capture_logs() as log:
        report_transports()
    assert [line["event"] for line in log] == logged
    assert all("GATEWAY_TRANSPORTS is loop" in line["detail"] for line in log)

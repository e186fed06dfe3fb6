"""The errors of the program under test."""

import pytest

from bench.target import MOST_WAITING, Program, explained, running
from bench.websocket import BusyError, LateError, PeerError


@pytest.mark.parametrize(
    ("error", "waited", "kind"),
    [
        (LateError("nothing came"), 0.8, BusyError),
        (TimeoutError("timed out"), 0.8, BusyError),
        (LateError("nothing came"), MOST_WAITING, LateError),
        (TimeoutError("timed out"), 0.0, LateError),
        (PeerError("it closed the call"), 0.8, PeerError),
    ],
)
def test_a_wait_is_the_machine_s_where_others_had_the_cores(
    error: PeerError | TimeoutError, waited: float, kind: type[PeerError]
) -> None:
    """By the time for which the program waited for one; what is no wait is the program's on any machine."""
    found = explained(error, waited, "its words")
    assert type(found) is kind
    assert str(found).endswith(f"{error}\nThe program's last output:\nits words")
    assert ("80%" in str(found)) is (kind is BusyError)


def test_a_program_that_ends_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its last words, whatever the machine does."""
    monkeypatch.setattr("bench.target._waited_s", lambda pid: 1e6)
    monkeypatch.setattr("bench.target._arguments", lambda *_: ["bench.no_such_module"])
    with pytest.raises(PeerError, match="No module named") as told, running(Program(), "", b"", None):
        pytest.fail("it never listened")
    assert type(told.value) is PeerError

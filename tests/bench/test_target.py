"""The errors of the program under test."""

import random
import socket
from pathlib import Path

import pytest

from bench.target import MOST_WAITING, PORTS, Program, explained, free_ports, running
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


def test_free_ports_are_different_and_nobody_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """Below those that the kernel takes for connections; a port that is taken is left out, and too few are told."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr(random, "sample", lambda ports, count: [port, *ports[: count - 1]])
        found = free_ports(3)
        assert len({*found, port}) == 4
        monkeypatch.setattr(random, "sample", lambda ports, count: [port])
        with pytest.raises(PeerError, match="no 1 free ports from 20000 to"):
            free_ports(1)
    ephemeral = Path("/proc/sys/net/ipv4/ip_local_port_range")
    if ephemeral.exists():
        assert max(PORTS) < int(ephemeral.read_text().split()[0])

"""The port that several worker processes share."""

import socket

import pytest

from bench.target import free_port
from gateway.cli.processes.ports import bound, close_all, port_kept
from gateway.errors import GatewayError


@pytest.fixture
def free() -> int:
    """A port that nobody has."""
    return free_port()


def test_a_port_that_is_taken_is_refused(free: int) -> None:
    """Also where the other service shares its port with its own workers, and while none of them runs."""
    with port_kept("127.0.0.1", free):
        for host in ("127.0.0.1", "0.0.0.0"):  # noqa: S104 -- what the shipped configuration has
            with (
                pytest.raises(GatewayError, match=f"cannot listen on {host}:{free}: .* is another gateway running"),
                port_kept(host, free),
            ):
                pass
        with socket.socket() as worker:
            worker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            worker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            worker.bind(("127.0.0.1", free))
            worker.listen()
            with socket.create_connection(("127.0.0.1", free)):
                pass
    with port_kept("127.0.0.1", free):
        pass


def test_a_connection_waits_for_the_next_worker_with_the_same_socket(free: int) -> None:
    """A worker that ends leaves those in its queue to whoever holds the socket too."""
    with port_kept("127.0.0.1", free):
        (ours,) = bound("127.0.0.1", free)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", free))
        worker = ours.dup()
        worker.listen()
        with socket.create_connection(("127.0.0.1", free)) as caller:
            caller.sendall(b"hello")
            worker.close()
            successor = ours.dup()
            taken, _ = successor.accept()
            with successor, taken:
                assert taken.recv(5) == b"hello"
        close_all([ours])


def test_a_port_of_others_has_no_socket_for_a_worker(free: int) -> None:
    """It is refused with the system's reason, and nothing stays open."""
    refused = pytest.raises(GatewayError, match=f"cannot listen on 127.0.0.1:{free}")
    with socket.create_server(("127.0.0.1", free)), refused:
        bound("127.0.0.1", free)

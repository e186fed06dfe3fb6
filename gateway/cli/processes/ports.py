"""The port that several worker processes share: kept for them, and a socket of each."""

import errno
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from gateway.errors import GatewayError


@contextmanager
def port_kept(host: str, port: int) -> Iterator[None]:
    """Reserve the port for the workers of this service, so that a second gateway cannot listen on it.

    SO_REUSEPORT alone would give each a share of the calls. Raises ``GatewayError`` if another gateway has the port.
    """
    with ExitStack() as held:
        try:
            for family, kind, protocol, address in _addresses(host, port):
                _keep(held.enter_context(socket.socket(family, kind, protocol)), address)
        except OSError as error:
            hint = "; is another gateway running?" if error.errno == errno.EADDRINUSE else ""
            raise _refused(host, port, error, hint) from None
        yield


def bound(host: str, port: int) -> list[socket.socket]:
    """Return the sockets of one worker on the port of all, which do not listen yet.

    The kernel spreads connections over the sockets that listen. Whoever holds such a socket, too, keeps the connections
    that wait in its queue when the worker ends, for the next worker that gets the same socket. Raises ``GatewayError``.
    """
    sockets: list[socket.socket] = []
    try:
        for family, kind, protocol, address in _addresses(host, port):
            made = socket.socket(family, kind, protocol)
            sockets.append(made)
            if family is socket.AF_INET6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            made.bind(address)
    except OSError as error:
        close_all(sockets)
        raise _refused(host, port, error) from None
    return sockets


def close_all(sockets: Sequence[socket.socket]) -> None:
    """Close sockets; of one that listens, the connections in its queue are reset where nobody else holds it."""
    for one in sockets:
        one.close()


def _addresses(host: str, port: int) -> Iterator[tuple[socket.AddressFamily, socket.SocketKind, int, Any]]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return ((family, kind, protocol, address) for family, kind, protocol, _, address in found)


def _refused(host: str, port: int, error: OSError, hint: str = "") -> GatewayError:
    return GatewayError(f"cannot listen on {host}:{port}: {error.strerror or error}{hint}")


def _keep(keeper: socket.socket, address: Any) -> None:
    """Bind a socket that never listens, so that only sockets with SO_REUSEPORT may share its address."""
    if keeper.family is socket.AF_INET6:
        keeper.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    # During the bind, connections that are being closed do not prevent it; afterwards workers may share the address.
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    keeper.bind(address)
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)

"""The interface of a socket, and all that is used as one."""

import inspect

import pytest

from gateway.doctor.sessions.tap import _TappedSocket
from gateway.sockets.frame_writer import FrameWriter
from gateway.sockets.public_socket import PublicSocket
from gateway.sockets.socket import Socket
from gateway.sockets.websocket import WebSocket
from gateway.tape.sockets import TapedSocket

METHODS = [name for name, method in vars(Socket).items() if inspect.isfunction(method) and name[0] != "_"]


@pytest.mark.parametrize("kind", [WebSocket, PublicSocket, TapedSocket, _TappedSocket])
@pytest.mark.parametrize("name", METHODS)
def test_whatever_is_used_as_a_socket_has_its_methods(kind: type, name: str) -> None:
    """With parameters of the same names and defaults, unless it passes on whatever it is asked for."""
    method = getattr(kind, name, None) or (
        kind is WebSocket and getattr(FrameWriter, name, None)
    )  # it has its writer's
    if not method:
        assert "__getattr__" in vars(kind)
        return
    wanted, found = (
        [(each.name, each.default) for each in inspect.signature(one).parameters.values()]
        for one in (getattr(Socket, name), method)
    )
    assert found == wanted


def test_the_interface_is_not_empty() -> None:
    """The properties are beside the methods."""
    assert {"receive", "hand_to", "send", "send_all", "ping", "close"} == set(METHODS)

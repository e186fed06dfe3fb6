"""Which WebSockets are taken: the fast ones where aiohttp's private names do what they did."""

import sys
from collections.abc import Callable

import pytest

from gateway.network import framing, masked_frames
from gateway.sockets import choice as socket_choice
from gateway.sockets import public_upgrade, upgrade
from gateway.sockets.choice import choose_sockets
from tests.as_source import needs_source

lack_of = socket_choice.lack_of_aiohttp.__wrapped__
"""Looks again each time."""


@pytest.mark.needs_fast_sockets
def test_the_installed_aiohttp_is_read_by_its_private_names() -> None:
    """No name is missing, and all do what they did."""
    assert lack_of() == ""
    assert (choose_sockets("fast").way, choose_sockets("fast").accept) == ("fast", upgrade.accept)


def test_the_public_way_is_taken_where_it_is_wanted() -> None:
    """A key forces it, though nothing is missing."""
    assert (choose_sockets("public").way, choose_sockets("public").accept) == ("public", public_upgrade.accept)


def test_the_public_way_is_taken_where_a_name_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The day after a release of aiohttp that moves it."""
    monkeypatch.setattr(socket_choice, "lack_of_aiohttp", lambda: "gone")
    assert choose_sockets("fast").accept is public_upgrade.accept


@pytest.mark.parametrize("missing", ["aiohttp._websocket.reader", "aiohttp._websocket.helpers"])
def test_a_module_that_is_gone_is_named(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """The log says what is missing."""
    monkeypatch.setitem(sys.modules, missing, None)
    assert missing in lack_of()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gateway.sockets.websocket.WebSocketReader", lambda *_, **__: None),
        ("gateway.sockets.inbox.Inbox.feed_data", lambda *_: None),
        ("gateway.sockets.inbox.Inbox.feed_eof", lambda *_: None),
        pytest.param("gateway.network.framing._mask", lambda *_: None, marks=needs_source(framing)),
        pytest.param("gateway.network.masked_frames._mask", lambda *_: None, marks=needs_source(masked_frames)),
        ("aiohttp.web.RequestHandler.set_parser", lambda self, parser: None),
        ("aiohttp.client_proto.ResponseHandler.set_parser", lambda self, parser: None),
    ],
)
def test_a_name_that_does_something_else_is_found(
    monkeypatch: pytest.MonkeyPatch, name: str, value: Callable[..., None]
) -> None:
    """By what it does, and not by a version."""
    monkeypatch.setattr(name, value)
    assert lack_of().startswith("aiohttp's reader differs: ")

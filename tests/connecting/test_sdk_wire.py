"""The SDK's connection as a public socket reads and writes it."""

from typing import Any

import pytest
from azure.ai.voicelive import aio as sdk

from gateway.connecting.sdk_wire import SdkWire
from gateway.sockets.message_socket import TEXT
from gateway.sockets.wire import Ended


class Connection:
    """Stands for the SDK's: it returns or raises one thing, and notes what is sent."""

    def __init__(self, received: bytes | Exception = b"", failure: Exception | None = None) -> None:
        self.received = received
        self.failure = failure
        self.sent: list[object] = []
        self.closed: list[dict[str, object]] = []

    async def recv_bytes(self) -> bytes:
        """Return or raise what was given."""
        if isinstance(self.received, Exception):
            raise self.received
        return self.received

    async def send(self, event: object) -> None:
        """Note, or fail."""
        if self.failure is not None:
            raise self.failure
        self.sent.append(event)

    async def close(self, **options: object) -> None:
        """Note."""
        self.closed.append(options)


def _wire(connection: Any) -> SdkWire:
    return SdkWire(connection)


@pytest.mark.parametrize(
    ("received", "read"),
    [
        (b"{}", b"{}"),
        (sdk.ConnectionClosed(4000, ""), Ended(4000)),
        (sdk.ConnectionClosed(1000, "Connection closed"), Ended(1006)),
        (sdk.ConnectionClosed(1006, "None"), Ended(1006)),
        (sdk.ConnectionClosed(1006, "No PONG received"), Ended(1006, failure="No PONG received")),
        (ConnectionResetError("reset"), Ended(1006, failure="reset")),
    ],
)
async def test_what_comes_is_a_message_or_the_end(received: bytes | Exception, read: object) -> None:
    """A close frame has a code and no reason; without one the connection broke."""
    assert await _wire(Connection(received)).receive() == read


async def test_a_message_is_sent_as_the_mapping_that_it_is() -> None:
    """The SDK would write a text as a JSON string."""
    connection = Connection()
    await _wire(connection).send(b'{"type": "response.create"}', TEXT)
    assert connection.sent == [{"type": "response.create"}]
    with pytest.raises(ConnectionError, match="gone"):
        await _wire(Connection(failure=sdk.ConnectionError("gone"))).send(b"{}", TEXT)


async def test_a_close_has_its_code_and_its_reason() -> None:
    """What is dropped is closed twice, because a time limit may cut the first."""
    connection = Connection()
    assert await _wire(connection).close(1001, "over") == 1005
    await _wire(connection).drop()
    assert connection.closed == [{"code": 1001, "reason": "over"}, {}, {}]

"""The frames that are written: every length's head, masked and not."""

import pytest
from aiohttp._websocket.helpers import websocket_mask

from gateway.network.framing import MASKED, framed

TEXT, BINARY, PING = 1, 2, 9
HEADS = {
    0: b"\x00",
    125: b"\x7d",
    126: b"\x7e\x00\x7e",
    65_535: b"\x7e\xff\xff",
    65_536: b"\x7f" + (65_536).to_bytes(8, "big"),
}


@pytest.mark.parametrize("size", HEADS)
def test_a_servers_frame_is_its_head_and_the_message(size: int) -> None:
    """RFC 6455 §5.2: one byte, two more or eight more say the length."""
    assert framed(b"x" * size, BINARY, 0) == b"\x82" + HEADS[size] + b"x" * size


@pytest.mark.parametrize("size", HEADS)
def test_a_clients_frame_is_masked(size: int) -> None:
    """RFC 6455 §5.3: by a key of four bytes, which stands before the payload."""
    written = framed(b"x" * size, BINARY, MASKED)
    head = HEADS[size]
    assert written[0] == 0x82
    assert written[1 : 1 + len(head)] == bytes((head[0] | MASKED, *head[1:]))
    key, payload = written[1 + len(head) :][:4], bytearray(written[5 + len(head) :])
    websocket_mask(key, payload)
    assert payload == b"x" * size


def test_each_frame_has_a_key_of_its_own() -> None:
    """And the message that was given stays as it is."""
    message = bytes(64)
    keys = {framed(message, BINARY, MASKED)[2:6] for _ in range(50)}
    assert len(keys) > 45
    assert message == bytes(64)


@pytest.mark.parametrize(("message", "payload"), [("grüße", "grüße".encode()), ("a\ud800b", b"a?b")])
def test_text_is_utf_8_whatever_the_opcode(message: str, payload: bytes) -> None:
    """Half of a surrogate pair is replaced: no text ends a call."""
    assert framed(message, PING, 0) == bytes((0x80 | TEXT, len(payload))) + payload


def test_bytes_go_under_the_opcode_that_is_given() -> None:
    """As a ping does."""
    assert framed(b"life?", PING, 0) == b"\x89\x05life?"

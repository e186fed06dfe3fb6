"""What every socket does with text that no frame can carry; the rest is in test_websocket.py, on each socket."""

import pytest

from gateway.sockets.message_socket import REASON_LIMIT, as_payload, as_reason


@pytest.mark.parametrize(("text", "cut"), [("going away", "going away"), ("ü" * 100, "ü" * 61), ("\ud800", "?")])
def test_a_reason_is_cut_to_what_a_close_frame_holds(text: str, cut: str) -> None:
    """RFC 6455 §5.5: 123 bytes, and no part of a character."""
    assert as_reason(text) == cut
    assert len(as_reason(text).encode()) <= REASON_LIMIT


@pytest.mark.parametrize(("message", "payload"), [("ü", b"\xc3\xbc"), (b"\xff", b"\xff"), ("a\ud800", b"a?")])
def test_no_text_ends_a_call(message: str | bytes, payload: bytes) -> None:
    """Half of a character, which UTF-8 cannot carry, is replaced."""
    assert as_payload(message) == payload

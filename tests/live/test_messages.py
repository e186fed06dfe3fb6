"""The messages between a process that has calls and who looks on."""

import msgspec

from gateway.live.messages import LiveCall, Update
from gateway.text import json_bytes


def test_an_update_is_one_line() -> None:
    """Whatever is said in it; what is empty is left out."""
    call = LiveCall(provider="twilio", call_id="CA1", line="a", started=1.0, state="talking", words="a\nb\u2028c")
    line = json_bytes(Update(calls=(call,)))
    assert b"\n" not in line
    assert msgspec.json.decode(line, type=Update).calls == (call,)
    assert set(msgspec.json.decode(line)) == {"calls"}
    assert call.key == "twilio/CA1"

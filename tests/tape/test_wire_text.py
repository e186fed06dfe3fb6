import json

from gateway.tape.form import Line
from gateway.tape.wire_text import audio_size, message_of


def test_a_message_has_audio_of_its_size_again() -> None:
    """In base64 where it was; bytes where it was bytes; words as they were."""
    line = Line(0, "phone", "in", json={"event": "media", "media": {"payload": "$audio 3 -90.0", "n": [1, "x"]}})
    message = message_of(line)
    assert isinstance(message, str)
    assert json.loads(message) == {"event": "media", "media": {"payload": "AAAA", "n": [1, "x"]}}
    assert audio_size(line) == 3
    binary = Line(0, "phone", "in", audio="$audio 4 -12.0")
    assert (message_of(binary), audio_size(binary)) == (bytes(4), 4)
    assert message_of(Line(0, "phone", "in", text="MARK g1-1")) == "MARK g1-1"


def test_what_is_no_message_has_none() -> None:
    """A ping, a note."""
    assert message_of(Line(0, "phone", "in", kind="alive")) is None
    assert audio_size(Line(0, "gateway", kind="note", facts={})) == 0

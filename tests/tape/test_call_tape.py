import json
from collections import Counter
from typing import Any

import msgspec
import pytest

from gateway.tape.call_tape import CallTape, Entry, Exchange
from gateway.tape.fakes import Fakes
from gateway.tape.form import Line
from gateway.tape.redaction import Redaction
from gateway.tape.wire_text import message_of

LOUD = "gICAgICA"


def tape(*, keep_audio: bool = False) -> CallTape:
    """A tape that began at 100 s."""
    return CallTape(Redaction(Fakes(b"key")), 100.0, keep_audio=keep_audio)


def record(made: CallTape, side: str, to: str, payload: Any, kind: str = "message") -> dict[str, Any]:
    """A line of it, read."""
    line = made.line(Entry(101.5, side, to, payload, kind, 7))
    assert line.endswith(b"\n")
    read: dict[str, Any] = json.loads(line)
    return read


@pytest.mark.parametrize(
    ("side", "message"),
    [
        ("phone", {"event": "media", "media": {"payload": LOUD}}),
        ("phone", {"kind": "AudioData", "audioData": {"data": LOUD}}),
        ("phone", {"Kind": "AudioData", "AudioData": {"Data": LOUD}}),
        ("phone", {"eventType": "media", "payload": LOUD}),
        ("voice", {"type": "input_audio_buffer.append", "audio": LOUD}),
        ("voice", {"type": "response.audio.delta", "delta": LOUD}),
    ],
)
def test_audio_is_its_size_wherever_it_stands(side: str, message: dict[str, Any]) -> None:
    """In the wires of all providers and of the service."""
    text = json.dumps(record(tape(), side, "in", json.dumps(message)))
    assert LOUD not in text
    assert "$audio 6 " in text
    assert LOUD in json.dumps(record(tape(keep_audio=True), side, "in", json.dumps(message)))


def test_the_header_of_a_binary_frame_is_kept() -> None:
    """A decoder needs it, and it is no part of the sound."""
    made = tape()
    record(made, "gateway", "", {"audio_format": "pcmu/8000", "frame_header": 4}, "started")
    shown = record(made, "phone", "in", b"\1\0\2\xff" + b"\x80" * 160)
    assert (shown["audio"], shown["head"]) == ("$audio 160 -0.2", [1, 0, 2, 255])
    assert message_of(msgspec.convert(shown, Line)) == b"\1\0\2\xff" + bytes(160)


@pytest.mark.parametrize(("facts", "level"), [({"big_endian": True}, -42.1), ({}, -90.0)])
def test_the_level_is_that_of_the_samples_in_their_order(facts: dict[str, Any], level: float) -> None:
    """As the start says it."""
    made = tape()
    record(made, "gateway", "", {"audio_format": "l16/8000", **facts}, "started")
    assert record(made, "phone", "in", b"\1\0" * 160)["audio"] == f"$audio 320 {level}"


def test_words_in_pieces_are_no_audio() -> None:
    """A transcript's delta may look like base64."""
    shown = record(tape(), "voice", "in", '{"type":"response.audio_transcript.delta","delta":"gICA"}')
    assert shown["json"]["delta"].startswith("$text 4 ")


def test_the_level_is_known_once_the_format_is() -> None:
    """Of the phone from its start, of the service from the session that was asked for."""
    made = tape()
    record(made, "gateway", "", {"audio_format": "pcmu/8000"}, "started")
    assert record(made, "phone", "in", b"\x80" * 160)["audio"] == "$audio 160 -0.2"
    assert "head" not in record(made, "phone", "out", b"\x80" * 160)
    session = {"type": "session.update", "session": {"output_audio_format": "g711_alaw"}}
    record(made, "voice", "out", json.dumps(session).encode())
    shown = record(made, "voice", "in", '{"type":"response.audio.delta","delta":"1dXV"}')
    assert shown["json"]["delta"] == "$audio 3 -72.2"


def test_a_record_has_its_time_side_and_number() -> None:
    """From the tape's clock."""
    shown = record(tape(), "phone", "out", "MARK_MEDIA g1-1")
    assert shown == {"t": 1.5, "side": "phone", "to": "out", "n": 7, "text": "MARK_MEDIA g1-1"}


def test_an_exchange_is_redacted_whole() -> None:
    """Method, address, headers, body."""
    asked = Exchange(
        {"Content-Type": "application/json", "Authorization": "Bearer x"},
        "POST",
        "https://api.twilio.com/x",
        b'{"to":"+14155550123"}',
    )
    http = record(tape(), "rest", "out", asked, "request")["http"]
    assert (http["method"], http["url"]) == ("POST", "https://api.twilio.com/x")
    assert http["headers"]["authorization"] == "$secret 8"
    assert http["json"]["to"].startswith("+999")
    failed = record(tape(), "rest", "in", Exchange({}, failure="no answer of +14155550123"), "answer")["http"]
    assert failed["failure"].startswith("no answer of +999")


@pytest.mark.parametrize("message", ["{broken", b"\xff\xfe", "[1]", "x" * 10_000, '{"a":' * 2000])
def test_any_message_becomes_a_record(message: str | bytes) -> None:
    """Whatever a peer sends, on either side."""
    for side in ("phone", "voice"):
        assert record(tape(), side, "in", message)["side"] == side


def test_a_loss_is_named() -> None:
    """By side and direction."""
    line = json.loads(tape().lost(102.0, Counter({"phone in": 3, "voice out": 1})))
    assert line == {
        "t": 2.0,
        "side": "gateway",
        "kind": "lost",
        "facts": {"count": 4, "of": {"phone in": 3, "voice out": 1}},
    }

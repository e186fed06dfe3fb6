"""Telnyx' wire, byte for byte; examples as in Telnyx' documentation."""

import base64
import json
from typing import Any

import pytest

from gateway.audio.formats import L16_16K, PCMA, PCMU
from gateway.errors import WireError
from gateway.phone.commands import EndStream, PlayAudio, SendDigits, TransferCall
from gateway.phone.events import (
    CallerAudio,
    CallStarted,
    OddMessage,
    PhoneClosed,
    PhoneEnd,
    UnknownMessage,
)
from gateway.phone.provider import Grant
from gateway.phone.providers.telnyx.g711_table import A_TO_MU, MU_TO_A
from gateway.phone.providers.telnyx.wire import TelnyxCodec
from tests.conformance.transcripts import golden

MESSAGES = golden("telnyx").messages
START = str(MESSAGES[1])
CALL = "v3:MdI91X4lWFEs7IgbBEOT9M4AigoY08M0WWZFISt1Yw2axZ_IiE4pqg"
GRANT = Grant("support", CALL, "+13125550100", "+13125550199")


def start(encoding: str = "PCMU", rate: int = 8000, **parameters: str) -> str:
    message = json.loads(START)
    message["start"]["media_format"] = {"encoding": encoding, "sample_rate": rate, "channels": 1}
    message["start"]["custom_parameters"] = parameters
    return json.dumps(message)


def started(message: str = START) -> TelnyxCodec:
    codec = TelnyxCodec(GRANT)
    codec.decode(message)
    return codec


def media(payload: bytes, **more: object) -> str:
    body = {"track": "inbound", "timestamp": "5", "payload": base64.b64encode(payload).decode(), **more}
    return json.dumps({"event": "media", "sequence_number": "4", "media": body, "stream_id": "32DE0DEA"})


def payload_of(codec: TelnyxCodec, audio: bytes) -> bytes:
    (out,) = codec.encode(PlayAudio(audio))
    message: dict[str, Any] = json.loads(out)
    return base64.b64decode(message["media"]["payload"])


def test_a_stream_of_a_static_document() -> None:
    """The stream names call and numbers itself; without our webhook it is taken for TeXML's."""
    (event,) = TelnyxCodec(Grant()).decode(START)
    assert isinstance(event, CallStarted)
    assert event.call_id == f"{CALL}@3e6f995f-85f7-4705-9741-53b116d28237"
    assert (event.caller, event.called) == ("+13125550100", "+13125550199")


def test_members_that_may_be_missing_or_null() -> None:
    """tags, client_state, custom_parameters and the rest of ``start`` are there or not."""
    message = '{"event":"start","start":{"call_control_id":"v3:x","media_format":{"encoding":"PCMU"},"from":null}}'
    (event,) = TelnyxCodec(Grant()).decode(message)
    assert isinstance(event, CallStarted)
    assert (event.call_id, event.caller, event.parameters) == ("v3:x", "", {})


def test_a_caller_in_a_law() -> None:
    """Legs outside North America: the caller's audio goes straight through, ours into the µ-law that was asked for."""
    codec = TelnyxCodec(GRANT)
    (event,) = codec.decode(start("PCMA"))
    assert isinstance(event, CallStarted)
    assert event.audio_format is PCMA
    assert codec.decode(media(b"\xd5\x55", chunk="1")) == (CallerAudio(b"\xd5\x55"),)
    assert payload_of(codec, b"\xd5\x55") == b"\xd5\x55".translate(A_TO_MU)


def test_a_static_document_tells_its_own_codec() -> None:
    """A-law both ways passes untouched; µ-law in and A-law out is put right."""
    assert payload_of(started(start("PCMA", bidirectional_codec="PCMA")), b"\xd5") == b"\xd5"
    assert payload_of(started(start("PCMU", bidirectional_codec="PCMA")), b"\xff") == b"\xff".translate(MU_TO_A)


def test_older_names_of_encodings() -> None:
    """Older documentation writes MIME types."""
    (event,) = TelnyxCodec(GRANT).decode(start("audio/x-mulaw"))
    assert isinstance(event, CallStarted)
    assert event.audio_format is PCMU


def test_l16_is_in_network_byte_order() -> None:
    """As RTP has it (RFC 3551); half a sample waits for its other half."""
    codec = TelnyxCodec(GRANT)
    (event,) = codec.decode(start("L16", 16000, bidirectional_codec="L16"))
    assert isinstance(event, CallStarted)
    assert event.audio_format is L16_16K
    assert codec.decode(media(b"\x01\x02\x03\x04", chunk="1")) == (CallerAudio(b"\x02\x01\x04\x03"),)
    assert payload_of(codec, b"\x02\x01") == b"\x01\x02"
    assert codec.decode(media(b"\x01", chunk="2")) == (OddMessage("audio that ends in half a sample"), CallerAudio(b""))
    assert codec.decode(media(b"\x02\x03", chunk="3")) == (CallerAudio(b"\x02\x01"),)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (start("G722"), "set the connection's codecs"),
        (start("OPUS", 16000), "set the connection's codecs"),
        (start("AMR-WB", 16000), "stream_codec to PCMU"),
        (start("PCMU", 16000), "set the connection's codecs"),
        (START.replace('"channels":1', '"channels":2'), "set the connection's codecs"),
        (start("L16", 16000), "set bidirectionalCodec"),
        (start("PCMU", bidirectional_codec="L16"), "set bidirectionalCodec"),
        (start("PCMU", bidirectional_codec="OPUS"), "set bidirectionalCodec"),
    ],
)
def test_formats_that_cannot_be_bridged(message: str, says: str) -> None:
    """The refusal names what to set at Telnyx."""
    with pytest.raises(WireError, match=says):
        TelnyxCodec(GRANT).decode(message)


def test_media_out_of_order_is_put_right() -> None:
    """Telnyx does not promise an order; what still waits at the end is heard before it."""
    codec = started()
    assert codec.decode(media(b"1", chunk="1")) == (CallerAudio(b"1"),)
    assert list(codec.decode(media(b"3", chunk="3"))) == []
    assert list(codec.decode(media(b"2", chunk=2))) == [CallerAudio(b"2"), CallerAudio(b"3")]
    assert list(codec.decode(media(b"5", chunk="5"))) == []
    assert codec.decode('{"event":"stop"}') == (CallerAudio(b"5"), PhoneClosed(PhoneEnd.HUNG_UP))


def test_media_without_a_number_is_passed_on_as_it_comes() -> None:
    """Nothing is known of its place."""
    assert started().decode(media(b"x")) == (CallerAudio(b"x"),)


def test_the_other_track_is_not_the_caller() -> None:
    """It would be the bot hearing itself."""
    assert started().decode(media(b"x", track="outbound", chunk="1")) == ()


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (b"\x00", "binary"),
        ("not json", "not a Telnyx"),
        ('{"event":"media","x":' + "[" * 100_000, "not a Telnyx"),
        ('{"event":"media"}', "without its media member"),
        ('{"event":"dtmf","dtmf":{"digit":"E"}}', "is not a key"),
        ('{"event":"mark"}', "mark without"),
        (START, "second start"),
    ],
)
def test_broken_messages(message: str | bytes, says: str) -> None:
    """What breaks the protocol is a WireError that names the rule."""
    with pytest.raises(WireError, match=says):
        started().decode(message)


@pytest.mark.parametrize("chunk", ["one", "9" * 5000, "", None, [], {}, 1.5, "2.5"])
def test_audio_without_a_usable_number_is_passed_on_as_it_comes(chunk: object) -> None:
    """The order is lost, the words are not."""
    codec = started()
    codec.decode(media(b"a", chunk=1))
    assert codec.decode(media(b"c", chunk=3)) == []
    assert codec.decode(media(b"x", chunk=chunk))[-1:] == (CallerAudio(b"x"),)


def test_what_the_wire_has_no_word_for() -> None:
    """Keys, transfer and the end go by the REST API; an unknown message is counted."""
    for command in (EndStream(), SendDigits("1"), TransferCall("+1")):
        assert started().encode(command) == ()
    assert started().decode('{"event":"brand-new"}') == (UnknownMessage("brand-new"),)

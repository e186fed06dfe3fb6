"""Twilio's side of the media stream as text."""

import base64
import json

import pytest

from gateway.audio.formats import PCMA, PCMU
from gateway.errors import WireError
from gateway.sim.twilio_wire import Clear, Mark, Media, TwilioWire, incoming_call, parse_answer, signature

PARAMETERS = {
    "CallSid": "CA1234567890ABCDE",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
    "Caller": "+14158675309",
}


@pytest.fixture
def wire() -> TwilioWire:
    """A fresh stream."""
    return TwilioWire(PCMU, call_sid="CA" + "1" * 32)


def test_messages_are_those_of_the_vendor_s_document(wire: TwilioWire) -> None:
    """Numbers as strings, one count over all messages but the first, the stream's id twice in start."""
    sid = wire.stream_sid
    call = {"accountSid": wire.account_sid, "callSid": wire.call_sid}
    assert json.loads(wire.connected()) == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    assert json.loads(wire.start({"from": "+1", "to": "+2"})) == {
        "event": "start",
        "sequenceNumber": "1",
        "start": {
            **call,
            "streamSid": sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"from": "+1", "to": "+2"},
        },
        "streamSid": sid,
    }
    assert json.loads(wire.media(b"\xff" * 160, 20)) == {
        "event": "media",
        "sequenceNumber": "2",
        "media": {
            "track": "inbound",
            "chunk": "1",
            "timestamp": "20",
            "payload": base64.b64encode(b"\xff" * 160).decode(),
        },
        "streamSid": sid,
    }
    assert json.loads(wire.dtmf("#")) == {
        "event": "dtmf",
        "streamSid": sid,
        "sequenceNumber": "3",
        "dtmf": {"track": "inbound_track", "digit": "#"},
    }
    assert json.loads(wire.mark('say "x"')) == {
        "event": "mark",
        "sequenceNumber": "4",
        "streamSid": sid,
        "mark": {"name": 'say "x"'},
    }
    assert json.loads(wire.media(b"", 40))["media"]["chunk"] == "2"
    assert json.loads(wire.stop()) == {"event": "stop", "sequenceNumber": "6", "stop": call, "streamSid": sid}


def test_an_a_law_call_says_so() -> None:
    """The media format names the encoding that the frames have."""
    assert json.loads(TwilioWire(PCMA).start({}))["start"]["mediaFormat"]["encoding"] == "audio/x-alaw"


def test_identifiers_have_two_letters_and_32_hexadecimal_digits() -> None:
    """Fresh for each call."""
    first, second = TwilioWire(PCMU), TwilioWire(PCMU)
    assert first.stream_sid != second.stream_sid
    assert (first.stream_sid[:2], len(first.stream_sid)) == ("MZ", 34)
    assert (first.call_sid[:2], len(first.call_sid)) == ("CA", 34)


def test_the_three_orders_are_understood(wire: TwilioWire) -> None:
    """media, mark and clear, and nothing more."""
    sid = wire.stream_sid
    media = wire.parse(f'{{"event":"media","streamSid":"{sid}","media":{{"payload":"AQID"}}}}')
    assert isinstance(media, Media)
    assert media.media.payload == b"\x01\x02\x03"
    mark = wire.parse(f'{{"event":"mark","streamSid":"{sid}","mark":{{"name":"g1-1"}}}}')
    assert isinstance(mark, Mark)
    assert mark.mark.name == "g1-1"
    assert isinstance(wire.parse(f'{{"event":"clear","streamSid":"{sid}"}}'), Clear)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("hello", "malformed"),
        ("[]", "Expected `object`"),
        ('{"streamSid":"SID"}', "missing required field `event`"),
        ('{"event":"hangup","streamSid":"SID"}', "Invalid value 'hangup'"),
        ('{"event":"clear"}', "missing required field `streamSid`"),
        ('{"event":"clear","stream_sid":"SID"}', "unknown field `stream_sid`"),
        ('{"event":"clear","streamSid":"MZ00"}', "is not this stream's"),
        ('{"event":"clear","streamSid":"SID","at":1}', "unknown field `at`"),
        ('{"event":"mark","streamSid":"SID","mark":{}}', "missing required field `name`"),
        ('{"event":"mark","streamSid":"SID","mark":{"name":1}}', "Expected `str`"),
        ('{"event":"media","streamSid":"SID","media":{"payload":"AQID","track":"out"}}', "unknown field `track`"),
        ('{"event":"media","streamSid":"SID","media":{"payload":"A"}}', "base64"),
        ('{"event":"media","streamSid":"SID","media":{"payload":"UklGRg=="}}', "begins with a file header"),
    ],
)
def test_everything_else_is_invalid(wire: TwilioWire, message: str, reason: str) -> None:
    """A wrong id, a missing or extra field, an unknown event, no JSON: the reason and the message are told."""
    with pytest.raises(WireError, match=reason):
        wire.parse(message.replace("SID", wire.stream_sid))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://mycompany.com/myapp.php?foo=1&bar=2", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        ("https://mycompany.com:443/myapp.php?foo=1&bar=2", "kvajT1Ptam85bY51eRf/AJRuM3w="),
        ("http://mycompany.com:1234/myapp.php?foo=1&bar=2", "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
    ],
)
def test_requests_are_signed_as_in_the_vendor_s_library(url: str, expected: str) -> None:
    """The vectors of twilio-python's own tests."""
    assert signature("12345", url, PARAMETERS) == expected


def test_the_upgrade_is_signed_over_its_url_alone() -> None:
    """A WebSocket upgrade has no form."""
    assert signature("12345", "wss://mycompany.com/media") == "okykUWKkAOgQseVjzERZh4soLeU="


def test_an_incoming_call_names_both_numbers_twice() -> None:
    """From and Caller, To and Called."""
    form = incoming_call("AC0", "CA0", to="+2", from_="+1")
    assert (form["From"], form["Caller"], form["To"], form["Called"]) == ("+1", "+1", "+2", "+2")
    assert form["CallStatus"] == "ringing"


def test_the_stream_of_an_answer_is_found() -> None:
    """Its URL loses the query, as Twilio drops it; its parameters go into start."""
    answer = parse_answer(
        '<?xml version="1.0" encoding="UTF-8"?><Response><Connect><Stream url="wss://gw.example.com/stream/x?t=1">'
        '<Parameter name="from" value="+1"/><Parameter name="to" value="+2"/></Stream></Connect><Hangup/></Response>',
        "https://gw.example.com/answer/twilio",
    )
    assert answer.url == "wss://gw.example.com/stream/x"
    assert answer.parameters == {"from": "+1", "to": "+2"}


def test_a_relative_stream_url_is_of_the_same_host() -> None:
    """Over WebSocket with the same security."""
    document = '<Response><Connect><Stream url="/stream/twilio"/></Connect></Response>'
    assert parse_answer(document, "http://127.0.0.1:8080/answer/twilio").url == "ws://127.0.0.1:8080/stream/twilio"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("not XML", "is not XML"),
        ("<Response><Hangup/></Response>", "connects no stream"),
        ("<Response><Start><Stream url='wss://x/y'/></Start></Response>", "connects no stream"),
        ("<Response><Connect><Stream/></Connect></Response>", "connects no stream"),
        ("<Response><Connect><Stream url='wss://x' track='both_tracks'/></Connect></Response>", "31941"),
    ],
)
def test_an_answer_without_a_usable_stream_is_refused(document: str, reason: str) -> None:
    """The reason names the webhook and shows the document."""
    with pytest.raises(WireError, match=reason):
        parse_answer(document, "https://gw.example.com/answer/twilio")

"""Exotel's wire, byte for byte, and its HTTP; examples as in Exotel's own documentation and sample."""

import base64
import json
from collections.abc import Mapping

import pytest
from pydantic import SecretStr

from gateway.audio.formats import L16_8K, L16_16K, L16_24K, PCMA, PCMU, AudioFormat
from gateway.config import providers as settings
from gateway.errors import WireError
from gateway.phone.commands import EndStream, PlayAudio, SendDigits, TransferCall
from gateway.phone.events import (
    CallStarted,
    UnknownMessage,
)
from gateway.phone.provider import Grant, Proof, SignatureError, Upgrade
from gateway.phone.providers.exotel.provider import Exotel, ExotelCodec, playout_of
from gateway.phone.webhook import After, CallStatus, Connect, IncomingCall, WebhookRequest
from tests.conformance.own import basic_header
from tests.conformance.transcripts import golden
from tests.conformance.wires import GONE
from tests.phone.parts import after_stream, answer_call, hang_up, send_digits, setup, transfer, webhooks

MESSAGES = golden("exotel").messages
START = str(MESSAGES[1])
URL = "https://gw.example.com/answer/exotel"
exotel = Exotel(settings.Exotel(stream_secret=SecretStr("s3cr:et")), setup("exotel"))
bare = Exotel(settings.Exotel(), setup("exotel"))


def fresh(grant: Grant | None = None) -> ExotelCodec:
    return exotel.codec(Upgrade(), grant or Grant())


def started() -> ExotelCodec:
    codec = fresh()
    codec.decode(START)
    return codec


def start(encoding: str, rate: int | str) -> str:
    message = json.loads(START)
    message["start"]["media_format"] = {"encoding": encoding, "sample_rate": rate}
    return json.dumps(message)


@pytest.mark.parametrize("audio_format", [L16_8K, L16_16K, L16_24K, PCMU, PCMA])
def test_pieces_have_the_size_that_exotel_wants(audio_format: AudioFormat) -> None:
    """At least 3,200 bytes, a multiple of 320, at most 100,000 even when the whole lead is sent at once."""
    playout = playout_of(audio_format)
    size = audio_format.bytes_for(playout.frame_ms)
    assert size >= 3200
    assert size % 320 == 0
    assert playout.lead_ms % playout.frame_ms == 0
    assert audio_format.bytes_for(playout.lead_ms) <= 100_000


def test_the_vendor_s_sample_spells_it_otherwise() -> None:
    """Both spellings of ids are read, and numbers that are no strings."""
    message = {
        "event": "start",
        "streamSid": "MZ02",
        "start": {"callSid": "CA02", "from": "919876543210", "media_format": {"sample_rate": 16000}},
    }
    (event,) = fresh().decode(json.dumps(message))
    assert isinstance(event, CallStarted)
    assert (event.call_id, event.stream_id, event.audio_format) == ("CA02", "MZ02", L16_16K)
    assert (event.caller, event.called) == ("919876543210", "")


def test_our_webhook_s_word_counts_before_the_stream_s() -> None:
    """A stream that holds the token of one call cannot pass for another."""
    (event,) = fresh(Grant("support", "CA01", "+1", "+2")).decode(START)
    assert isinstance(event, CallStarted)
    assert (event.call_id, event.caller, event.called) == ("CA01", "+1", "+2")
    with pytest.raises(WireError, match="another call"):
        fresh(Grant("support", "CA99", "+1", "+2")).decode(START)


@pytest.mark.parametrize(
    ("encoding", "rate", "audio_format"),
    [
        ("audio/x-raw", "16000", L16_16K),
        ("base64", 24000, L16_24K),
        ("raw/slin", "8000", L16_8K),
        ("audio/L16;rate=8000", 8000, L16_8K),
        ("audio/x-mulaw;rate=8000", "8000", PCMU),
        ("audio/x-alaw", 8000, PCMA),
    ],
)
def test_the_start_message_decides_the_format(encoding: str, rate: int | str, audio_format: AudioFormat) -> None:
    """The documents give linear audio many names; ExoML's default is µ-law."""
    (event,) = fresh().decode(start(encoding, rate))
    assert isinstance(event, CallStarted)
    assert event.audio_format is audio_format


@pytest.mark.parametrize(("encoding", "rate"), [("audio/x-raw", 44100), ("opus", 8000), ("audio/x-mulaw", "16000")])
def test_formats_that_cannot_be_bridged(encoding: str, rate: int | str) -> None:
    """The refusal names what to set at Exotel."""
    with pytest.raises(WireError, match="set sample-rate"):
        fresh().decode(start(encoding, rate))


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (b"\x00", "binary"),
        ("not json", "not an AgentStream message"),
        ('{"event":"media","x":' + "[" * 100_000, "not an AgentStream message"),
        ('{"event":"media"}', "without its media member"),
        ('{"event":"dtmf","dtmf":{"digit":"55"}}', "is not a key"),
        ('{"event":"mark"}', "mark without"),
        (START, "second start"),
    ],
)
def test_broken_messages(message: str | bytes, says: str) -> None:
    """What breaks the protocol is a WireError that names the rule."""
    with pytest.raises(WireError, match=says):
        started().decode(message)


def test_a_start_without_ids() -> None:
    """Nothing could be sent to it."""
    with pytest.raises(WireError, match="stream_sid or call_sid"):
        fresh().decode('{"event":"start","start":{}}')


def test_the_other_track_and_the_unknown() -> None:
    """The other track would be the bot hearing itself; an unknown event is counted, not refused."""
    message = json.dumps({"event": "media", "media": {"track": "outbound", "payload": ""}})
    assert started().decode(message) == ()
    assert started().decode('{"event":"clear"}') == (UnknownMessage("clear"),)


@pytest.mark.parametrize("value", [GONE, None, 7, "7", -1, 0.5, 10**30, "", "x", True, [], {}])
@pytest.mark.parametrize("member", ["sequence_number", "chunk", "timestamp", "duration"])
def test_numbers_that_nobody_needs(member: str, value: object) -> None:
    """In whatever shape the messages bring them, or without them, each says the same."""
    given, plain = fresh(), fresh()
    for text in MESSAGES:
        message = json.loads(text)
        for place in (message, message.get("media"), message.get("dtmf")):
            if place is None or (place is message) != (member == "sequence_number"):
                continue
            place.pop(member, None)
            if value is not GONE:
                place[member] = value
        assert given.decode(json.dumps(message)) == plain.decode(text)


def test_what_the_wire_has_no_word_for() -> None:
    """Keys and transfer there are not; the end is the closed socket."""
    for command in (EndStream(), SendDigits("1"), TransferCall("+1")):
        assert started().encode(command) == ()


def test_a_hostile_stream_id_stays_inside_its_string() -> None:
    """The stream id comes from the peer and goes back out: quotes in it must not end the string."""
    message = json.loads(START)
    message["stream_sid"] = hostile = 'x","event":"clear'
    codec = fresh()
    codec.decode(json.dumps(message))
    (out,) = codec.encode(PlayAudio(b"\x00"))
    assert (json.loads(out)["stream_sid"], json.loads(out)["event"]) == (hostile, "media")


def basic(user: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_credentials_of_the_applet_s_address() -> None:
    """Any user, the stream secret as password: they prove stream and request alike."""
    right = basic("gateway", "s3cr:et")
    assert exotel.verify_upgrade(Upgrade(headers=right), 0) is Proof.STREAM
    assert webhooks(exotel).verify(WebhookRequest("GET", URL, right), 0) == ""
    assert exotel.verify_upgrade(Upgrade(), 0) is Proof.NONE
    assert bare.verify_upgrade(Upgrade(headers=right), 0) is Proof.NONE
    with pytest.raises(SignatureError, match="EXOTEL_STREAM_SECRET"):
        webhooks(bare).verify(WebhookRequest("GET", URL, right), 0)
    with pytest.raises(SignatureError, match="Basic"):
        webhooks(exotel).verify(WebhookRequest("GET", URL, {}), 0)


@pytest.mark.parametrize(
    "wrong",
    [
        basic("gateway", "s3cr:e"),
        basic("gateway", "s3cr:et2"),
        basic("s3cr:et", ""),
        {"authorization": "Basic ***"},
        {"authorization": "Basic é\udce9"},
        {"authorization": "Basic " + base64.b64encode(b"nocolon").decode()},
        {"authorization": "Bearer s3cr:et"},
    ],
)
def test_wrong_credentials(wrong: dict[str, str]) -> None:
    """They are refused, whatever is wrong with them."""
    with pytest.raises(SignatureError):
        exotel.verify_upgrade(Upgrade(headers=wrong), 0)
    with pytest.raises(SignatureError):
        webhooks(exotel).verify(WebhookRequest("GET", URL, wrong), 0)


def test_the_applet_is_answered_with_an_address() -> None:
    """A dynamic endpoint: the stream's URL as JSON, and nothing else."""
    query = [("CallSid", "CA01"), ("CallFrom", "09876543210"), ("CallTo", "918047491899"), ("Direction", "incoming")]
    call = webhooks(exotel).incoming(WebhookRequest("GET", URL, {}, query=query))
    assert call == IncomingCall("CA01", "09876543210", "918047491899")
    answer = answer_call(exotel, call, Connect("wss://gw.example.com/stream/exotel/support/tok", After(say="Bye")))
    assert (answer.content_type, answer.status, answer.requests) == ("application/json", 200, ())
    assert answer.body == '{"url":"wss://gw.example.com/stream/exotel/support/tok"}'
    with pytest.raises(WireError, match="CallSid"):
        webhooks(exotel).incoming(WebhookRequest("GET", URL, {}))


def test_there_is_no_call_control() -> None:
    """The stream is closed, and the flow goes on with its next applet."""
    assert hang_up(exotel, "CA01") == transfer(exotel, "CA01", "+1") == send_digits(exotel, "CA01", "1") == ()
    assert after_stream(exotel, "CA01", After(transfer="+1")) == ()


def test_status_callback() -> None:
    """Of a call that the API made."""
    form = [("CallSid", "CA01"), ("EventType", "terminal"), ("Status", "completed")]
    assert webhooks(exotel).status(WebhookRequest("POST", URL, {}, form)) == (CallStatus("CA01", "completed", True),)
    with pytest.raises(WireError, match="Status"):
        webhooks(exotel).status(WebhookRequest("POST", URL, {}, form[:1]))


def sign(secrets: Mapping[str, str], url: str, body: bytes) -> Mapping[str, str]:
    """The headers of a webhook, as the simulated end signs it."""
    return basic_header("x", secrets["stream_secret"])

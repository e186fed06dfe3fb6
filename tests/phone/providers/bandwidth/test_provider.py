"""Bandwidth's wire, byte for byte, and its HTTP; examples as in Bandwidth's own documentation."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import SecretStr

from gateway.audio.formats import PCMU
from gateway.config import providers as settings
from gateway.errors import WireError
from gateway.phone.events import CallStarted, UnknownMessage
from gateway.phone.provider import Grant, Proof, SignatureError, Upgrade
from gateway.phone.providers.bandwidth.provider import TRAITS, Bandwidth, BandwidthCodec
from gateway.phone.requests import HttpRequest
from gateway.phone.webhook import (
    STREAM_ENDED,
    After,
    Answer,
    CallStatus,
    Connect,
    IncomingCall,
    StreamEnded,
    WebhookRequest,
)
from tests.conformance.own import basic_header
from tests.conformance.transcripts import golden
from tests.phone.parts import after_stream, answer_call, hang_up, send_digits, setup, transfer, verify_upgrade, webhooks

CALL = "c-2a913f94-7fa91773-a426-4118-8b8b-b691ab0a0ae1"
MESSAGES = golden("bandwidth").messages
START = str(MESSAGES[0])
GRANT = Grant("support", CALL, "+14155550100", "+14155550199")
ANSWER_URL = "https://gw.example.com/answer/bandwidth"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<Response>'
BASIC = "Basic " + base64.b64encode(b"bw:pass:word").decode()

bandwidth = Bandwidth(
    settings.Bandwidth(
        account_id="5555555",
        client_id="client",
        client_secret=SecretStr("secret"),
        webhook_user="bw",
        webhook_password=SecretStr("pass:word"),
    ),
    setup("bandwidth", ANSWER_URL),
)
bare = Bandwidth(settings.Bandwidth(), setup("bandwidth", ANSWER_URL))


def started() -> BandwidthCodec:
    codec = BandwidthCodec(GRANT)
    codec.decode(START)
    return codec


def start_with(**metadata: object) -> str:
    message = json.loads(START)
    message["metadata"].update(metadata)
    return json.dumps(message)


def webhook(event: object, query: tuple[tuple[str, str], ...] = ()) -> WebhookRequest:
    return WebhookRequest("POST", ANSWER_URL, {"authorization": BASIC}, body=json.dumps(event).encode(), query=query)


INITIATE = {
    "eventType": "initiate",
    "accountId": "5555555",
    "applicationId": "04e88489-df02-4e34-a0ee-27a91849555f",
    "callId": CALL,
    "from": "+14155550100",
    "to": "+14155550199",
    "direction": "inbound",
    "callUrl": f"https://voice.bandwidth.com/api/v2/accounts/5555555/calls/{CALL}",
    "startTime": "2026-01-01T00:00:00.000Z",
}


def test_nothing_confirms_playback() -> None:
    """So the ledger computes what was heard, and asks for no marks."""
    assert not TRAITS.playout.returns_marks


def test_the_stream_s_word_counts_where_our_webhook_said_nothing() -> None:
    """A static document can pass the numbers as parameters."""
    message = json.loads(START)
    message["streamParams"] = {"from": "+1", "to": "+2"}
    (event,) = BandwidthCodec(Grant()).decode(json.dumps(message))
    assert isinstance(event, CallStarted)
    assert (event.call_id, event.caller, event.called) == (CALL, "+1", "+2")


@pytest.mark.parametrize("encoding", ["PCMU", "audio/PCMU", "audio/pcmu"])
def test_both_documented_names_of_the_encoding_are_taken(encoding: str) -> None:
    """The documents write it in two ways; parameters may be missing."""
    track = {"name": "inbound", "mediaFormat": {"encoding": encoding, "sampleRate": 8000}}
    message = json.loads(start_with(tracks=[{"name": "outbound"}, track]))
    del message["streamParams"]
    (event,) = BandwidthCodec(Grant()).decode(json.dumps(message))
    assert isinstance(event, CallStarted)


def test_the_other_track_is_not_the_caller() -> None:
    """Audio of the outbound track would be the bot hearing itself."""
    assert started().decode('{"eventType":"media","track":"outbound","payload":"AA=="}') == ()


def test_an_unknown_event_is_counted() -> None:
    """It does not end the call."""
    assert started().decode('{"eventType":"brand-new","sequenceNumber":7}') == (UnknownMessage("brand-new"),)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (b"\x00\x01", "binary"),
        ("not json", "not a stream message"),
        ("[" * 100_000, "not a stream message"),
        ("\udc80", "not a stream message"),
        ("{}", "eventType"),
        ('{"eventType":"media"}', "without its payload"),
        ('{"eventType":"media","payload":"*"}', "payload"),
        ('{"eventType":"start"}', "without its metadata"),
        (START, "second start"),
    ],
)
def test_broken_messages(message: str | bytes, says: str) -> None:
    """What breaks the protocol is a WireError that names the rule."""
    with pytest.raises(WireError, match=says):
        started().decode(message)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (start_with(tracks=[{"name": "outbound"}]), 'expected tracks="inbound"'),
        (START.replace("PCMU", "opus"), "expected PCMU"),
        (START.replace("8000", "16000"), "16000 Hz"),
        (start_with(callId=None), "callId"),
    ],
)
def test_broken_starts(message: str, says: str) -> None:
    """A call that cannot be carried is refused at once."""
    with pytest.raises(WireError, match=says):
        BandwidthCodec(Grant()).decode(message)


def test_credentials_of_the_webhook() -> None:
    """User and password, which may contain a colon; nothing in them must not come twice."""
    assert webhooks(bandwidth).verify(webhook(INITIATE), 0.0) == ""


@pytest.mark.parametrize("at", range(len(BASIC)))
def test_any_altered_byte_of_the_credentials_is_refused(at: int) -> None:
    """Whichever it is; only the letter case of the scheme is free (RFC 9110 §11.1)."""
    altered = BASIC[:at] + ("A" if BASIC[at] != "A" else "B") + BASIC[at + 1 :]
    if altered.lower() == BASIC.lower():
        altered = BASIC[:-1]
    with pytest.raises(SignatureError):
        webhooks(bandwidth).verify(WebhookRequest("POST", ANSWER_URL, {"authorization": altered}), 0.0)


@pytest.mark.parametrize("given_", ["", "Basic", "Basic é", "Bearer x", "Basic \udc80", "Basic Ync6"])
def test_missing_credentials_are_refused(given_: str) -> None:
    """Nothing, half of it, or something else."""
    with pytest.raises(SignatureError):
        webhooks(bandwidth).verify(WebhookRequest("POST", ANSWER_URL, {"authorization": given_}), 0.0)


def test_without_configured_credentials_nothing_is_believed() -> None:
    """Not even empty ones; the log names what is missing."""
    empty = "Basic " + base64.b64encode(b":").decode()
    with pytest.raises(SignatureError, match="BANDWIDTH_WEBHOOK_PASSWORD"):
        webhooks(bare).verify(WebhookRequest("POST", ANSWER_URL, {"authorization": empty}), 0.0)


def test_the_upgrade_proves_nothing() -> None:
    """A stream needs its token."""
    assert verify_upgrade(bandwidth, Upgrade("wss://gw.example.com/stream/bandwidth"), 0.0) is Proof.NONE


@pytest.mark.parametrize("event_type", ["initiate", "answer"])
def test_incoming_call(event_type: str) -> None:
    """An inbound call, and one made by the API that was answered."""
    event = INITIATE | {"eventType": event_type}
    assert webhooks(bandwidth).incoming(webhook(event)) == IncomingCall(CALL, "+14155550100", "+14155550199")


def test_other_webhooks_are_taken_without_an_answer() -> None:
    """``transferComplete`` and the like want none, nor does the end of a call that is asked what follows a stream."""
    assert webhooks(bandwidth).incoming(webhook(INITIATE | {"eventType": "transferComplete"})) == Answer(status=204)
    assert webhooks(bandwidth).incoming(webhook(INITIATE | {"eventType": "disconnect"}, (STREAM_ENDED,))) == Answer(
        status=204
    )
    assert isinstance(
        webhooks(bandwidth).incoming(webhook(INITIATE | {"eventType": "redirect"}, (STREAM_ENDED,))), StreamEnded
    )


@pytest.mark.parametrize(
    "event", [{}, [], {"eventType": "initiate"}, {"callId": CALL}, {"eventType": [1], "callId": 2}]
)
def test_webhooks_that_are_none(event: object) -> None:
    """Neither a call nor a status."""
    for read in (webhooks(bandwidth).incoming, webhooks(bandwidth).status):
        with pytest.raises(WireError):
            read(webhook(event))


def test_answer_document() -> None:
    """The stream does not hold the call, the verb behind it does; then what the line wants, and the end."""
    call = IncomingCall(CALL, "+14155550100", "+14155550199")
    connect = Connect("wss://gw.example.com/stream/bandwidth/support/tok", After("Bye & <b>.", "en-US", "+14155550111"))
    assert answer_call(bandwidth, call, connect) == Answer(
        HEAD + '<StartStream name="gateway" mode="bidirectional" tracks="inbound"'
        ' destination="wss://gw.example.com/stream/bandwidth/support/tok"/>'
        '<StopStream name="gateway" wait="true"/>'
        '<SpeakSentence locale="en_US">Bye &amp; &lt;b&gt;.</SpeakSentence>'
        "<Transfer><PhoneNumber>+14155550111</PhoneNumber></Transfer><Hangup/></Response>\n",
        "application/xml",
        audio_format=PCMU,
    )
    assert after_stream(bandwidth, CALL, connect.on_failure) == ()


def test_the_shortest_answer_document() -> None:
    """Without anything to follow, the call ends with the stream."""
    shortest = answer_call(bandwidth, IncomingCall(CALL, "", ""), Connect("wss://gw/s"))
    assert shortest.body.endswith('<StopStream name="gateway" wait="true"/><Hangup/></Response>\n')


def test_status() -> None:
    """``disconnect`` is the end, whatever its cause."""
    event = INITIATE | {"eventType": "disconnect", "cause": "hangup"}
    assert webhooks(bandwidth).status(webhook(event)) == (CallStatus(CALL, "disconnect", ended=True),)
    assert webhooks(bandwidth).status(webhook(INITIATE)) == (CallStatus(CALL, "initiate", ended=False),)


TOKEN = HttpRequest(
    "POST",
    "https://api.bandwidth.com/api/v1/oauth2/token",
    {
        "Authorization": "Basic " + base64.b64encode(b"client:secret").decode(),
        "Content-Type": "application/x-www-form-urlencoded",
    },
    b"grant_type=client_credentials",
    repeatable=True,
)


def update(body: dict[str, Any], **meaning: Any) -> tuple[HttpRequest, HttpRequest]:
    """The request that changes a call, after the one for its token."""
    return TOKEN, HttpRequest(
        "POST",
        f"https://voice.bandwidth.com/api/v2/accounts/5555555/calls/{CALL}",
        {"Authorization": "Bearer token", "Content-Type": "application/json"},
        json.dumps(body, separators=(",", ":")).encode(),
        **meaning,
    )


def test_hang_up() -> None:
    """With a token fetched first; a call that is gone is as good as ended."""
    assert hang_up(bandwidth, CALL) == update({"state": "completed"}, gone=(404,), repeatable=True)
    assert hang_up(bandwidth, "a/../b")[1].url.endswith("/calls/a%2F..%2Fb")


@pytest.mark.parametrize(
    ("target", "query", "element"),
    [("+14155550111", "%2B14155550111", "PhoneNumber"), ("sip:a&b@example.com", "sip%3Aa%26b%40example.com", "SipUri")],
)
def test_transfer(target: str, query: str, element: str) -> None:
    """The call is sent to a document of ours, which then dials."""
    url = f"{ANSWER_URL}?transfer={query}"
    assert transfer(bandwidth, CALL, target) == update(
        {"state": "active", "redirectUrl": url, "redirectMethod": "POST"}
    )
    asked = webhook(INITIATE | {"eventType": "redirect"}, (("transfer", target),))
    written = target.replace("&", "&amp;")
    assert webhooks(bandwidth).incoming(asked) == Answer(
        f"{HEAD}<Transfer><{element}>{written}</{element}></Transfer></Response>\n", "application/xml"
    )


def test_what_there_is_not() -> None:
    """No digits out; no call control without credentials, and no transfer without our own address."""
    assert send_digits(bandwidth, CALL, "1") == ()
    assert hang_up(bare, CALL) == transfer(bare, CALL, "+1") == ()
    assert transfer(Bandwidth(settings.Bandwidth(), setup("bandwidth")), CALL, "+1") == ()


def sign(secrets: Mapping[str, str], url: str, body: bytes) -> Mapping[str, str]:
    """The headers of a webhook, as the simulated end signs it."""
    return basic_header(secrets["webhook_user"], secrets["webhook_password"])


ANNOUNCED = (
    INITIATE,
    {"eventType", "callId"},
)
"""A call announced by JSON, and the places that it needs."""
ENDED = (
    INITIATE | {"eventType": "disconnect", "cause": "hangup"},
    {"eventType", "callId"},
)
"""A callback that a call has ended, and the places that it needs."""

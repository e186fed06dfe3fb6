"""Telnyx' webhooks, signature, answers and call control; examples as in Telnyx' documentation."""

import base64
import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from gateway.config import providers as settings
from gateway.errors import WireError
from gateway.phone.provider import Proof, SignatureError, Upgrade
from gateway.phone.providers.telnyx.provider import Telnyx
from gateway.phone.requests import HttpRequest
from gateway.phone.webhook import After, Answer, CallStatus, Connect, IncomingCall, WebhookRequest
from gateway.sim.providers import telnyx as simulated
from tests.phone.parts import after_stream, answer_call, hang_up, send_digits, setup, transfer, webhooks

PUBLIC_KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
"""RFC 8032 §7.1, test 1."""
PRIVATE_KEY = Ed25519PrivateKey.from_private_bytes(
    bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
)
URL = "https://gw.example.com/answer/telnyx"
NOW = 1_700_000_000
CALL = "v3:MdI91X4lWFEs7IgbBEOT9M4AigoY08M0WWZFISt1Yw2axZ_IiE4pqg"
ACCOUNT = "3e6f995f-85f7-4705-9741-53b116d28237"
TEXML_CALL = f"{CALL}@{ACCOUNT}"
EVENT_ID = "0ccc7b54-4df3-4bca-a65a-3da1ecc777f0"
API = "https://api.telnyx.com/v2"
AUTHORIZED = {"Authorization": "Bearer KEY0123", "Content-Type": "application/json"}
STREAM_URL = "wss://gw.example.com/stream/telnyx/support/tok"
telnyx = Telnyx(
    settings.Telnyx(api_key=SecretStr("KEY0123"), public_key=PUBLIC_KEY, stream_secret=SecretStr("s3cret")),
    setup("telnyx"),
)
bare = Telnyx(settings.Telnyx(), setup("telnyx"))


def event(kind: str, **payload: object) -> WebhookRequest:
    data = {"event_type": kind, "id": EVENT_ID, "payload": payload, "record_type": "event"}
    return WebhookRequest("POST", URL, {}, body=json.dumps({"data": data, "meta": {"attempt": 1}}).encode())


def initiated(**more: object) -> WebhookRequest:
    payload = {
        "call_control_id": CALL,
        "client_state": None,
        "connection_codecs": "PCMA,PCMU",
        "direction": "incoming",
        "from": "+13125550100",
        "state": "parked",
        "to": "+13125550199",
        **more,
    }
    return event("call.initiated", **payload)


def form(**fields: str) -> WebhookRequest:
    return WebhookRequest("POST", URL, {}, list(fields.items()))


def body_of(request: HttpRequest) -> dict[str, Any]:
    return dict(json.loads(request.body))


def signed(body: bytes, timestamp: str = str(NOW), signature: str | None = None) -> WebhookRequest:
    made = base64.b64encode(PRIVATE_KEY.sign(timestamp.encode() + b"|" + body)).decode()
    headers = {"telnyx-timestamp": timestamp, "telnyx-signature-ed25519": made if signature is None else signature}
    return WebhookRequest("POST", URL, headers, body=body)


BODY = b'{"data":{"event_type":"call.initiated"}}'
SIGNATURE = "MGVTDtGuYLW5kjFwnqNofgeDUyzsF7r4H1L6jz1lD6palyxYTP6fEPDmGoaV769eef2agFBoHmAp47aBRgOyAw=="


def test_signature_vector() -> None:
    """Ed25519 over time, a bar and the raw body; the same as the library makes it from the RFC's private key."""
    key = hashlib.sha256(f"{NOW}|".encode() + BODY).hexdigest()
    assert webhooks(telnyx).verify(signed(BODY, signature=SIGNATURE), NOW) == key
    assert signed(BODY).headers["telnyx-signature-ed25519"] == SIGNATURE


def test_the_event_s_id_may_not_come_twice() -> None:
    """An event is delivered again under the same id, signed anew and numbered; a form of TeXML has none."""
    assert webhooks(telnyx).verify(signed(initiated().body), NOW) == EVENT_ID
    texml = signed(b"CallSid=v3%3Ax")
    assert webhooks(telnyx).verify(texml, NOW) == hashlib.sha256(f"{NOW}|".encode() + texml.body).hexdigest()
    again = initiated().body.replace(b'"data"', b'"meta":{"attempt":2},"data"', 1)
    assert webhooks(telnyx).verify(signed(again, str(NOW + 9)), NOW) == EVENT_ID


def test_another_spelling_of_a_signature_makes_no_other_request() -> None:
    """The last letter of base64 has spare bits: the same bytes have sixteen spellings."""
    spellings = [f"{SIGNATURE[:-3]}{letter}==" for letter in "wxyz0123456789+/"]
    assert {base64.b64decode(spelling) for spelling in spellings} == {base64.b64decode(SIGNATURE)}
    keys = {webhooks(telnyx).verify(signed(BODY, signature=spelling), NOW) for spelling in spellings}
    assert keys == {webhooks(telnyx).verify(signed(BODY), NOW)}


def test_every_altered_byte_is_refused() -> None:
    """Body, time and signature are all bound."""
    for place in range(len(BODY)):
        altered = BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :]
        with pytest.raises(SignatureError):
            webhooks(telnyx).verify(signed(altered, signature=SIGNATURE), NOW)
    raw = base64.b64decode(SIGNATURE)
    for place in range(len(raw)):
        altered = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        with pytest.raises(SignatureError):
            webhooks(telnyx).verify(signed(BODY, signature=base64.b64encode(altered).decode()), NOW)
    with pytest.raises(SignatureError, match="missing or wrong"):
        webhooks(telnyx).verify(signed(BODY, str(NOW + 1), SIGNATURE), NOW)


@pytest.mark.parametrize(("timestamp", "says"), [("", "no number"), ("-1", "no number"), ("١", "no number")])
def test_broken_times(timestamp: str, says: str) -> None:
    """They are no time at all."""
    with pytest.raises(SignatureError, match=says):
        webhooks(telnyx).verify(signed(BODY, timestamp), NOW)


def test_only_a_recent_webhook_counts() -> None:
    """Five minutes in either direction."""
    assert webhooks(telnyx).verify(signed(BODY), NOW + 300)
    assert webhooks(telnyx).verify(signed(BODY), NOW - 300)
    for now in (NOW + 301, NOW - 301):
        with pytest.raises(SignatureError, match="300 s off"):
            webhooks(telnyx).verify(signed(BODY), now)


@pytest.mark.parametrize("signature", ["", "x", "é", "\udce9", "AAAA"])
def test_broken_signatures(signature: str) -> None:
    """They are refused like wrong ones."""
    with pytest.raises(SignatureError):
        webhooks(telnyx).verify(signed(BODY, signature=signature), NOW)


def test_the_key_is_needed() -> None:
    """Without one nothing is taken."""
    with pytest.raises(SignatureError, match="TELNYX_PUBLIC_KEY"):
        webhooks(bare).verify(signed(BODY), NOW)


def test_stream_auth_token() -> None:
    """The stream secret as ``stream_auth_token`` proves the stream; without one a token in the path must."""
    name = "x-telnyx-streaming-auth-token"
    assert telnyx.verify_upgrade(Upgrade(headers={name: "s3cret"}), NOW) is Proof.STREAM
    assert telnyx.verify_upgrade(Upgrade(), NOW) is Proof.NONE
    assert bare.verify_upgrade(Upgrade(headers={name: "s3cret"}), NOW) is Proof.NONE
    for wrong in ("", "s3creT", "\udce9"):
        with pytest.raises(SignatureError, match=name):
            telnyx.verify_upgrade(Upgrade(headers={name: wrong}), NOW)


def test_a_call_control_call_is_answered_by_a_command() -> None:
    """Playback needs mode rtp; later events come back to us; the event's id keeps a retry from answering twice."""
    call = webhooks(telnyx).incoming(initiated())
    assert call == IncomingCall(CALL, "+13125550100", "+13125550199", context=EVENT_ID)
    answer = answer_call(telnyx, call, Connect(STREAM_URL, call_url=URL + "/support"))
    assert (answer.status, answer.body) == (200, "")
    (request,) = answer.requests
    assert (request.method, request.url, request.headers) == ("POST", f"{API}/calls/{CALL}/actions/answer", AUTHORIZED)
    assert body_of(request) == {
        "stream_url": STREAM_URL,
        "stream_track": "inbound_track",
        "stream_bidirectional_mode": "rtp",
        "stream_bidirectional_codec": "PCMU",
        "webhook_url": URL + "/support",
        "webhook_url_method": "POST",
        "command_id": EVENT_ID,
    }


def test_a_call_control_call_cannot_be_answered_without_a_key() -> None:
    """It is told what to set."""
    with pytest.raises(WireError, match="TELNYX_API_KEY"):
        answer_call(bare, IncomingCall(CALL, "", ""), Connect(STREAM_URL))


def test_a_texml_call_is_answered_by_a_document() -> None:
    """Known by call and account, which its REST resource is named by; what follows is in the document."""
    request = form(CallSid=CALL, AccountSid=ACCOUNT, From="+13125550100", To="+13125550199", CallStatus="ringing")
    call = webhooks(telnyx).incoming(request)
    assert call == IncomingCall(TEXML_CALL, "+13125550100", "+13125550199")
    after = After(say="Bye")
    answer = answer_call(telnyx, call, Connect(STREAM_URL, after))
    assert (answer.content_type, answer.requests) == ("text/xml", ())
    assert answer.body == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Response><Connect><Stream url="{STREAM_URL}" track="inbound_track" bidirectionalMode="rtp" '
        'bidirectionalCodec="PCMU"></Stream></Connect><Say>Bye</Say><Hangup/></Response>\n'
    )
    assert after_stream(telnyx, TEXML_CALL, after) == ()


def test_the_query_is_not_signed_and_not_read() -> None:
    """What stands in the URL may be anybody's."""
    query = [("CallSid", CALL), ("AccountSid", ACCOUNT), ("From", "+1"), ("CallStatus", "completed")]
    with pytest.raises(WireError):
        webhooks(telnyx).incoming(WebhookRequest("GET", URL, {}, query=query))
    with pytest.raises(WireError, match="AccountSid"):
        webhooks(telnyx).incoming(WebhookRequest("POST", URL, {}, [("CallSid", CALL)], query=query))
    with pytest.raises(WireError, match="CallStatus"):
        webhooks(telnyx).status(WebhookRequest("POST", URL, {}, [("CallSid", CALL)], query=query))


@pytest.mark.parametrize(
    "request_",
    [
        event("call.answered", call_control_id=CALL),
        event("streaming.started", call_control_id=CALL),
        event("call.hangup", call_control_id=CALL),
        event("call.speak.ended", call_control_id=CALL, client_state="***"),
        event("call.speak.ended", call_control_id=CALL, client_state="bm8="),
        initiated(direction="outgoing"),
    ],
)
def test_other_events_want_nothing(request_: WebhookRequest) -> None:
    """They are taken note of: 200, no command. The leg of a transfer is no call for us."""
    assert webhooks(telnyx).incoming(request_) == Answer()


def test_underscores_for_dots() -> None:
    """Both spellings of events have been seen."""
    assert isinstance(webhooks(telnyx).incoming(event("call_initiated", call_control_id=CALL)), IncomingCall)
    assert webhooks(telnyx).status(event("call_hangup", call_control_id=CALL)) == (
        CallStatus(CALL, "call.hangup", True),
    )


def test_after_the_stream_the_call_is_hung_up() -> None:
    """Closing the socket does not end a Call Control call; 422 says that it has ended already."""
    url = f"{API}/calls/{CALL}/actions/hangup"
    end = HttpRequest("POST", url, AUTHORIZED, b"{}", gone=(404, 422), repeatable=True)
    assert after_stream(telnyx, CALL, After()) == (end,)
    assert hang_up(telnyx, CALL) == (end,)
    assert after_stream(bare, CALL, After()) == ()


def test_after_the_stream_words_and_then_the_end() -> None:
    """Commands do not wait for each other: what follows the words travels with them, and is done when they end."""
    (speak,) = after_stream(telnyx, CALL, After(say="Auf Wiederhören", language="de-DE"))
    assert speak.url == f"{API}/calls/{CALL}/actions/speak"
    words = body_of(speak)
    state = words.pop("client_state")
    assert words == {"payload": "Auf Wiederhören", "voice": "female", "language": "de-DE"}
    ended = webhooks(telnyx).incoming(event("call.speak.ended", call_control_id=CALL, client_state=state))
    assert isinstance(ended, Answer)
    assert (ended.requests, ended.otherwise) == (hang_up(telnyx, CALL), ())


def test_after_the_stream_words_and_then_a_transfer() -> None:
    """The same, with somebody else at the end; the words' own hang-up event does nothing more.

    A caller whom Telnyx connects with nobody is not left in silence.
    """
    (speak,) = after_stream(telnyx, CALL, After(say="One moment", transfer="+15551230000"))
    state = body_of(speak)["client_state"]
    ended = webhooks(telnyx).incoming(event("call.speak.ended", call_control_id=CALL, client_state=state))
    assert isinstance(ended, Answer)
    assert ended.requests == after_stream(telnyx, CALL, After(transfer="+15551230000"))
    assert ended.otherwise == hang_up(telnyx, CALL)
    assert webhooks(telnyx).incoming(event("call.hangup", call_control_id=CALL, client_state=state)) == Answer()


def test_a_transfer_that_ends_ends_the_call() -> None:
    """Telnyx leaves the caller's leg up when nobody answers there: it is hung up, not left in silence."""
    (request,) = transfer(telnyx, CALL, "sip:a@example.com")
    assert (request.url, request.gone) == (f"{API}/calls/{CALL}/actions/transfer", ())
    body = body_of(request)
    assert body["to"] == "sip:a@example.com"
    over = event("call.hangup", call_control_id="v3:other", client_state=body["target_leg_client_state"])
    answer = webhooks(telnyx).incoming(over)
    assert isinstance(answer, Answer)
    assert answer.requests == hang_up(telnyx, CALL)


def test_digits() -> None:
    """By the REST API of Call Control; TeXML has nothing for it."""
    (request,) = send_digits(telnyx, CALL, "12#")
    assert (request.url, body_of(request)) == (f"{API}/calls/{CALL}/actions/send_dtmf", {"digits": "12#"})
    assert send_digits(telnyx, TEXML_CALL, "1") == ()


def test_texml_call_control() -> None:
    """Updates of the TeXML call: none without a key."""
    url = f"{API}/texml/Accounts/{ACCOUNT}/Calls/{CALL}"
    headers = {**AUTHORIZED, "Content-Type": "application/x-www-form-urlencoded"}
    assert hang_up(telnyx, TEXML_CALL) == (
        HttpRequest("POST", url, headers, b"Status=completed", gone=(404,), repeatable=True),
    )
    document = b"Texml=%3CResponse%3E%3CDial%3E%2B15551230000%3C%2FDial%3E%3C%2FResponse%3E"
    assert transfer(telnyx, TEXML_CALL, "+15551230000") == (HttpRequest("POST", url, headers, document),)
    assert hang_up(bare, TEXML_CALL) == transfer(bare, TEXML_CALL, "+1") == ()


def test_status() -> None:
    """Of both kinds of webhook, under the id that the call has here."""
    texml = form(CallSid=CALL, AccountSid=ACCOUNT, CallStatus="completed")
    assert webhooks(telnyx).status(texml) == [CallStatus(TEXML_CALL, "completed", True)]
    assert webhooks(telnyx).status(event("call.answered", call_control_id=CALL)) == (
        CallStatus(CALL, "call.answered", False),
    )
    with pytest.raises(WireError, match="call_control_id"):
        webhooks(telnyx).status(event("call.hangup"))


def sign(secrets: Mapping[str, str], url: str, body: bytes) -> Mapping[str, str]:
    """The headers of a webhook, as the simulated end signs it."""
    stamp = str(int(time.time()))
    right = simulated.signature(secrets["private_key"], stamp, body)
    return {"Telnyx-Timestamp": stamp, "Telnyx-Signature-Ed25519": right}


ANNOUNCED = (
    json.loads(initiated().body),
    {"data", "data.event_type", "data.payload", "data.payload.call_control_id", "data.payload.direction"},
)
"""A call announced by JSON, and the places that it needs."""
ENDED = (
    {"data": {"event_type": "call.hangup", "id": "1", "payload": {"call_control_id": "c", "hangup_cause": "x"}}},
    {"data", "data.event_type", "data.payload", "data.payload.call_control_id"},
)
"""A callback that a call has ended, and the places that it needs."""

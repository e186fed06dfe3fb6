"""Cloudonix: its webhook, its REST API, and Twilio's wire; examples as Cloudonix sends them."""

import json
from collections.abc import Mapping

import pytest
from pydantic import SecretStr

from gateway.config import providers as settings
from gateway.errors import WireError
from gateway.phone.dialects.twilio.stream import CamelJsonCodec
from gateway.phone.events import CallStarted
from gateway.phone.provider import Grant, Proof, SignatureError, Upgrade
from gateway.phone.providers.cloudonix.provider import Cloudonix
from gateway.phone.requests import HttpRequest
from gateway.phone.webhook import After, CallStatus, Connect, IncomingCall, WebhookRequest
from tests.conformance.transcripts import golden
from tests.phone.parts import after_stream, answer_call, hang_up, send_digits, setup, transfer, verify_upgrade, webhooks

MESSAGES = golden("cloudonix").messages
START = str(MESSAGES[1])
URL = "https://gw.example.com/answer/cloudonix"
SESSION = "0123456789abcdef0123456789abcdef"
GRANT = Grant("support", SESSION, "+14158675309", "+18005551212")
HEADERS = {
    "x-cx-apikey": "XI0123456789ABCDEF",
    "x-cx-domain": "example.cloudonix.net",
    "x-cx-session": SESSION,
    "x-cx-source": "DNID",
}
BODY = {
    "ApiVersion": "1",
    "CallStatus": "in-progress",
    "From": "+14158675309",
    "CallSid": SESSION,
    "To": "18005551212",
    "SessionData": {"token": SESSION, "callIds": ["a"]},
    "Domain": "example.cloudonix.net",
    "Direction": "inbound",
    "Session": SESSION,
}
cloudonix = Cloudonix(
    settings.Cloudonix(domain="example.cloudonix.net", api_key=SecretStr("XI0123456789ABCDEF")), setup("cloudonix")
)
bare = Cloudonix(settings.Cloudonix(), setup("cloudonix"))


def fresh(grant: Grant = GRANT) -> CamelJsonCodec:
    return cloudonix.codec(Upgrade(), grant)


def as_json(headers: dict[str, str] | None = None, **fields: object) -> WebhookRequest:
    body = {**BODY, **fields}
    return WebhookRequest("POST", URL, HEADERS if headers is None else headers, body=json.dumps(body).encode())


def test_a_stream_of_a_static_document() -> None:
    """Without a token the stream's own words count, where it has them."""
    start = json.loads(START)
    start["start"] |= {"from": "+1", "to": "+2", "session": SESSION}
    (event,) = fresh(Grant()).decode(json.dumps(start))
    assert isinstance(event, CallStarted)
    assert (event.call_id, event.caller, event.called) == (SESSION, "+1", "+2")


def test_the_key_in_the_header() -> None:
    """It must be the configured one, to the last character."""
    assert webhooks(cloudonix).verify(as_json(), 0) == ""
    with pytest.raises(SignatureError, match="CLOUDONIX_API_KEY"):
        webhooks(bare).verify(as_json(), 0)
    for wrong in ("", "XI0123456789ABCDEf", "XI0123456789ABCDE", "XI0123456789 ABCDEF", "\udce9"):
        with pytest.raises(SignatureError, match="x-cx-apikey"):
            webhooks(cloudonix).verify(as_json({**HEADERS, "x-cx-apikey": wrong}), 0)
    assert verify_upgrade(cloudonix, Upgrade(headers=HEADERS), 0) is Proof.NONE


def test_incoming_call_as_json_and_as_a_form() -> None:
    """The session's token is the call's id, because REST wants it; numbers stay as they are written."""
    call = IncomingCall(SESSION, "+14158675309", "18005551212")
    assert webhooks(cloudonix).incoming(as_json()) == call
    assert webhooks(cloudonix).incoming(as_json({})) == call
    form = [(name, str(value)) for name, value in BODY.items()]
    assert webhooks(cloudonix).incoming(WebhookRequest("POST", URL, HEADERS, form)) == call
    assert webhooks(cloudonix).incoming(WebhookRequest("GET", URL, {}, query=form)) == call
    bodyless = WebhookRequest("POST", URL, {**HEADERS, "x-cx-from": "1004", "x-cx-to": "3000"})
    assert webhooks(cloudonix).incoming(bodyless) == IncomingCall(SESSION, "1004", "3000")


def test_numbers_in_headers_are_text() -> None:
    """A header may hold bytes that are none; the webhook of a call is not refused for that."""
    headers = {**HEADERS, "x-cx-from": "M\udcfcller", "x-cx-to": "3000\udcff"}
    call = webhooks(cloudonix).incoming(WebhookRequest("POST", URL, headers))
    assert call == IncomingCall(SESSION, "M\ufffdller", "3000\ufffd")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"CallSid":[7]}', b'{"x":' + b"[" * 100_000])
def test_what_is_no_call(body: bytes) -> None:
    """It is told so."""
    with pytest.raises(WireError):
        webhooks(cloudonix).incoming(WebhookRequest("POST", URL, {}, body=body))


def test_answer_document() -> None:
    """CXML that connects the stream; what follows it is in the document."""
    after = After(transfer="+15551230000")
    call = webhooks(cloudonix).incoming(as_json())
    assert isinstance(call, IncomingCall)
    answer = answer_call(cloudonix, call, Connect("wss://gw/stream/cloudonix/support/tok", after))
    assert (answer.content_type, answer.requests) == ("text/xml", ())
    assert answer.body == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Response><Connect><Stream url="wss://gw/stream/cloudonix/support/tok"></Stream></Connect>'
        "<Dial>+15551230000</Dial><Hangup/></Response>\n"
    )
    assert after_stream(cloudonix, SESSION, after) == ()


def test_call_control() -> None:
    """By the session's token, with the key as bearer; none without domain and key."""
    api = "https://api.cloudonix.io"
    authorization = {"Authorization": "Bearer XI0123456789ABCDEF"}
    session = f"{api}/customers/self/domains/example.cloudonix.net/sessions/{SESSION}"
    assert hang_up(cloudonix, SESSION) == (HttpRequest("DELETE", session, authorization, gone=(404,), repeatable=True),)
    assert transfer(cloudonix, SESSION, "+15551230000") == (
        HttpRequest(
            "POST",
            f"{api}/calls/example.cloudonix.net/sessions/{SESSION}/application",
            {**authorization, "Content-Type": "application/json"},
            b'{"cxml":"<Response><Dial>+15551230000</Dial></Response>"}',
        ),
    )
    assert send_digits(cloudonix, SESSION, "1") == ()
    assert hang_up(bare, SESSION) == transfer(bare, SESSION, "+1") == ()


def test_status_callback() -> None:
    """The session's state, and whether it is over."""
    assert webhooks(cloudonix).status(as_json()) == (CallStatus(SESSION, "in-progress", False),)
    assert webhooks(cloudonix).status(as_json(CallStatus="completed")) == (CallStatus(SESSION, "completed", True),)
    with pytest.raises(WireError, match="CallStatus"):
        webhooks(cloudonix).status(as_json(CallStatus=""))


def sign(secrets: Mapping[str, str], url: str, body: bytes) -> Mapping[str, str]:
    """The headers of a webhook, as the simulated end signs it."""
    return {"X-Cx-Apikey": secrets["api_key"], "X-Cx-Session": "s1"}


ANNOUNCED = (
    BODY,
    {"CallSid"},
)
"""A call announced by JSON, and the places that it needs."""
ENDED = (
    BODY | {"CallStatus": "completed"},
    {"CallSid", "CallStatus"},
)
"""A callback that a call has ended, and the places that it needs."""

"""Twilio's wire, byte for byte; examples as in Twilio's own documentation and libraries."""

import base64
import json
from collections.abc import Mapping

import pytest
from hypothesis import strategies as st
from pydantic import SecretStr

from gateway.audio.formats import PCMA, PCMU
from gateway.config import providers as settings
from gateway.errors import WireError
from gateway.phone.commands import EndStream, PlayAudio, SendDigits, SendMark, StopPlayback, TransferCall
from gateway.phone.dialects.twilio.signature import is_signed
from gateway.phone.dialects.twilio.stream import CamelJsonCodec
from gateway.phone.events import (
    CallerAudio,
    CallStarted,
    DigitPressed,
    MarkReturned,
    PhoneClosed,
    PhoneEnd,
    UnknownMessage,
)
from gateway.phone.provider import Grant, Proof, SignatureError, UnsignedError, Upgrade
from gateway.phone.providers.twilio.provider import Twilio
from gateway.phone.requests import HttpRequest
from gateway.phone.webhook import After, CallStatus, Connect, IncomingCall, WebhookRequest
from gateway.sim.providers import twilio as simulated
from tests.conformance.own import fields_of
from tests.phone.parts import after_stream, answer_call, hang_up, send_digits, setup, transfer, webhooks

SID = "MZ0123456789abcdef0123456789abcdef"
CONNECTED = '{"event":"connected","protocol":"Call","version":"1.0.0"}'
START = (
    '{"event":"start","sequenceNumber":"1","start":{"accountSid":"AC01","streamSid":"' + SID + '",'
    '"callSid":"CA01","tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},'
    '"customParameters":{"from":"+14158675309","to":"+18005551212"}},"streamSid":"' + SID + '"}'
)


TOKEN = "12345"
ACCOUNT = "AC0123456789abcdef0123456789abcdef"
twilio = Twilio(settings.Twilio(auth_token=SecretStr(TOKEN), account_sid=ACCOUNT), setup("twilio"))
bare = Twilio(settings.Twilio(), setup("twilio"))


def fresh(grant: Grant | None = None) -> CamelJsonCodec:
    return twilio.codec(Upgrade(), grant or Grant())


def started() -> CamelJsonCodec:
    codec = fresh()
    codec.decode(CONNECTED)
    codec.decode(START)
    return codec


def media(payload: bytes, **more: str) -> str:
    body = {"track": "inbound", "chunk": "1", "timestamp": "5", "payload": base64.b64encode(payload).decode(), **more}
    return json.dumps({"event": "media", "sequenceNumber": "2", "media": body, "streamSid": SID})


def test_start_names_the_call() -> None:
    """The start message gives call, stream, format and the numbers that our answer document carried."""
    codec = fresh()
    assert codec.decode(CONNECTED) == ()
    (event,) = codec.decode(START)
    assert isinstance(event, CallStarted)
    assert (event.call_id, event.stream_id, event.audio_format) == ("CA01", SID, PCMU)
    assert (event.caller, event.called) == ("+14158675309", "+18005551212")


def test_a_law_is_taken_where_the_start_message_says_so() -> None:
    """The start message, not the provider's name, decides the format."""
    (event,) = fresh().decode(START.replace("x-mulaw", "x-alaw"))
    assert isinstance(event, CallStarted)
    assert event.audio_format is PCMA


def test_missing_custom_parameters_are_none() -> None:
    """A static TwiML without parameters still makes a call."""
    message = json.loads(START)
    del message["start"]["customParameters"]
    (event,) = fresh().decode(json.dumps(message))
    assert isinstance(event, CallStarted)
    assert event.called == ""


@pytest.mark.parametrize(
    ("message", "event"),
    [
        (media(bytes(range(160))), CallerAudio(bytes(range(160)))),
        (media(b"x" * 37), CallerAudio(b"x" * 37)),
        (
            f'{{"event":"dtmf","streamSid":"{SID}","sequenceNumber":"5",'
            '"dtmf":{"track":"inbound_track","digit":"1"}}',
            DigitPressed("1"),
        ),
        (f'{{"event":"mark","sequenceNumber":"6","streamSid":"{SID}","mark":{{"name":"g1-1"}}}}', MarkReturned("g1-1")),
        (
            f'{{"event":"stop","sequenceNumber":"7","stop":{{"accountSid":"AC01","callSid":"CA01"}},"streamSid":"{SID}"}}',
            PhoneClosed(PhoneEnd.HUNG_UP),
        ),
        ('{"event":"brand-new","x":1}', UnknownMessage("brand-new")),
    ],
)
def test_messages_in(message: str, event: object) -> None:
    """Each documented message is one event; an undocumented one is counted, not refused."""
    assert list(started().decode(message)) == [event]


def test_our_webhook_s_word_counts_before_the_stream_s() -> None:
    """A stream that holds the token of one call cannot pass for another."""
    (event,) = fresh(Grant("support", "CA01", "+1", "+2")).decode(START)
    assert isinstance(event, CallStarted)
    assert (event.call_id, event.caller, event.called) == ("CA01", "+1", "+2")
    with pytest.raises(WireError, match="another call"):
        fresh(Grant("support", "CA99", "+1", "+2")).decode(START)


def test_outbound_track_is_not_the_caller() -> None:
    """Audio of the other track would be the bot hearing itself."""
    assert started().decode(media(b"x", track="outbound")) == ()


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (b"\x00\x01", "binary"),
        ("not json", "not a Media Streams message"),
        ('{"event":"media","x":' + "[" * 100_000, "not a Media Streams message"),
        ("[]", "not a Media Streams message"),
        ('{"x":' + "[" * 30_000, "not a Media Streams message"),
        ("{}", "event"),
        ('{"event":7}', "event"),
        ('{"event":"media"}', "without its media member"),
        ('{"event":"media","media":{"payload":"*"}}', "payload"),
        ('{"event":"dtmf","dtmf":{"digit":"12"}}', "2 characters is not a key"),
        ('{"event":"mark"}', "mark without"),
        (START, "second start"),
    ],
)
def test_broken_messages(message: str | bytes, says: str) -> None:
    """What breaks the protocol is a WireError that names the rule."""
    with pytest.raises(WireError, match=says):
        started().decode(message)


@pytest.mark.parametrize("change", [("x-mulaw", "L16"), ("8000", "16000"), ('"channels":1', '"channels":2')])
def test_formats_that_cannot_be_bridged(change: tuple[str, str]) -> None:
    """A format that nothing here can carry is refused at the start, by name."""
    with pytest.raises(WireError, match="expected audio/x-mulaw or audio/x-alaw, 8000 Hz, 1 channel"):
        fresh().decode(START.replace(*change))


def test_messages_out() -> None:
    """Exactly the documented members: Twilio ignores a message with one too few or too many (31951)."""
    codec = started()
    assert [json.loads(m) for m in codec.encode(PlayAudio(b"\xff" * 160))] == [
        {"event": "media", "streamSid": SID, "media": {"payload": base64.b64encode(b"\xff" * 160).decode()}}
    ]
    assert codec.encode(SendMark("g1-1")) == (f'{{"event":"mark","streamSid":"{SID}","mark":{{"name":"g1-1"}}}}',)
    assert codec.encode(StopPlayback()) == (f'{{"event":"clear","streamSid":"{SID}"}}',)
    for command in (EndStream(), SendDigits("1"), TransferCall("+1")):
        assert codec.encode(command) == ()


def test_a_hostile_stream_id_stays_inside_its_string() -> None:
    """The stream id comes from the peer and goes back out: quotes in it must not end the string."""
    message = json.loads(START)
    message["streamSid"] = hostile = 'x","event":"clear'
    codec = fresh()
    codec.decode(json.dumps(message))
    (out,) = codec.encode(PlayAudio(b"\x00"))
    assert json.loads(out) == {"event": "media", "streamSid": hostile, "media": {"payload": "AA=="}}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
events = st.fixed_dictionaries(
    {"event": st.sampled_from(["connected", "start", "media", "dtmf", "mark", "stop", "x"])},
    optional=dict.fromkeys(("start", "media", "dtmf", "mark", "streamSid"), json_values),
)


# Vectors of Twilio's own Python library (twilio-python, tests/unit/test_request_validator.py).
FORM = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
    ("Caller", "+14158675309"),
]
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
JSON_URL = URL + "&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
REPEATED = [("Sid", "CA123"), ("SidAccount", "AC123"), ("Digits", "5678"), ("Digits", "1234"), ("Digits", "1234")]
VECTORS = [
    (URL, FORM, b"", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
    ("https://mycompany.com:443/myapp.php?foo=1&bar=2", FORM, b"", "kvajT1Ptam85bY51eRf/AJRuM3w="),
    ("http://mycompany.com:80/myapp.php?foo=1&bar=2", FORM, b"", "0ZXoZLH/DfblKGATFgpif+LLRf4="),
    ("http://mycompany.com:1234/myapp.php?foo=1&bar=2", FORM, b"", "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
    (URL, REPEATED, b"", "IK+Dwps556ElfBT0I3Rgjkr1wJU="),
    (JSON_URL, [], b'{"property": "value", "boolean": true}', "a9nBmqA0ju/hNViExpshrM61xv4="),
]


def signed(url: str, form: list[tuple[str, str]], body: bytes, signature: str) -> WebhookRequest:
    return WebhookRequest("POST", url, {"x-twilio-signature": signature}, form, body)


def accepts(request: WebhookRequest, provider: Twilio = twilio) -> bool:
    try:
        webhooks(provider).verify(request, 0)
    except SignatureError as error:
        assert str(error)
        return False
    return True


@pytest.mark.parametrize(("url", "form", "body", "signature"), VECTORS)
def test_signature_vectors(url: str, form: list[tuple[str, str]], body: bytes, signature: str) -> None:
    """The vendor's vectors hold."""
    assert accepts(signed(url, form, body, signature))


@pytest.mark.parametrize(("url", "form", "body", "signature"), VECTORS)
def test_signature_refuses_any_change(url: str, form: list[tuple[str, str]], body: bytes, signature: str) -> None:
    """URL, form, body, signature and secret are all bound."""
    assert not accepts(signed(url + "x", form, body, signature))
    assert not accepts(signed(url, [*form, ("x", "")], body, signature))
    assert not accepts(signed(url, form, body, "A" + signature[1:]))
    assert not accepts(signed(url, form, body, ""))
    assert not accepts(signed(url, form, body, "é\udce9"))
    assert not accepts(signed(url + "\udce9", form, body, signature))
    other = Twilio(settings.Twilio(auth_token=SecretStr(TOKEN + "6")), setup("twilio"))
    assert not accepts(signed(url, form, body, signature), other)
    assert not accepts(signed(url, form, body, signature), bare)
    if body:
        assert not accepts(signed(url, form, body + b" ", signature))


def test_a_port_may_be_left_out() -> None:
    """Twilio signs with or without the port, whichever it is; a port that nobody configured is another URL."""
    assert accepts(signed(URL.replace(".com/", ".com:443/"), FORM, b"", "RSOYDt4T1cUTdK1PDd93/VVr8B8="))
    assert accepts(signed(URL, FORM, b"", "kvajT1Ptam85bY51eRf/AJRuM3w="))
    assert accepts(signed(URL.replace(".com/", ".com:444/"), FORM, b"", "RSOYDt4T1cUTdK1PDd93/VVr8B8="))
    assert not accepts(signed(URL.replace(".com/", ".com:444/"), FORM, b"", "kvajT1Ptam85bY51eRf/AJRuM3w="))


@pytest.mark.parametrize(
    "signature",
    ["okykUWKkAOgQseVjzERZh4soLeU=", "y/eZxfvMeXBmejSJYHDm4y/cRMk=", "m6zCRgAmr39sY5bRHH3mG0yRr1o="],
)
def test_the_upgrade_s_signature(signature: str) -> None:
    """Over the literal wss URL, with its port or a slash behind it; it does not make up for a token."""
    url = "wss://mycompany.com/media"
    assert twilio.verify_upgrade(Upgrade(url, headers={"x-twilio-signature": signature}), 0) is Proof.PROVIDER
    with pytest.raises(UnsignedError, match="X-Twilio-Signature"):
        twilio.verify_upgrade(Upgrade(url), 0)
    assert bare.verify_upgrade(Upgrade(url, headers={"x-twilio-signature": "x"}), 0) is Proof.NONE
    for headers in ({"x-twilio-signature": "A" + signature[1:]}, {"x-twilio-signature": "\udce9"}):
        with pytest.raises(SignatureError, match="X-Twilio-Signature"):
            twilio.verify_upgrade(Upgrade(url, headers=headers), 0)


def test_repeated_fields_may_be_signed_as_they_came() -> None:
    """Twilio signs each value once and sorted; SignalWire's library each as it came."""
    assert is_signed("IK+Dwps556ElfBT0I3Rgjkr1wJU=", [URL], REPEATED, (TOKEN,))
    assert not is_signed("IK+Dwps556ElfBT0I3Rgjkr1wJU=", [URL], REPEATED, (TOKEN,), as_sent=True)


INCOMING = WebhookRequest("POST", URL, {}, [("CallSid", "CA1"), ("From", '+1"<'), ("To", "+18005551212")])
CONNECT = Connect("wss://gw.example.com/stream/twilio/support/tok")


CALL = IncomingCall("CA1", '+1"<', "+18005551212")


def test_incoming_call() -> None:
    """The form names call and numbers; a request that is not Twilio's incoming-call webhook is told so."""
    assert webhooks(twilio).incoming(INCOMING) == CALL
    with pytest.raises(WireError, match="CallSid"):
        webhooks(twilio).incoming(WebhookRequest("POST", URL, {}))


def test_answer_document() -> None:
    """TwiML that connects the stream, carries the numbers, and never leaves the caller on a silent line."""
    document = answer_call(twilio, CALL, CONNECT)
    assert document.content_type == "text/xml"
    assert not document.requests
    assert document.body == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Response><Connect><Stream url="wss://gw.example.com/stream/twilio/support/tok">'
        '<Parameter name="from" value=\'+1"&lt;\'/><Parameter name="to" value="+18005551212"/>'
        "</Stream></Connect><Hangup/></Response>\n"
    )


@pytest.mark.parametrize(
    ("after", "verbs"),
    [
        (After(say="A & B", language="de-DE"), '<Say language="de-DE">A &amp; B</Say><Hangup/>'),
        (After(transfer="+15551230000"), "<Dial>+15551230000</Dial><Hangup/>"),
        (After(say="Hi", transfer="sip:a@b<"), "<Say>Hi</Say><Dial><Sip>sip:a@b&lt;</Sip></Dial><Hangup/>"),
    ],
)
def test_what_follows_a_failure_is_in_the_document(after: After, verbs: str) -> None:
    """It stands behind the stream, for where nothing is asked."""
    document = answer_call(twilio, CALL, Connect(CONNECT.stream_url, after))
    assert f"</Connect>{verbs}</Response>" in document.body
    assert after_stream(twilio, "CA1", after) == ()


def test_call_control() -> None:
    """Hang-up and transfer are updates of the Call resource; without credentials there are none, nor digits ever."""
    headers = {"Authorization": "Basic QUMwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjoxMjM0NQ=="}
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    url = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Calls/CA1%2F..json"
    assert hang_up(twilio, "CA1/.") == (
        HttpRequest("POST", url, headers, b"Status=completed", gone=(404,), repeatable=True),
    )
    document = b"Twiml=%3CResponse%3E%3CDial%3E%2B15551230000%3C%2FDial%3E%3C%2FResponse%3E"
    assert transfer(twilio, "CA1/.", "+15551230000") == (HttpRequest("POST", url, headers, document),)
    assert send_digits(twilio, "CA1", "1") == ()
    assert hang_up(bare, "CA1") == transfer(bare, "CA1", "+1") == ()


def test_status_callbacks() -> None:
    """The call's state, and whether it is over."""

    def callback(**fields: str) -> WebhookRequest:
        return WebhookRequest("POST", URL, {}, list(fields.items()))

    assert webhooks(twilio).status(callback(CallSid="CA1", CallStatus="in-progress")) == (
        CallStatus("CA1", "in-progress", False),
    )
    assert webhooks(twilio).status(callback(CallSid="CA1", CallStatus="no-answer")) == (
        CallStatus("CA1", "no-answer", True),
    )
    with pytest.raises(WireError, match="CallStatus"):
        webhooks(twilio).status(callback(CallSid="CA1"))


def sign(secrets: Mapping[str, str], url: str, body: bytes) -> Mapping[str, str]:
    """The headers of a webhook, as the simulated end signs it."""
    return {"X-Twilio-Signature": simulated.signature(secrets["auth_token"], url, fields_of(body))}

"""SignalWire: where it differs from Twilio; examples as in SignalWire's documentation."""

import json
from collections.abc import Mapping

import pytest
from pydantic import SecretStr

from gateway.audio.formats import L16_16K, L16_24K, AudioFormat
from gateway.config import providers as settings
from gateway.errors import WireError
from gateway.phone.commands import PlayAudio, SendDigits, SendMark, StopPlayback
from gateway.phone.dialects.twilio.stream import CamelJsonCodec
from gateway.phone.events import CallStarted
from gateway.phone.provider import Grant, Proof, SignatureError, Upgrade
from gateway.phone.providers.signalwire.provider import SignalWire
from gateway.phone.requests import HttpRequest
from gateway.phone.webhook import After, CallStatus, Connect, IncomingCall, WebhookRequest
from gateway.sim.providers import twilio as simulated
from tests.conformance.own import fields_of
from tests.conformance.transcripts import golden
from tests.phone.parts import after_stream, answer_call, hang_up, send_digits, setup, transfer, webhooks

MESSAGES = golden("signalwire").messages
START = str(MESSAGES[1])
CALL = "b1e2c3d4-5f60-4718-92a3-b4c5d6e7f809"
KEY = "12345"
signalwire = SignalWire(
    settings.SignalWire(
        project_id="p-1",
        api_token=SecretStr("PT1"),
        signing_key=SecretStr(KEY),
        stream_secret=SecretStr("s3cret"),
        api_url="https://example.signalwire.com",
    ),
    setup("signalwire"),
)
bare = SignalWire(settings.SignalWire(), setup("signalwire"))


def fresh() -> CamelJsonCodec:
    return signalwire.codec(Upgrade(), Grant())


@pytest.mark.parametrize(("rate", "audio_format"), [(16000, L16_16K), (24000, L16_24K)])
def test_wideband(rate: int, audio_format: AudioFormat) -> None:
    """A static document may ask for linear audio."""
    (event,) = fresh().decode(START.replace("audio/x-mulaw", "audio/x-L16").replace("8000", str(rate)))
    assert isinstance(event, CallStarted)
    assert event.audio_format is audio_format


@pytest.mark.parametrize("change", [("x-mulaw", "x-L16"), ("x-mulaw", "G722"), ('"channels":1', '"channels":2')])
def test_formats_that_cannot_be_bridged(change: tuple[str, str]) -> None:
    """The refusal names the attribute to change."""
    with pytest.raises(WireError, match="set codec of <Stream>"):
        fresh().decode(START.replace(*change))


URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FORM = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
    ("Caller", "+14158675309"),
]
SIGNATURE = "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def webhook(signature: str, form: list[tuple[str, str]], url: str = URL, header: str = "signalwire") -> WebhookRequest:
    return WebhookRequest("POST", url, {f"x-{header}-signature": signature}, form)


def refuses(request: WebhookRequest, provider: SignalWire = signalwire) -> bool:
    try:
        webhooks(provider).verify(request, 0)
    except SignatureError:
        return True
    return False


@pytest.mark.parametrize("header", ["signalwire", "twilio"])
def test_webhook_signature(header: str) -> None:
    """Twilio's scheme under a key of its own, in either header; everything is bound."""
    assert webhooks(signalwire).verify(webhook(SIGNATURE, FORM, header=header), 0) == ""
    assert refuses(webhook(SIGNATURE, [*FORM, ("x", "")], header=header))
    assert refuses(webhook(SIGNATURE, FORM, URL + "x", header))
    assert refuses(webhook(SIGNATURE, FORM, header=header), bare)
    for place in range(len(SIGNATURE) - 1):
        changed = "B" if SIGNATURE[place] == "A" else "A"
        assert refuses(webhook(SIGNATURE[:place] + changed + SIGNATURE[place + 1 :], FORM, header=header))
    assert refuses(WebhookRequest("POST", URL, {}, FORM))


def test_repeated_fields_are_signed_as_they_came() -> None:
    """@signalwire/compatibility-api neither sorts nor de-duplicates them; key 12345, computed by its rule."""
    form = [("Digits", "5678"), ("Sid", "CA123"), ("Digits", "1234"), ("Digits", "1234")]
    assert webhooks(signalwire).verify(webhook("C2ZsV2TvqPTd4Cx4iqsxkRoGX3g=", form), 0) == ""
    assert refuses(webhook("C2ZsV2TvqPTd4Cx4iqsxkRoGX3g=", form[:-1]))


def test_bearer_of_a_static_document() -> None:
    """``authBearerToken`` with the stream secret proves the stream; without one a token in the path must."""
    url = "wss://gw.example.com/stream/signalwire"

    def upgrade(authorization: str) -> Upgrade:
        return Upgrade(url, headers={"authorization": authorization})

    assert signalwire.verify_upgrade(upgrade("Bearer s3cret"), 0) is Proof.STREAM
    assert signalwire.verify_upgrade(Upgrade(url), 0) is Proof.NONE
    assert signalwire.verify_upgrade(upgrade("Basic s3cret"), 0) is Proof.NONE
    assert bare.verify_upgrade(upgrade("Bearer s3cret"), 0) is Proof.NONE
    for wrong in ("Bearer s3creT", "Bearer ", "Bearer s3cret2", "Bearer \udce9"):
        with pytest.raises(SignatureError, match="authBearerToken"):
            signalwire.verify_upgrade(upgrade(wrong), 0)


def test_answer_document() -> None:
    """cXML with both numbers, and what follows."""
    request = WebhookRequest("POST", URL, {}, [("CallSid", CALL), ("From", "+1415"), ("To", "+1800")])
    call = webhooks(signalwire).incoming(request)
    assert call == IncomingCall(CALL, "+1415", "+1800")
    after = After(say="Bye", transfer="+15551230000")
    answer = answer_call(signalwire, call, Connect("wss://gw.example.com/stream/signalwire/support/tok", after))
    assert (answer.content_type, answer.status, answer.requests) == ("text/xml", 200, ())
    assert answer.body == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Response><Connect><Stream url="wss://gw.example.com/stream/signalwire/support/tok">'
        '<Parameter name="from" value="+1415"/><Parameter name="to" value="+1800"/>'
        "</Stream></Connect><Say>Bye</Say><Dial>+15551230000</Dial><Hangup/></Response>\n"
    )
    assert after_stream(signalwire, CALL, after) == ()


def test_call_control() -> None:
    """The Compatibility API's Call resource; keys go out on the stream."""
    url = f"https://example.signalwire.com/api/laml/2010-04-01/Accounts/p-1/Calls/{CALL}.json"
    headers = {"Authorization": "Basic cC0xOlBUMQ==", "Content-Type": "application/x-www-form-urlencoded"}
    assert hang_up(signalwire, CALL) == (
        HttpRequest("POST", url, headers, b"Status=completed", gone=(404,), repeatable=True),
    )
    (request,) = transfer(signalwire, CALL, "sip:a@example.com")
    assert (request.url, request.body[:15]) == (url, b"Twiml=%3CRespon")
    assert send_digits(signalwire, CALL, "1") == ()
    assert hang_up(bare, CALL) == transfer(bare, CALL, "+1") == ()


def test_status_callback() -> None:
    """As Twilio's."""
    request = WebhookRequest("POST", URL, {}, [("CallSid", CALL), ("CallStatus", "completed")])
    assert webhooks(signalwire).status(request) == (CallStatus(CALL, "completed", True),)


def test_what_is_sent_is_json() -> None:
    """A stream id with quotes in it stays inside its string, in digits too."""
    message = json.loads(START)
    message["start"]["streamSid"] = hostile = 'x","event":"clear'
    codec = fresh()
    codec.decode(json.dumps(message))
    for command in (PlayAudio(b"\x00"), SendDigits("1"), StopPlayback(), SendMark("m")):
        (out,) = codec.encode(command)
        assert json.loads(out)["streamSid"] == hostile


def sign(secrets: Mapping[str, str], url: str, body: bytes) -> Mapping[str, str]:
    """The headers of a webhook, as the simulated end signs it."""
    return {"X-SignalWire-Signature": simulated.signature(secrets["signing_key"], url, fields_of(body))}

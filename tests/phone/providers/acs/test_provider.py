"""Azure Communication Services: wire, webhooks, tokens and signed requests, as Microsoft documents them."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr

from gateway.audio.formats import L16_16K
from gateway.config import providers as settings
from gateway.errors import WireError
from gateway.phone.commands import (
    EndStream,
    SendDigits,
    SendMark,
    TransferCall,
)
from gateway.phone.events import CallStarted, UnknownMessage
from gateway.phone.provider import Grant, KeySet, Proof, SignatureError, Upgrade
from gateway.phone.providers.acs.connections import CALLERS_LIMIT
from gateway.phone.providers.acs.provider import Acs
from gateway.phone.providers.acs.published_keys import ISSUER
from gateway.phone.providers.acs.wire import PLAYOUT, AcsCodec
from gateway.phone.requests import HttpRequest
from gateway.phone.webhook import After, Answer, CallStatus, Connect, IncomingCall, WebhookRequest
from tests.conformance.wires import start_text
from tests.phone.parts import after_stream, answer_call, hang_up, send_digits, setup, transfer, webhooks

NOW_S = 1_700_000_000.0
ACCESS_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
CONNECTION = "401f3500-6df6-4b5c-8c6b-4c2c0f1d2e3f"
RESOURCE = "63b7f0f5-8b4d-4a1c-9f7e-000000000001"
GRANT = Grant("support", "correlation", "+14158675309", "+18005551212")
KEY = rsa.generate_private_key(65537, 2048)
JWKS = json.dumps(
    {"keys": [{**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key())), "kid": "k1"}]}
).encode()


METADATA = str(start_text("acs"))


def started() -> AcsCodec:
    codec = AcsCodec(GRANT, CONNECTION)
    codec.decode(METADATA)
    return codec


def provider(**more: Any) -> Acs:
    values = {
        "endpoint": "https://contoso.communication.azure.com",
        "access_key": SecretStr(ACCESS_KEY),
        "resource_id": RESOURCE,
        "stream_secret": SecretStr("sesame"),
        "rate_hz": 24000,
        "keys_url": "https://acscallautomation.communication.azure.com/calling/keys",
    }
    return Acs(settings.Acs.model_construct(**{**values, **more}), setup("acs", now_s=lambda: NOW_S))


def keys_of(acs: Acs) -> KeySet:
    """The keys that the service publishes."""
    assert acs.published_keys is not None
    return acs.published_keys


def bearer(**claims: Any) -> str:
    merged = {"iss": ISSUER, "aud": RESOURCE, "exp": NOW_S + 300, **claims}
    return "Bearer " + jwt.encode(merged, KEY, "RS256", headers={"kid": "k1"})


def posted(body: object, url: str = "https://gw/answer/acs?secret=sesame", **headers: str) -> WebhookRequest:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return WebhookRequest("POST", url, headers, body=content, query=parse_qsl(urlsplit(url).query))


def only(requests: Any) -> HttpRequest:
    (request,) = requests
    assert isinstance(request, HttpRequest)
    return request


def test_the_metadata_decides_the_format() -> None:
    """16 kHz as 24 kHz, whatever was asked for."""
    (event,) = AcsCodec(Grant(), "").decode(METADATA.replace("24000", "16000"))
    assert isinstance(event, CallStarted)
    assert event.audio_format is L16_16K


def test_without_the_header_the_call_is_the_grant_s() -> None:
    """The connection that the upgrade names is what REST takes; else the correlation has to do."""
    (event,) = AcsCodec(GRANT, "").decode(METADATA)
    assert isinstance(event, CallStarted)
    assert event.call_id == "correlation"


def test_the_call_is_the_one_that_was_answered_whatever_the_header_names() -> None:
    """The header is not signed: another call in it is refused, and none at all changes nothing."""
    acs = provider()
    answered = json.dumps({"callConnectionId": CONNECTION}).encode()
    answer_call(acs, IncomingCall("correlation", "+1", "+2"), Connect("wss://gw/s"), answered)
    for named in (CONNECTION, ""):
        headers = {"x-ms-call-connection-id": named} if named else {}
        (event,) = acs.codec(Upgrade(headers=headers), GRANT).decode(METADATA)
        assert isinstance(event, CallStarted)
        assert event.call_id == CONNECTION
    with pytest.raises(WireError, match="another call"):
        acs.codec(Upgrade(headers={"x-ms-call-connection-id": "another"}), GRANT).decode(METADATA)


def test_playback_is_reckoned_by_the_clock() -> None:
    """The wire has no marks, no goodbye, no digits and no transfer."""
    assert not PLAYOUT.returns_marks
    for command in (SendMark("m"), EndStream(), SendDigits("1"), TransferCall("+1")):
        assert started().encode(command) == ()


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (b"\x00", "binary"),
        ("not json", "not a media streaming message"),
        ("[]", "not a media streaming message"),
        ("{}", "kind"),
        ('{"a":' * 100_000, "not a media streaming message"),
        ('"\ud800"', "not a media streaming message"),
        ('{"kind":"AudioData"}', "AudioData without its audioData member"),
        ('{"kind":"AudioMetadata"}', "AudioMetadata without its audioMetadata member"),
        ('{"kind":"DtmfData","dtmfData":{"data":"12"}}', "is not a key"),
        ('{"kind":"AudioData","audioData":{"data":"*"}}', "data"),
        (METADATA, "a second AudioMetadata"),
    ],
)
def test_broken_messages(message: str | bytes, says: str) -> None:
    """What breaks the protocol is a WireError that names the rule."""
    with pytest.raises(WireError, match=says):
        started().decode(message)


@pytest.mark.parametrize(
    ("given", "instead"), [("24000", "48000"), ('"PCM"', '"OPUS"'), ('"channels":1', '"channels":2')]
)
def test_formats_that_cannot_be_bridged(given: str, instead: str) -> None:
    """They are refused by the name of the setting that chooses them."""
    with pytest.raises(WireError, match="set audioFormat of the mediaStreamingOptions to pcm24KMono or pcm16KMono"):
        AcsCodec(GRANT, "").decode(METADATA.replace(given, instead))


def test_unknown_kinds() -> None:
    """A kind that is not known is counted."""
    assert started().decode('{"kind":"TranscriptionData"}') == (UnknownMessage("TranscriptionData"),)


# Event Grid

INCOMING: dict[str, Any] = {
    "id": "1",
    "topic": "t",
    "subject": "/caller/4:+14158675309/recipient/4:+18005551212",
    "eventType": "Microsoft.Communication.IncomingCall",
    "dataVersion": "1.0",
    "eventTime": "2026-01-01T00:00:00Z",
    "data": {
        "to": {"kind": "phoneNumber", "rawId": "4:+18005551212", "phoneNumber": {"value": "+18005551212"}},
        "from": {"kind": "phoneNumber", "rawId": "4:+14158675309", "phoneNumber": {"value": "+14158675309"}},
        "serverCallId": "s",
        "callerDisplayName": "",
        "incomingCallContext": "opaque",
        "correlationId": "correlation",
    },
}


def test_the_subscription_s_handshake() -> None:
    """The validation code goes back, as JSON."""
    event = {
        "id": "2d1781af-3a4c-4d7c-bd0c-e34b19da4e66",
        "topic": "/subscriptions/x",
        "subject": "",
        "data": {"validationCode": "512d38b6-c7b8-40c8-89fe-f46f9e9622b6", "validationUrl": "https://rp"},
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "eventTime": "2026-01-01T00:00:00Z",
        "dataVersion": "1",
    }
    answer = webhooks(provider()).incoming(posted([event]))
    assert answer == Answer('{"validationResponse":"512d38b6-c7b8-40c8-89fe-f46f9e9622b6"}', "application/json")


def test_an_incoming_call() -> None:
    """Numbers, the correlation, and the context that the answer has to give back; CloudEvents are read as well."""
    call = IncomingCall("correlation", "+14158675309", "+18005551212", "opaque")
    assert webhooks(provider()).incoming(posted([INCOMING])) == call
    cloud_event = {"specversion": "1.0", "type": INCOMING["eventType"], "data": INCOMING["data"]}
    assert webhooks(provider()).incoming(posted(cloud_event)) == call


def test_a_caller_without_number_is_a_raw_id() -> None:
    """``phoneNumber`` exists for phone numbers alone; the prefix of a number's raw id is not the number's."""
    data = {**INCOMING["data"], "from": {"rawId": "8:acs:1"}, "to": {"rawId": "4:+18005551212"}}
    call = webhooks(provider()).incoming(posted([{**INCOMING, "data": data}]))
    assert isinstance(call, IncomingCall)
    assert (call.caller, call.called) == ("8:acs:1", "+18005551212")


def test_a_call_is_found_among_events_that_are_none() -> None:
    """One that cannot be read does not cost the others of its delivery."""
    call = webhooks(provider()).incoming(posted([7, None, {"eventType": None}, {"data": {}}, INCOMING]))
    assert isinstance(call, IncomingCall)
    assert call.context == "opaque"


def test_other_events_are_accepted_and_left() -> None:
    """Event Grid would repeat what is refused."""
    event = {"eventType": "Microsoft.Communication.RecordingFileStatusUpdated", "data": {}}
    assert webhooks(provider()).incoming(posted([event])) == Answer()


@pytest.mark.parametrize("body", [b"", b"x", b"7", [7], {"data": 7, "eventType": [7]}, [{**INCOMING, "data": {}}]])
def test_what_is_no_delivery(body: object) -> None:
    """It is told so."""
    with pytest.raises(WireError, match="not an Event Grid delivery"):
        webhooks(provider()).incoming(posted(body))


@pytest.mark.parametrize("missing", ["endpoint", "access_key"])
def test_calls_cannot_be_answered_without_the_rest_api(missing: str) -> None:
    """The error names what is to be set; nothing is sent unsigned."""
    acs = provider(**{missing: None})
    with pytest.raises(WireError, match=r"providers\.acs\.endpoint and access_key"):
        webhooks(acs).incoming(posted([INCOMING]))
    assert not hang_up(acs, CONNECTION)
    assert not transfer(acs, CONNECTION, "+1")


def test_the_answer() -> None:
    """One request, made exactly as the REST API wants it; Event Grid gets an empty 200."""
    call = IncomingCall("correlation", "+14158675309", "+18005551212", "opaque")
    connect = Connect("wss://gw/stream/acs/support/token", callback_url="https://gw/status/acs")
    written = answer_call(provider(), call, connect)
    assert (written.body, written.status) == ("", 200)
    request = only(written.requests)
    url = "https://contoso.communication.azure.com/calling/callConnections:answer?api-version=2025-05-15"
    assert (request.method, request.url) == ("POST", url)
    assert request.body == (
        b'{"incomingCallContext":"opaque","callbackUri":"https://gw/status/acs","mediaStreamingOptions":'
        b'{"transportUrl":"wss://gw/stream/acs/support/token","transportType":"websocket","contentType":"audio",'
        b'"audioChannelType":"mixed","startMediaStreaming":true,"enableBidirectional":true,'
        b'"audioFormat":"pcm24KMono","enableDtmfTones":true}}'
    )
    assert request.headers["Content-Type"] == "application/json"
    slower = only(answer_call(provider(rate_hz=16000), call, connect).requests)
    assert b'"audioFormat":"pcm16KMono"' in slower.body


def test_status_callbacks() -> None:
    """Each event is its word; the call's end and an answer that failed end it, a stream that failed does not."""
    body = [
        {"type": f"Microsoft.Communication.{kind}", "data": {"callConnectionId": CONNECTION, "correlationId": "c"}}
        for kind in ("CallConnected", "MediaStreamingFailed", "CallDisconnected", "AnswerFailed", "CallTransferFailed")
    ]
    assert webhooks(provider()).status(posted(body)) == [
        CallStatus(CONNECTION, "CallConnected", ended=False, answered_as="c"),
        CallStatus(CONNECTION, "MediaStreamingFailed", ended=False, stream_failed=True, answered_as="c"),
        CallStatus(CONNECTION, "CallDisconnected", ended=True, answered_as="c"),
        CallStatus(CONNECTION, "AnswerFailed", ended=True, answered_as="c"),
        CallStatus(CONNECTION, "CallTransferFailed", ended=False, transfer_failed=True, answered_as="c"),
    ]
    for empty in ([], [{"type": "x", "data": {}}], b"x"):
        with pytest.raises(WireError):
            webhooks(provider()).status(posted(empty))


# Who sent it


def test_event_grid_proves_itself_by_the_secret_in_its_url() -> None:
    """It signs nothing; a wrong secret, or none configured, is refused."""
    assert webhooks(provider()).verify(posted([INCOMING]), NOW_S) == ""
    with pytest.raises(SignatureError, match="secret in the URL is wrong"):
        webhooks(provider()).verify(posted([INCOMING], "https://gw/answer/acs?secret=sesamo"), NOW_S)
    with pytest.raises(SignatureError, match="stream_secret is not set"):
        webhooks(provider(stream_secret=None)).verify(posted([INCOMING]), NOW_S)
    with pytest.raises(SignatureError):
        webhooks(provider()).verify(posted([INCOMING], "https://gw/answer/acs"), NOW_S)


def test_callbacks_prove_themselves_by_a_token() -> None:
    """Of the service, to our resource; without the keys nothing is believed."""
    acs = provider()
    callback = posted([], "https://gw/status/acs", authorization=bearer())
    with pytest.raises(SignatureError, match="have not been fetched"):
        webhooks(acs).verify(callback, NOW_S)
    keys_of(acs).replace(JWKS)
    assert webhooks(acs).verify(callback, NOW_S) == ""
    with pytest.raises(SignatureError, match="udience"):
        webhooks(acs).verify(posted([], "https://gw/status/acs", authorization=bearer(aud="another")), NOW_S)
    with pytest.raises(SignatureError, match="expired"):
        webhooks(acs).verify(callback, NOW_S + 600)
    with pytest.raises(SignatureError, match="no Authorization"):
        webhooks(acs).verify(posted([], "https://gw/status/acs"), NOW_S)
    unnamed = provider(resource_id=None)
    keys_of(unnamed).replace(JWKS)
    with pytest.raises(SignatureError, match="resource_id is not set"):
        webhooks(unnamed).verify(callback, NOW_S)


def test_the_stream_proves_itself_by_a_token() -> None:
    """Where resource_id is set; otherwise the token in the path has to do."""
    acs, upgrade = provider(), Upgrade(headers={"authorization": bearer()})
    with pytest.raises(SignatureError, match="have not been fetched"):
        acs.verify_upgrade(upgrade, NOW_S)
    keys_of(acs).replace(JWKS)
    assert acs.verify_upgrade(upgrade, NOW_S) is Proof.PROVIDER
    with pytest.raises(SignatureError, match="no Authorization"):
        acs.verify_upgrade(Upgrade(), NOW_S)
    assert provider(resource_id=None).verify_upgrade(upgrade, NOW_S) is Proof.NONE
    with pytest.raises(SignatureError, match="ssuer"):
        acs.verify_upgrade(Upgrade(headers={"authorization": bearer(iss="https://evil")}), NOW_S)


def test_where_the_keys_come_from() -> None:
    """A plain request; a document that is none leaves the keys that there are."""
    acs = provider()
    keys = keys_of(acs)
    assert keys.request().url == "https://acscallautomation.communication.azure.com/calling/keys"
    keys.replace(JWKS)
    with pytest.raises(WireError, match="JWKS"):
        keys.replace(b"<html>")
    assert acs.verify_upgrade(Upgrade(headers={"authorization": bearer()}), NOW_S) is Proof.PROVIDER


# The REST API


def test_hanging_up_ends_the_call_for_everyone() -> None:
    """Signed at the moment of asking; the id cannot leave its place in the path."""
    request = only(hang_up(provider(), CONNECTION))
    path = f"/calling/callConnections/{CONNECTION}:terminate?api-version=2025-05-15"
    assert (request.method, request.url) == ("POST", "https://contoso.communication.azure.com" + path)
    assert (request.body, request.gone) == (b"", (404,))
    assert request.headers["x-ms-date"] == "Tue, 14 Nov 2023 22:13:20 GMT"
    assert "Content-Type" not in request.headers
    assert "/calling/callConnections/..%2Fx:terminate" in only(hang_up(provider(), "../x")).url


def test_transfer() -> None:
    """To a number; a sip: address is nothing that ACS dials."""
    request = only(transfer(provider(), CONNECTION, "+14255550199"))
    assert request.url.endswith(f"/calling/callConnections/{CONNECTION}:transferToParticipant?api-version=2025-05-15")
    assert request.body == b'{"targetParticipant":{"kind":"phoneNumber","phoneNumber":{"value":"+14255550199"}}}'
    assert not transfer(provider(), CONNECTION, "sip:anna@example.com")


def test_what_follows_the_stream() -> None:
    """A call outlives its stream: it is transferred, or ended, whatever else was wanted."""
    acs = provider()
    assert only(after_stream(acs, CONNECTION, After())) == only(hang_up(acs, CONNECTION))
    assert only(after_stream(acs, CONNECTION, After(say="Goodbye"))) == only(hang_up(acs, CONNECTION))
    assert only(after_stream(acs, CONNECTION, After(transfer="+1"))) == only(transfer(acs, CONNECTION, "+1"))
    assert only(after_stream(acs, CONNECTION, After(transfer="sip:a@b"))) == only(hang_up(acs, CONNECTION))


def test_digits_go_to_the_caller() -> None:
    """As words, to the one whose stream it was; to nobody where the caller is not known."""
    acs = provider()
    assert not send_digits(acs, CONNECTION, "1")
    acs.codec(Upgrade(headers={"x-ms-call-connection-id": CONNECTION}), GRANT)
    request = only(send_digits(acs, CONNECTION, "12#*"))
    assert request.url.endswith(f"/calling/callConnections/{CONNECTION}:sendDtmfTones?api-version=2025-05-15")
    assert request.body == (
        b'{"tones":["one","two","pound","asterisk"],'
        b'"targetParticipant":{"kind":"phoneNumber","phoneNumber":{"value":"+14158675309"}}}'
    )
    acs.codec(Upgrade(headers={"x-ms-call-connection-id": "u"}), Grant(caller="8:acs:1"))
    assert b'{"kind":"communicationUser","communicationUser":{"id":"8:acs:1"}}' in only(send_digits(acs, "u", "1")).body
    assert not send_digits(acs, "u", "")
    for unknown in ("", "anonymous", "sip:anonymous@anonymous.invalid"):
        acs.codec(Upgrade(headers={"x-ms-call-connection-id": "w"}), Grant(caller=unknown))
        assert not send_digits(acs, "w", "1")


def test_the_memory_of_callers_is_bounded() -> None:
    """The oldest call is forgotten first."""
    acs = provider()
    for number in range(CALLERS_LIMIT + 1):
        acs.codec(Upgrade(headers={"x-ms-call-connection-id": str(number)}), GRANT)
    assert not send_digits(acs, "0", "1")
    assert send_digits(acs, "1", "1")

"""Plivo's wire, byte for byte, and its HTTP; examples as in Plivo's own documentation and libraries."""

import base64
import hashlib
import json
from collections.abc import Mapping
from uuid import uuid4

import pytest
from pydantic import SecretStr

from gateway.audio.formats import L16_8K, L16_16K, PCMU, AudioFormat
from gateway.config import providers as settings
from gateway.errors import WireError
from gateway.phone.commands import EndStream, PlayAudio, SendMark, TransferCall
from gateway.phone.dialects.plivo.signature import signature_v3
from gateway.phone.events import CallStarted, UnknownMessage
from gateway.phone.provider import Grant, Proof, SignatureError, UnsignedError, Upgrade
from gateway.phone.providers.plivo.provider import Plivo, PlivoCodec
from gateway.phone.requests import HttpRequest
from gateway.phone.webhook import After, CallStatus, Connect, IncomingCall, WebhookRequest
from gateway.sim.providers import plivo as simulated
from tests.conformance.own import fields_of
from tests.conformance.transcripts import golden
from tests.phone.parts import after_stream, answer_call, hang_up, send_digits, setup, transfer, webhooks

CALL = "b77af520-6c3d-4b8f-9c2f-6e1d2d5f6a10"
STREAM = "20170ece-0d1d-4f2b-8f7e-4c7f6a8e1b22"
MESSAGES = golden("plivo").messages
START = str(MESSAGES[0])
GRANT = Grant("support", CALL, "+14155550100", "+14155550199")
TOKEN = "my_auth_token"
ANSWER_URL = "https://gw.example.com/answer/plivo"


def plivo(answer_url: str = "") -> Plivo:
    section = settings.Plivo(auth_id="MA01", auth_token=SecretStr(TOKEN))
    return Plivo(section, setup("plivo", answer_url))


def started() -> PlivoCodec:
    codec = PlivoCodec(GRANT)
    codec.decode(START)
    return codec


def media(payload: bytes, track: str = "inbound") -> str:
    body = {"track": track, "timestamp": "1", "chunk": "1", "payload": base64.b64encode(payload).decode()}
    return json.dumps({"event": "media", "sequenceNumber": "2", "streamId": STREAM, "media": body})


def test_a_clear_confirms_nothing() -> None:
    """Checkpoints come back when they were played; ``clearedAudio`` says that the others never will."""
    codec = started()
    codec.encode(SendMark("g1-1"))
    assert codec.decode('{"event":"clearedAudio","sequenceNumber":80,"streamId":"s"}') == ()


def test_the_stream_has_no_word_for_its_end_or_a_transfer() -> None:
    """The socket is closed, and Plivo goes on with its document; a transfer is a request to the API."""
    assert started().encode(EndStream()) == ()
    assert started().encode(TransferCall("+14155550100")) == ()


@pytest.mark.parametrize(
    ("encoding", "rate", "audio_format"),
    [("audio/x-mulaw", 8000, PCMU), ("audio/x-l16", 8000, L16_8K), ("audio/x-l16", "16000", L16_16K)],
)
def test_the_start_message_decides_the_format(encoding: str, rate: int | str, audio_format: AudioFormat) -> None:
    """A static document may ask for linear samples: the reply says the same, with the rate as a number."""
    message = json.loads(START)
    message["start"]["mediaFormat"] = {"encoding": encoding, "sampleRate": rate}
    codec = PlivoCodec(GRANT)
    (event,) = codec.decode(json.dumps(message))
    assert isinstance(event, CallStarted)
    assert event.audio_format is audio_format
    (out,) = codec.encode(PlayAudio(b"\x00\x00"))
    assert json.loads(out)["media"] == {"contentType": encoding, "sampleRate": int(rate), "payload": "AAA="}


@pytest.mark.parametrize(
    ("written", "parameters"),
    [
        ('"userId=1;b=2"', {"userId": "1", "b": "2"}),
        ('"userId=1,b=2"', {"userId": "1", "b": "2"}),
        ('"{\\"userId\\":\\"1\\"}"', {"userId": "1"}),
        ('{"userId":"1","n":2,"vip":true,"none":null}', {"userId": "1", "n": "2", "vip": "true"}),
        ('"{}"', {}),
        ('"{"', {}),
        ("null", {}),
        ("[1]", {}),
    ],
)
def test_extra_headers_in_either_form(written: str, parameters: dict[str, str]) -> None:
    """The documentation and the SDK disagree about their form, and a broken one is no reason to lose a call."""
    message = START.replace('"userId=12345;sessionId=abc"', written)
    event, *odd = PlivoCodec(Grant()).decode(message)
    assert isinstance(event, CallStarted)
    assert event.parameters == parameters
    assert bool(odd) == (written in ('"{"', "[1]"))


def test_a_static_document_may_bring_the_numbers() -> None:
    """Without a token, ``extraHeaders`` are the only way in for numbers, which must be written without a plus."""
    message = START.replace("userId=12345;sessionId=abc", "from=14155550100,to=14155550199")
    (event,) = PlivoCodec(Grant()).decode(message)
    assert isinstance(event, CallStarted)
    assert (event.caller, event.called) == ("14155550100", "14155550199")


def test_what_is_not_the_callers_audio_or_not_known() -> None:
    """The other track would be the bot hearing itself; an unknown event is counted, not refused."""
    assert started().decode(media(b"x", "outbound")) == ()
    assert started().decode('{"event":"brand-new","x":1}') == (UnknownMessage("brand-new"),)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (b"\x00\x01", "binary"),
        ("not json", "not a stream event"),
        ("[" * 100_000, "not a stream event"),
        ('{"event":"x","y":' + "[" * 100_000, "not a stream event"),
        ("\udc80", "not a stream event"),
        ("{}", "event"),
        ('{"event":"media"}', "without its media member"),
        ('{"event":"media","media":{"payload":"*"}}', "payload"),
        ('{"event":"dtmf","dtmf":{"digit":"12"}}', "is not a key"),
        ('{"event":"dtmf"}', "dtmf without its dtmf member"),
        ('{"event":"playedStream"}', "mark without its name"),
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
        ('{"event":"start"}', "start without its start member"),
        (START.replace(CALL, ""), "without a callId"),
        (
            START.replace("x-mulaw", "x-opus"),
            "expected one of the <Stream> element's contentType audio/x-mulaw;rate=8000",
        ),
        (START.replace("8000", "11025"), "11025 Hz"),
    ],
)
def test_broken_starts(message: str, says: str) -> None:
    """A call that cannot be carried is refused at once, and the setting named that would mend it."""
    with pytest.raises(WireError, match=says):
        PlivoCodec(Grant()).decode(message)


def test_a_hostile_stream_id_stays_inside_its_string() -> None:
    """The stream id comes from the peer and goes back out: quotes in it must not end the string."""
    message = json.loads(START)
    message["start"]["streamId"] = hostile = 'x","event":"clearAudio'
    codec = PlivoCodec(GRANT)
    codec.decode(json.dumps(message))
    (out,) = codec.encode(SendMark('"'))
    assert json.loads(out) == {"event": "checkpoint", "streamId": hostile, "name": '"'}


# No vector of V3 is published by Plivo; these agree with plivo-python's validate_v3_signature.
FORM = [
    ("CallUUID", "97ceeb52-58b6-11e1-86da-77300b68f8bb"),
    ("From", "14155550100"),
    ("To", "14155550199"),
    ("Direction", "inbound"),
    ("CallStatus", "ringing"),
    ("Event", "StartApp"),
]
URL = "https://answer.url/in"
QUERY = URL + "?b=2&a=1"
GET = QUERY + "&CallUUID=x&From=14155550100"
VECTORS = [
    ("POST", URL, FORM, "T+AvAPsUkb/gyJu6Nl3f8xuOcD0Nugpvs55/irVp/CY="),
    ("POST", QUERY, FORM, "hjTNKKK0ypzzEVR/FC9d0F2lSKoTzqjKWTmcS9bhSYY="),
    ("POST", QUERY, [], "hsfB39OyjO5EfUxM0zBVepeKRYYlWzKNsfamjNALLIw="),
    ("GET", GET, [], "E7chxEzcqcdBAbOE1l4cO5oCfMZXm5oAGdR3/8bXn6M="),
    ("GET", URL, [], "UhdB1nsRtprDhSSrjsuP14eXK9wSAI9izVivpVparwg="),
]
vectors = pytest.mark.parametrize(("method", "url", "form", "signature"), VECTORS)


def signed(
    method: str, url: str, form: list[tuple[str, str]], signature: str, nonce: str = "12345", name: str = "v3"
) -> WebhookRequest:
    headers = {f"x-plivo-signature-{name}": signature, "x-plivo-signature-v3-nonce": nonce}
    return WebhookRequest(method, url, headers, form)


@vectors
def test_signature_vectors(method: str, url: str, form: list[tuple[str, str]], signature: str) -> None:
    """The vectors hold, of account and main account, alone or among others; what is signed must not come twice."""
    headers = (("v3", signature), ("v3", f"AAAA,{signature}"), ("ma-v3", signature))
    keys = {webhooks(plivo()).verify(signed(method, url, form, header, name=name), 0.0) for name, header in headers}
    assert len(keys) == 1
    assert len(keys.pop()) == hashlib.sha256().digest_size * 2


def test_a_dot_that_moves_into_the_nonce_makes_no_other_request() -> None:
    """Text, dot and nonce are signed as one: cut at another dot the signature is right, and the key the same."""
    form = [("CallUUID", "u"), ("To", "sip:a.b@example")]
    proof = signature_v3(TOKEN, f"{URL}?CallUUIDuTosip:a.b@example", "12345")
    moved = signed("POST", URL, [("CallUUID", "u"), ("To", "sip:a")], proof, "b@example.12345")
    assert webhooks(plivo()).verify(moved, 0.0) == webhooks(plivo()).verify(signed("POST", URL, form, proof), 0.0)


@vectors
def test_signature_refuses_any_change(method: str, url: str, form: list[tuple[str, str]], signature: str) -> None:
    """URL, query, form, nonce, signature and secret are all bound."""
    altered = [
        signed(method, url + "x", form, signature),
        signed(method, url + ("&" if "?" in url else "?") + "c=", form, signature),
        signed(method, url, form, signature, nonce="12346"),
        signed(method, url, form, signature, nonce=""),
        signed(method, url, form, ""),
        signed(method, url, form, "é\udc80"),
        *(signed(method, url, form, signature[:at] + "!" + signature[at + 1 :]) for at in range(len(signature))),
    ]
    if method == "POST":
        altered += [signed(method, url, [*form, ("x", "")], signature)]
        altered += [signed(method, url, [*form[:at], *form[at + 1 :]], signature) for at in range(len(form))]
    for request in altered:
        with pytest.raises(SignatureError):
            webhooks(plivo()).verify(request, 0.0)
    other = Plivo(settings.Plivo(auth_token=SecretStr(TOKEN + "6")), setup("plivo"))
    with pytest.raises(SignatureError, match="wrong"):
        webhooks(other).verify(signed(method, url, form, signature), 0.0)


def test_without_a_token_nothing_is_believed() -> None:
    """A missing secret is a reason to refuse, and is told in the log by its name."""
    with pytest.raises(SignatureError, match="PLIVO_AUTH_TOKEN"):
        webhooks(Plivo(settings.Plivo(), setup("plivo"))).verify(signed(*VECTORS[0]), 0.0)


@pytest.mark.parametrize(
    ("url", "signature"),
    [
        ("wss://answer.url/stream", "kTmcBui3k+rtmT2uaedQw4dQx/pgQbgZg7EfzQvjMuA="),
        ("wss://answer.url/stream", "dmuaiY8hN9jF8Bg0UZyfpS8nb8luZD3gZ44gbxHBvF8="),
    ],
)
def test_the_upgrade_is_signed_in_a_way_of_its_own(url: str, signature: str) -> None:
    """Both constructions that have been seen are taken; neither makes the stream's token needless."""
    headers = {"x-plivo-signature-v3": signature, "x-plivo-signature-v3-nonce": "12345"}
    assert plivo().verify_upgrade(Upgrade(url, {}, headers), 0.0) is Proof.PROVIDER
    with pytest.raises(SignatureError):
        plivo().verify_upgrade(Upgrade(url + "x", {}, headers), 0.0)
    with pytest.raises(SignatureError):
        plivo().verify_upgrade(Upgrade(url, {}, headers | {"x-plivo-signature-v3": "AAAA"}), 0.0)


def test_an_unsigned_upgrade_is_told() -> None:
    """Plivo signs each upgrade, so that a missing signature is told from a provider without any."""
    with pytest.raises(UnsignedError, match="X-Plivo-Signature-V3"):
        plivo().verify_upgrade(Upgrade("wss://answer.url/stream"), 0.0)
    assert Plivo(settings.Plivo(), setup("plivo")).verify_upgrade(Upgrade("wss://answer.url/stream"), 0.0) is Proof.NONE


def test_webhooks() -> None:
    """The call, the document that answers it, and the callbacks at its end."""
    call = IncomingCall(dict(FORM)["CallUUID"], "14155550100", "14155550199")
    assert webhooks(plivo()).incoming(WebhookRequest("POST", URL, {}, FORM)) == call
    answer = answer_call(plivo(), call, Connect("wss://gw/s", After(transfer="+14155550111")))
    assert 'contentType="audio/x-mulaw;rate=8000"' in answer.body
    assert answer.body.endswith(">wss://gw/s</Stream><Dial><Number>14155550111</Number></Dial><Hangup/></Response>\n")
    ended = [("CallUUID", CALL), ("Event", "Hangup"), ("CallStatus", "completed")]
    assert list(webhooks(plivo()).status(WebhookRequest("POST", URL, {}, ended))) == [
        CallStatus(CALL, "completed", ended=True)
    ]


CALL_API = f"https://api.plivo.com/v1/Account/MA01/Call/{CALL}/"
BASIC = {"Authorization": "Basic TUEwMTpteV9hdXRoX3Rva2Vu"}


def test_call_control() -> None:
    """Hanging up and transferring are requests; the transfer's document is asked for at our own address."""
    provider = plivo(answer_url=ANSWER_URL)
    assert list(hang_up(provider, CALL)) == [HttpRequest("DELETE", CALL_API, BASIC, gone=(404,), repeatable=True)]
    (request,) = transfer(provider, CALL, "+14155550111")
    assert (request.method, request.url) == ("POST", CALL_API)
    assert request.headers == BASIC | {"Content-Type": "application/json"}
    assert json.loads(request.body) == {
        "legs": "aleg",
        "aleg_url": f"{ANSWER_URL}?transfer=14155550111",
        "aleg_method": "POST",
    }
    assert send_digits(provider, CALL, "1") == ()
    assert after_stream(provider, CALL, After("bye")) == ()


def test_without_credentials_or_address_there_is_no_call_control() -> None:
    """Nothing is asked of the API that it would refuse."""
    assert transfer(plivo(), CALL, "+14155550111") == ()
    assert hang_up(Plivo(settings.Plivo(), setup("plivo")), CALL) == ()


def test_ids_cannot_leave_their_place_in_a_path() -> None:
    """A call id comes from outside and goes into a URL that carries our credentials."""
    (request,) = hang_up(plivo(), "../../Number/1?x")
    assert request.url == "https://api.plivo.com/v1/Account/MA01/Call/..%2F..%2FNumber%2F1%3Fx/"


def sign(secrets: Mapping[str, str], url: str, body: bytes) -> Mapping[str, str]:
    """The headers of a webhook, as the simulated end signs it."""
    nonce = str(uuid4())
    right = simulated.signature_v3(secrets["auth_token"], "POST", url, fields_of(body), nonce)
    return {"X-Plivo-Signature-V3": right, "X-Plivo-Signature-V3-Nonce": nonce}

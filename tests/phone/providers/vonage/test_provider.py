"""Vonage's wire, byte for byte, and its HTTP; examples as in Vonage's own documentation and libraries."""

import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr

from gateway.audio.formats import L16_8K, L16_16K, L16_24K, AudioFormat
from gateway.config import providers as settings
from gateway.errors import WireError
from gateway.phone.commands import EndStream, PlayAudio, SendDigits, SendMark, StopPlayback, TransferCall
from gateway.phone.events import CallStarted, DigitPressed, UnknownMessage
from gateway.phone.provider import Grant, Proof, SignatureError, UnsignedError, Upgrade
from gateway.phone.providers.vonage import ncco
from gateway.phone.providers.vonage.provider import TRAITS, Vonage, VonageCodec
from gateway.phone.requests import HttpRequest
from gateway.phone.webhook import After, Answer, CallStatus, Connect, IncomingCall, StreamEnded, WebhookRequest
from tests.conformance.transcripts import golden
from tests.phone.parts import after_stream, answer_call, hang_up, send_digits, setup, transfer, webhooks

CALL = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"
MESSAGES = golden("vonage").messages
CONNECTED = str(MESSAGES[0])
URL = "https://gw.example.com/answer/vonage"
APPLICATION = "0f7f2a3c-0000-4000-8000-000000000001"
NOW = 1_697_634_680
# Vector of Vonage's own Python library (vonage-python-sdk, jwt/tests): its claims are iat, exp and strings.
SECRET = "qwertyuiopasdfghjklzxcvbnm123456"
VECTOR = (
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJPbmxpbmUgSldUIEJ1aWxkZXIiLCJpYXQiOjE2OTc2MzQ2ODAsImV4cCI6MzMyNTQ1"
    "NDA4MjgsImF1ZCI6IiIsInN1YiI6IiJ9.88vJc3I2HhuqEDixHXVhc9R30tA6U_HQHZTC29y6CGM"
)


@pytest.fixture(scope="module")
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def vonage(**more: Any) -> Vonage:
    section = settings.Vonage(application_id=APPLICATION, signature_secret=SecretStr(SECRET), **more)
    return Vonage(section, setup("vonage", now_s=lambda: NOW))


def started(connected: str = CONNECTED) -> VonageCodec:
    codec = VonageCodec(Grant())
    codec.decode(connected)
    return codec


@pytest.mark.parametrize(("audio_format", "frame"), [(L16_8K, 320), (L16_16K, 640), (L16_24K, 960)])
def test_every_message_is_exactly_20_ms(audio_format: AudioFormat, frame: int) -> None:
    """Whatever the pieces, all messages have the one size that Vonage takes, and no byte is lost or moved."""
    codec = started(CONNECTED.replace("16000", str(audio_format.rate_hz)))
    audio = bytes(at % 251 for at in range(frame * 5))
    sent: list[str | bytes] = []
    for start in range(0, len(audio), 334):
        sent += codec.encode(PlayAudio(audio[start : start + 334]))
    assert {len(message) for message in sent} == {frame}
    assert sent == [audio[start : start + frame] for start in range(0, len(audio), frame)]


def test_a_mark_completes_the_frame_before_it() -> None:
    """What is confirmed as heard must have been sent: the rest of the frame is silence."""
    codec = started()
    assert codec.encode(PlayAudio(b"\x01" * 700)) == [b"\x01" * 640]
    assert codec.encode(SendMark("g")) == (b"\x01" * 60 + bytes(580), '{"action":"notify","payload":{"id":"g"}}')
    assert codec.encode(SendMark("h")) == ('{"action":"notify","payload":{"id":"h"}}',)


def test_a_clear_takes_the_part_frame_with_it() -> None:
    """It belongs to what is discarded, not to the next reply."""
    codec = started()
    codec.encode(PlayAudio(b"\x01" * 700))
    assert codec.encode(StopPlayback()) == ('{"action":"clear"}',)
    assert codec.encode(PlayAudio(b"\x02" * 640)) == [b"\x02" * 640]


def test_the_wire_has_no_word_for_end_transfer_and_digits() -> None:
    """Those are requests to the API."""
    for command in (EndStream(), TransferCall("+14155550100"), SendDigits("1")):
        assert started().encode(command) == ()


def test_the_grant_says_whose_call_it_is() -> None:
    """A static NCCO may carry no headers; and numbers that our token vouches for are the ones that count."""
    grant = Grant("support", CALL, "+14155550100", "+14155550199")
    (event,) = VonageCodec(grant).decode('{"event":"websocket:connected","content-type":"audio/l16;rate=8000"}')
    assert event == CallStarted(CALL, "", L16_8K, TRAITS.playout, "+14155550100", "+14155550199")
    (event,) = VonageCodec(grant).decode(CONNECTED)
    assert isinstance(event, CallStarted)
    assert event.caller == "+14155550100"


def test_a_key_in_either_form() -> None:
    """The guide has the digit beside the event; in an object of its own it has been seen, too."""
    assert started().decode('{"event":"websocket:dtmf","dtmf":{"digit":"#"}}') == (DigitPressed("#"),)


def test_unknown_events_are_counted() -> None:
    """An undocumented event is not refused."""
    assert started().decode('{"event":"websocket:error"}') == (UnknownMessage("websocket:error"),)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("not json", "not a WebSocket event"),
        ("[]", "not a WebSocket event"),
        ('{"x":' * 100_000, "not a WebSocket event"),
        ("\udc80", "not a WebSocket event"),
        ("{}", "without an event"),
        ('{"event":7}', "without an event"),
        ('{"event":"websocket:dtmf","digit":"12"}', "is not a key"),
        ('{"event":"websocket:dtmf","digit":[5]}', "dtmf without"),
        ('{"event":"websocket:dtmf"}', "dtmf without"),
        ('{"event":"websocket:notify","payload":{"id":[7]}}', "mark without"),
        ('{"event":"websocket:notify","payload":7}', "without the payload"),
        (CONNECTED, "second websocket:connected"),
    ],
)
def test_broken_messages(message: str | bytes, says: str) -> None:
    """What breaks the protocol is a WireError that names the rule."""
    with pytest.raises(WireError, match=says):
        started().decode(message)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ('{"event":"websocket:connected"}', "content-type '' of the NCCO: expected audio/l16;rate=8000 or"),
        (CONNECTED.replace("16000", "44100"), "44100"),
        (CONNECTED.replace("l16", "opus"), "opus"),
    ],
)
def test_broken_starts(message: str | bytes, says: str) -> None:
    """A call that cannot be carried is refused at once, and the setting named that would mend it."""
    with pytest.raises(WireError, match=says):
        VonageCodec(Grant()).decode(message)


def token(body: bytes = b"", secret: str = SECRET, **claims: Any) -> str:
    usual = {"iat": NOW, "jti": "j1", "iss": "Vonage", "payload_hash": hashlib.sha256(body).hexdigest()}
    return jwt.encode({**usual, "application_id": APPLICATION, **claims}, secret, algorithm="HS256")


def request(
    method: str = "POST", body: bytes = b"", bearer: str = "", query: Mapping[str, str] | None = None
) -> WebhookRequest:
    headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
    return WebhookRequest(method, URL, headers, body=body, query=list((query or {}).items()))


def test_official_vector() -> None:
    """The vendor's token holds, while it is fresh; having no id, all that is signed must not come twice."""
    key = hashlib.sha256(VECTOR.rpartition(".")[0].encode()).hexdigest()
    assert webhooks(vonage()).verify(request("GET", bearer=VECTOR), NOW + 299) == key


BODY = b'{"uuid":"u","from":"14155550100","to":"14155550199"}'


def test_signed_webhook() -> None:
    """A POST is bound to its body, and its ``jti`` must not come twice."""
    assert webhooks(vonage()).verify(request("POST", BODY, token(BODY)), NOW) == "j1"
    assert webhooks(vonage()).verify(request("GET", bearer=token()), NOW) == "j1"


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (request("POST", BODY), "is missing"),
        (request("POST", BODY.replace(b"1", b"2", 1), token(BODY)), "payload_hash"),
        (request("POST", b"", token(BODY)), "payload_hash"),
        (request("POST", BODY, token(BODY, payload_hash=7)), "payload_hash"),
        (request("POST", BODY, token(BODY, iat=NOW - 301)), "issued at"),
        (request("POST", BODY, token(BODY, application_id="other")), "is of application 'other'"),
        (request("POST", BODY, token(BODY, application_id="")), "is of application ''"),
        (request("POST", BODY, token(BODY, application_id=None)), "is of application 'None'"),
        (request("POST", BODY, token(BODY, secret=SECRET[::-1])), "the JWT is wrong"),
        (request("POST", BODY, "é.\udc80"), "the JWT is wrong"),
    ],
)
def test_webhooks_that_are_refused(bad: WebhookRequest, says: str) -> None:
    """What is missing, forged, altered, old or another application's is refused, for a reason that the log tells."""
    with pytest.raises(SignatureError, match=says):
        webhooks(vonage()).verify(bad, NOW)


def test_without_a_secret_nothing_is_believed() -> None:
    """A missing secret is a reason to refuse, and is told in the log by its name."""
    with pytest.raises(SignatureError, match="VONAGE_SIGNATURE_SECRET"):
        webhooks(Vonage(settings.Vonage(), setup("vonage", now_s=lambda: NOW))).verify(
            request("POST", BODY, token(BODY)), NOW
        )


def test_the_upgrade_brings_a_token_too() -> None:
    """A right one proves Vonage and not the call; none, or one of another kind, is told from a forged one."""
    provider = vonage()
    upgrade = Upgrade("wss://gw/s", {}, {"authorization": f"bearer {token()}"})
    assert provider.verify_upgrade(upgrade, NOW) is Proof.PROVIDER
    other_kind = jwt.encode({"iat": NOW}, SECRET * 2, algorithm="HS512")
    with pytest.raises(UnsignedError, match="HS512"):
        provider.verify_upgrade(Upgrade("wss://gw/s", {}, {"authorization": f"bearer {other_kind}"}), NOW)
    with pytest.raises(UnsignedError, match="no JWT"):
        provider.verify_upgrade(Upgrade("wss://gw/s"), NOW)


@pytest.mark.parametrize("bearer", [token(secret=SECRET[::-1]), token(iat=NOW - 301), token(application_id="x"), "x"])
def test_a_forged_upgrade_is_refused(bearer: str) -> None:
    """A token that says it is signed with our secret has to be."""
    with pytest.raises(SignatureError):
        vonage().verify_upgrade(Upgrade("wss://gw/s", {}, {"authorization": f"Bearer {bearer}"}), NOW)


FIELDS = {"to": "18005551212", "from": "14158675309", "uuid": CALL, "conversation_uuid": "CON-1", "region_url": "x"}
EXPECTED = IncomingCall(CALL, "14158675309", "18005551212")


def test_incoming_call() -> None:
    """By GET or by POST; numbers stay as Vonage writes them."""
    assert webhooks(vonage()).incoming(request("GET", query=FIELDS)) == EXPECTED
    assert webhooks(vonage()).incoming(request("POST", json.dumps(FIELDS).encode())) == EXPECTED


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b"{}", b'{"uuid":[7]}', b"\xff", b"[" * 100_000])
def test_what_announces_no_call(body: bytes) -> None:
    """Told so, in words."""
    with pytest.raises(WireError, match=r"uuid|JSON"):
        webhooks(vonage()).incoming(request("POST", body))


def test_answer_document() -> None:
    """An NCCO of the rate that is set."""
    connect = Connect("wss://gw/s", call_url=URL)
    answer = answer_call(vonage(rate_hz=24000), EXPECTED, connect)
    document = ncco.written(ncco.stream(EXPECTED, connect, 24000))
    assert answer == Answer(document, "application/json", audio_format=L16_24K)


AFTER = After("Goodbye.", "en-US", "+14155550111")


@pytest.mark.parametrize("status", ["disconnected", "failed", "rejected", "unanswered"])
def test_the_end_of_the_stream_is_answered_with_what_follows(status: str) -> None:
    """A line's words and transfer, for a stream that ended or never came to be; the caller sees the called number."""
    body = json.dumps({"uuid": "leg", "status": status, "headers": {"call_uuid": CALL, "to": "18005551212"}})
    ended = webhooks(vonage()).incoming(request("POST", body.encode()))
    assert isinstance(ended, StreamEnded)
    assert (ended.call_id, ended.called) == (CALL, "18005551212")
    assert ended.answer(After()) == Answer(status=204)
    answer = ended.answer(AFTER)
    assert json.loads(answer.body) == [
        {"action": "talk", "text": "Goodbye.", "language": "en-US"},
        {"action": "connect", "from": "18005551212", "endpoint": [{"type": "phone", "number": "14155550111"}]},
    ]


@pytest.mark.parametrize("status", ["answered", "completed"])
def test_other_events_want_no_answer(status: str) -> None:
    """What happens to the call stays as it is."""
    body = json.dumps({"uuid": "leg", "status": status}).encode()
    assert webhooks(vonage()).incoming(request("POST", body)) == Answer(status=204)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"uuid": CALL, "status": "completed"}, CallStatus(CALL, "completed", ended=True)),
        ({"uuid": CALL, "status": "ringing"}, CallStatus(CALL, "ringing", ended=False)),
        ({"uuid": CALL, "type": "transfer"}, CallStatus(CALL, "transfer", ended=False)),
        (
            {"uuid": "leg", "status": "disconnected", "headers": {"call_uuid": CALL}},
            CallStatus(CALL, "disconnected", ended=True, stream_failed=True),
        ),
        (
            {"uuid": "leg", "status": "completed", "headers": {"call_uuid": CALL}},
            CallStatus(CALL, "completed", ended=True),
        ),
        ({"uuid": CALL, "status": "failed"}, CallStatus(CALL, "failed", ended=True)),
    ],
)
def test_events(fields: dict[str, Any], status: CallStatus) -> None:
    """Events of the stream's own leg name the call by the headers that our answer gave it."""
    assert list(webhooks(vonage()).status(request("POST", json.dumps(fields).encode()))) == [status]


def test_an_event_without_a_call_tells_its_reason() -> None:
    """So does Vonage tell of an NCCO that it could not read."""
    with pytest.raises(WireError, match="Syntax error in NCCO"):
        webhooks(vonage()).status(request("POST", b'{"reason":"Syntax error in NCCO","conversation_uuid":"CON-1"}'))


def test_call_control(private_key: rsa.RSAPrivateKey) -> None:
    """Each request carries a token of its own, signed with the application's key."""
    provider = vonage(private_key=SecretStr(pem(private_key).replace("\n", "\\n")))
    url = f"https://api.nexmo.com/v1/calls/{CALL}"
    seen = []
    number = {"type": "phone", "number": "15551230000"}
    ncco_of = {"type": "ncco", "ncco": [{"action": "connect", "endpoint": [number]}]}
    for (got,), path, body in (
        (hang_up(provider, CALL), "", {"action": "hangup"}),
        (after_stream(provider, CALL, After()), "", {"action": "hangup"}),
        (send_digits(provider, CALL, "12#"), "/dtmf", {"digits": "12#"}),
        (transfer(provider, CALL, "+15551230000"), "", {"action": "transfer", "destination": ncco_of}),
    ):
        assert isinstance(got, HttpRequest)
        assert (got.method, got.url, json.loads(got.body)) == ("PUT", url + path, body)
        assert got.headers["Content-Type"] == "application/json"
        bearer = got.headers["Authorization"].removeprefix("Bearer ")
        claims = jwt.decode(
            bearer, private_key.public_key(), ["RS256"], options={"verify_exp": False, "verify_iat": False}
        )
        assert {name: claims[name] for name in ("application_id", "iat", "exp")} == {
            "application_id": APPLICATION,
            "iat": NOW,
            "exp": NOW + 300,
        }
        seen.append(claims["jti"])
    assert len(set(seen)) == len(seen)
    assert after_stream(provider, CALL, After("Goodbye.")) == ()
    assert after_stream(provider, CALL, After(transfer="+15551230000")) == (), (
        "the event of the end is answered with it"
    )


def test_without_a_key_there_is_no_call_control() -> None:
    """Nothing is asked of the API that it would refuse."""
    assert hang_up(vonage(), CALL) == ()


def sign(secrets: Mapping[str, str], url: str, body: bytes, **claims: object) -> Mapping[str, str]:
    """The headers of a webhook, as the simulated end signs it."""
    hashed = {"payload_hash": hashlib.sha256(body).hexdigest(), "application_id": secrets["application_id"]}
    known = {"iat": int(time.time()), "jti": str(uuid4()), **hashed, **claims}
    return {"Authorization": f"Bearer {jwt.encode(known, secrets['signature_secret'], algorithm='HS256')}"}


ANNOUNCED = (
    FIELDS,
    {"uuid"},
)
"""A call announced by JSON, and the places that it needs."""
ENDED = (
    {"uuid": "u", "status": "completed", "headers": {"x": "y"}, "duration": "7", "start_time": None},
    {"uuid", "status"},
)
"""A callback that a call has ended, and the places that it needs."""

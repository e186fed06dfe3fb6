"""jambonz' webhooks, verbs, signature and REST requests."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import SecretStr

from gateway.config import providers as settings
from gateway.errors import WireError
from gateway.phone.provider import Proof, SignatureError, UnsignedError, Upgrade
from gateway.phone.providers.jambonz.provider import Jambonz
from gateway.phone.requests import HttpRequest
from gateway.phone.webhook import After, Answer, CallStatus, Connect, IncomingCall, WebhookRequest
from gateway.sim.providers import jambonz as simulated
from tests.phone.parts import after_stream, answer_call, hang_up, send_digits, setup, transfer, webhooks

CALL = "b6f48929-8e86-4d62-ae3b-64fb574d91f6"
ANSWER_URL = "https://gw.example.com/answer/jambonz"
SECRET = "my_auth_token"
NOW_S = 1_700_000_000
VECTOR = "dd28b17efb23ffb7f20a460f4cb56c5253c47bbf7f369993410cc94d6f2c19f2"
BODY = b'{"call_sid":"abc"}'
ONCE = hashlib.sha256(f"{NOW_S}.".encode() + BODY).hexdigest()
"""The hash of what is signed, which only this request has."""

jambonz = Jambonz(
    settings.Jambonz(
        account_sid="acct",
        api_key=SecretStr("key"),
        webhook_secret=SecretStr(SECRET),
        stream_secret=SecretStr("s:3cret"),
        rate_hz=16000,
        api_url="https://jambonz.example.com/api",
    ),
    setup("jambonz", ANSWER_URL),
)
bare = Jambonz(settings.Jambonz(), setup("jambonz"))


def signed(signature: str, body: bytes = BODY, method: str = "POST") -> WebhookRequest:
    return WebhookRequest(method, ANSWER_URL, {"jambonz-signature": signature}, body=body)


def webhook(fields: object, query: tuple[tuple[str, str], ...] = ()) -> WebhookRequest:
    return WebhookRequest("POST", ANSWER_URL, {}, body=json.dumps(fields).encode(), query=query)


def credentials(user: str, password: str) -> Upgrade:
    encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
    return Upgrade("wss://gw/s", {}, {"authorization": f"Basic {encoded}"})


def verbs(body: str) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads(body)
    return read


@pytest.mark.parametrize(
    "signature",
    [f"t={NOW_S},v1={VECTOR}", f"t={NOW_S}, v1=00, v1={VECTOR}", f"v1={VECTOR},t={NOW_S},v2=x"],
)
def test_signature_vector(signature: str) -> None:
    """The vector holds, also among others; whichever is right, the request is the same one."""
    assert webhooks(jambonz).verify(signed(signature), NOW_S) == ONCE


@pytest.mark.parametrize("at", range(len(VECTOR)))
def test_any_altered_byte_of_the_signature_is_refused(at: int) -> None:
    """Whichever it is."""
    altered = VECTOR[:at] + ("0" if VECTOR[at] != "0" else "1") + VECTOR[at + 1 :]
    with pytest.raises(SignatureError, match="wrong"):
        webhooks(jambonz).verify(signed(f"t={NOW_S},v1={altered}"), NOW_S)


@pytest.mark.parametrize("at", range(len(BODY)))
def test_any_altered_byte_of_the_body_is_refused(at: int) -> None:
    """Whichever it is."""
    altered = BODY[:at] + bytes([BODY[at] ^ 1]) + BODY[at + 1 :]
    with pytest.raises(SignatureError, match="wrong"):
        webhooks(jambonz).verify(signed(f"t={NOW_S},v1={VECTOR}", altered), NOW_S)


@pytest.mark.parametrize(
    "signature",
    [
        "",
        VECTOR,
        f"t={NOW_S}",
        f"v1={VECTOR}",
        f"t=x,v1={VECTOR}",
        f"t=²,v1={VECTOR}",
        f"t={NOW_S + 1},v1={VECTOR}",
        f"t={'9' * 5000},v1={VECTOR}",
        f"t={NOW_S},v1=é\udc80",
    ],
)
def test_broken_signatures_are_refused(signature: str) -> None:
    """Missing, halved, of another time, or nonsense."""
    with pytest.raises(SignatureError):
        webhooks(jambonz).verify(signed(signature), NOW_S)


@pytest.mark.parametrize("away_s", [-300, -1, 0, 300])
def test_a_signature_within_the_tolerance(away_s: int) -> None:
    """Clocks may differ by five minutes."""
    assert webhooks(jambonz).verify(signed(f"t={NOW_S},v1={VECTOR}"), NOW_S + away_s)


@pytest.mark.parametrize("away_s", [-301, 301, 86_400])
def test_an_old_signature_is_refused(away_s: int) -> None:
    """Right, but too far from now."""
    with pytest.raises(SignatureError, match="s old"):
        webhooks(jambonz).verify(signed(f"t={NOW_S},v1={VECTOR}"), NOW_S + away_s)


def test_a_get_is_refused() -> None:
    """Its query would be covered by nothing."""
    empty = hmac.new(SECRET.encode(), f"{NOW_S}.".encode(), "sha256").hexdigest()
    with pytest.raises(SignatureError, match="POST"):
        webhooks(jambonz).verify(signed(f"t={NOW_S},v1={empty}", b"", "GET"), NOW_S)


def test_without_a_secret_nothing_is_believed() -> None:
    """The log names what is missing."""
    with pytest.raises(SignatureError, match="JAMBONZ_WEBHOOK_SECRET"):
        webhooks(bare).verify(signed(f"t={NOW_S},v1={VECTOR}"), NOW_S)


def test_credentials_of_the_stream() -> None:
    """Those of our own verb open it; our verb asks for them wherever there is a secret."""
    assert jambonz.verify_upgrade(credentials("gateway", "s:3cret"), NOW_S) is Proof.STREAM
    with pytest.raises(UnsignedError, match="no credentials"):
        jambonz.verify_upgrade(Upgrade("wss://gw/s"), NOW_S)
    assert bare.verify_upgrade(credentials("gateway", ""), NOW_S) is Proof.NONE


@pytest.mark.parametrize(
    "upgrade",
    [
        credentials("gateway", "s:3creT"),
        credentials("Gateway", "s:3cret"),
        credentials("gateway", ""),
        Upgrade("", {}, {"authorization": "Bearer s:3cret"}),
        Upgrade("", {}, {"authorization": "Basic é\udc80"}),
    ],
)
def test_wrong_credentials_are_refused(upgrade: Upgrade) -> None:
    """Even where a token would follow."""
    with pytest.raises(SignatureError):
        jambonz.verify_upgrade(upgrade, NOW_S)


def test_the_sub_protocol() -> None:
    """jambonz hangs up where it is not accepted."""
    assert jambonz.subprotocols == ("audio.jambonz.org",)


CALLING = {"call_sid": CALL, "from": "14158675309", "to": "+18005551212", "direction": "inbound", "account_sid": "acct"}


def test_incoming_call() -> None:
    """Numbers stay as jambonz writes them."""
    assert webhooks(jambonz).incoming(webhook(CALLING)) == IncomingCall(CALL, "14158675309", "+18005551212")


@pytest.mark.parametrize("fields", [{}, [], None, {"call_sid": [7]}, {"call_sid": ""}])
def test_webhooks_that_are_none(fields: object) -> None:
    """Neither a call nor a status."""
    for read in (webhooks(jambonz).incoming, webhooks(jambonz).status):
        with pytest.raises(WireError):
            read(webhook(fields))


def test_answer_verbs() -> None:
    """Streaming both ways at one rate, keys passed, credentials on the upgrade; then what follows."""
    connect = Connect(
        "wss://gw.example.com/stream/jambonz/support/tok",
        After("Goodbye.", "en-US", "+14155550111"),
        callback_url="https://gw.example.com/status/jambonz",
    )
    answer = answer_call(jambonz, IncomingCall(CALL, "", ""), connect)
    assert answer.content_type == "application/json"
    assert verbs(answer.body) == [
        {"verb": "answer"},
        {
            "verb": "listen",
            "url": "wss://gw.example.com/stream/jambonz/support/tok",
            "mixType": "mono",
            "sampleRate": 16000,
            "passDtmf": True,
            "bidirectionalAudio": {"enabled": True, "streaming": True, "sampleRate": 16000},
            "actionHook": "https://gw.example.com/status/jambonz",
            "wsAuth": {"username": "gateway", "password": "s:3cret"},
        },
        {"verb": "say", "text": "Goodbye."},
        {"verb": "dial", "target": [{"type": "phone", "number": "+14155550111"}]},
        {"verb": "hangup"},
    ]
    assert after_stream(jambonz, CALL, connect.on_failure) == ()


def test_the_shortest_answer() -> None:
    """Without a secret no credentials are asked for; without anything to follow the call ends with the stream."""
    (answer, listen, hangup) = verbs(answer_call(bare, IncomingCall(CALL, "", ""), Connect("wss://gw/s")).body)
    assert (answer["verb"], listen["sampleRate"], hangup["verb"]) == ("answer", 8000, "hangup")
    assert "wsAuth" not in listen


@pytest.mark.parametrize(
    ("status", "ended"),
    [
        ("trying", False),
        ("in-progress", False),
        ("completed", True),
        ("failed", True),
        ("busy", True),
        ("no-answer", True),
    ],
)
def test_status(status: str, ended: bool) -> None:
    """A call status webhook."""
    assert webhooks(jambonz).status(webhook(CALLING | {"call_status": status})) == (CallStatus(CALL, status, ended),)


def test_a_status_that_says_nothing() -> None:
    """It names the call and no status."""
    with pytest.raises(WireError, match="call_status"):
        webhooks(jambonz).status(webhook(CALLING))


def put(body: dict[str, str], **meaning: Any) -> HttpRequest:
    return HttpRequest(
        "PUT",
        f"https://jambonz.example.com/api/v1/Accounts/acct/Calls/{CALL}",
        {"Authorization": "Bearer key", "Content-Type": "application/json"},
        json.dumps(body, separators=(",", ":")).encode(),
        **meaning,
    )


def test_hang_up() -> None:
    """By the REST API; a hostile id stays one part of the path."""
    assert hang_up(jambonz, CALL) == (put({"call_status": "completed"}, gone=(404,), repeatable=True),)
    assert hang_up(jambonz, "a/../b")[0].url.endswith("/Calls/a%2F..%2Fb")


@pytest.mark.parametrize(
    ("target", "query", "dialled"),
    [
        ("+14155550111", "%2B14155550111", {"type": "phone", "number": "+14155550111"}),
        ("sip:a@example.com", "sip%3Aa%40example.com", {"type": "sip", "sipUri": "sip:a@example.com"}),
    ],
)
def test_transfer(target: str, query: str, dialled: dict[str, str]) -> None:
    """The call is given other verbs, which it asks us for."""
    assert transfer(jambonz, CALL, target) == (put({"call_hook": f"{ANSWER_URL}?transfer={query}"}),)
    answer = webhooks(jambonz).incoming(webhook(CALLING, (("transfer", target),)))
    assert isinstance(answer, Answer)
    assert verbs(answer.body) == [{"verb": "dial", "target": [dialled]}, {"verb": "hangup"}]


def test_what_there_is_not() -> None:
    """No digits out; no call control without credentials, and no transfer without our own address."""
    assert send_digits(jambonz, CALL, "1") == ()
    assert hang_up(bare, CALL) == transfer(bare, CALL, "+1") == ()


def test_without_our_address_no_call_is_transferred() -> None:
    """Nobody could be asked for the verbs; the rest of the REST API needs none."""
    section = settings.Jambonz(account_sid="a", api_key=SecretStr("k"), api_url="https://jambonz.example.com/api")
    unknown = Jambonz(section, setup("jambonz"))
    assert transfer(unknown, CALL, "+14155550111") == ()
    assert len(hang_up(unknown, CALL)) == 1


def sign(secrets: Mapping[str, str], url: str, body: bytes) -> Mapping[str, str]:
    """The headers of a webhook, as the simulated end signs it."""
    return {"Jambonz-Signature": simulated.signature(secrets["webhook_secret"], body, int(time.time()))}


ANNOUNCED = (
    CALLING,
    {"call_sid"},
)
"""A call announced by JSON, and the places that it needs."""
ENDED = (
    CALLING | {"call_status": "completed", "duration": 7},
    {"call_sid", "call_status"},
)
"""A callback that a call has ended, and the places that it needs."""

"""Acme's own: signature, answers, REST API. Its transcript has the wire; the kit tries the rest."""

import json
import time
from collections.abc import Mapping

import pytest

from gateway.phone.provider import SignatureError
from gateway.phone.providers.acme.provider import AcmeCommands, AcmeWebhooks
from gateway.phone.requests import HttpRequest
from gateway.phone.webhook import After, Connect, IncomingCall, StreamEnded, WebhookRequest
from gateway.sim.providers import acme as simulated

NOW_S = 1_800_000_000
BODY = b'{"event":"incoming","call":"c-1","from":"+14155550100","to":"+14155550199"}'
SIGNATURE = "1800000000.eda26fe70362496b2709a689d76cfb31a13112c012a8cc3d6615757e26cb232a"
"""Of that body at that time with the secret ``sesame``: replace it by a vector of the vendor's documents."""
URL = "https://gw.example.com/answer/acme"
CALL = IncomingCall("c-1", "+14155550100", "+14155550199")
ANNOUNCED = (json.loads(BODY), {"event", "call"})
"""A call announced by JSON, and the places that it needs; left out where webhooks are forms."""
ENDED = ({"event": "ended", "call": "c-1", "from": "+14155550100"}, {"event", "call"})
"""A callback that a call has ended, and the places that it needs."""

webhooks = AcmeWebhooks("acme", ("sesame",))
commands = AcmeCommands("https://api.acme.example", "key")


def sign(secrets: Mapping[str, str], url: str, body: bytes) -> Mapping[str, str]:
    """The headers of a webhook, as the simulated end signs it."""
    right = simulated.signature(secrets["webhook_secret"], body, int(time.time()))
    return {"Acme-Signature": right}


def webhook(signature: str = SIGNATURE, body: bytes = BODY, query: tuple[tuple[str, str], ...] = ()) -> WebhookRequest:
    return WebhookRequest("POST", URL, {"acme-signature": signature}, body=body, query=query)


def test_the_signature() -> None:
    """A vector holds, and names what must not come twice."""
    assert len(webhooks.verify(webhook(), NOW_S)) == 64


def test_the_simulated_end_signs_alike() -> None:
    """By the vector too, so that both ends are not wrong together."""
    assert simulated.signature("sesame", BODY, NOW_S) == SIGNATURE


@pytest.mark.parametrize("at", range(len(SIGNATURE)))
def test_any_altered_byte_of_the_signature_is_refused(at: int) -> None:
    """The time is signed with the body."""
    other = "0" if SIGNATURE[at] != "0" else "1"
    with pytest.raises(SignatureError):
        webhooks.verify(webhook(SIGNATURE[:at] + other + SIGNATURE[at + 1 :]), NOW_S)


@pytest.mark.parametrize("now_s", [NOW_S - 301, NOW_S + 301])
def test_an_old_webhook_is_refused(now_s: int) -> None:
    """Either way."""
    with pytest.raises(SignatureError, match="expected at most 300"):
        webhooks.verify(webhook(), now_s)


@pytest.mark.parametrize("at", range(len(BODY)))
def test_any_altered_byte_of_the_body_is_refused(at: int) -> None:
    """The signature covers it. Alter the path in the same way where that is signed."""
    with pytest.raises(SignatureError, match="-Signature is wrong"):
        webhooks.verify(webhook(body=BODY[:at] + bytes([BODY[at] ^ 1]) + BODY[at + 1 :]), NOW_S)


def test_an_incoming_call() -> None:
    """With its numbers."""
    assert webhooks.incoming(webhook()) == CALL


def test_the_answer() -> None:
    """The stream, whom to ask then, and what follows where that fails."""
    connect = Connect("wss://gw/stream/t", After("Sorry.", "en-US", "+14155550111"), f"{URL}?stream=ended")
    answer = webhooks.answer(CALL, connect)
    assert json.loads(answer.body) == [
        {"stream": "wss://gw/stream/t"},
        {"ask": f"{URL}?stream=ended"},
        {"say": "Sorry.", "language": "en-US"},
        {"dial": "+14155550111"},
        {"hang_up": "done"},
    ]
    assert json.loads(webhooks.refuse(CALL).body) == [{"reject": "busy"}]


def test_what_follows_the_stream() -> None:
    """Asked for with the query of ``then_url``."""
    ended = webhooks.incoming(webhook(query=(("stream", "ended"),)))
    assert isinstance(ended, StreamEnded)
    assert json.loads(ended.answer(After()).body) == [{"hang_up": "done"}]


def test_the_rest_api() -> None:
    """With the account's key; a call that is gone has ended."""
    headers = {"Authorization": "Bearer key"}
    url = "https://api.acme.example/calls/c-1"
    assert commands.hang_up("c-1") == (HttpRequest("DELETE", url, headers, gone=(404,), repeatable=True),)
    headers["Content-Type"] = "application/json"
    request = HttpRequest("POST", f"{url}/transfer", headers, b'{"to":"+14155550111"}')
    assert commands.transfer("c-1", "+14155550111") == (request,)

"""Acme's own: the secret of its webhooks, commands. Its transcript has the wire; the kit tries the rest."""

import json
from collections.abc import Mapping

import pytest

from gateway.audio.formats import L16_16K
from gateway.phone.events import CallStarted, Playout
from gateway.phone.provider import SignatureError, StartProof
from gateway.phone.providers.acme.provider import Acme, AcmeCommands, AcmeWebhooks
from gateway.phone.webhook import After, Answer, CallStatus, Connect, IncomingCall, WebhookRequest
from gateway.sim.providers.acme import provider as simulated
from tests.phone.parts import setup

BODY = b'{"event":"received","call":"c-1","from":"+14155550100","to":"+14155550199"}'
CALL = IncomingCall("c-1", "+14155550100", "+14155550199")
ANNOUNCED = (json.loads(BODY), {"event", "call"})
"""A call announced by JSON, and the places that it needs; left out where webhooks are forms."""
ENDED = ({"event": "ended", "call": "c-1", "from": "+14155550100"}, {"event", "call"})
"""An event that a call has ended, and the places that it needs."""

commands = AcmeCommands("https://api.acme.example", "key", "config-1")
webhooks = AcmeWebhooks("acme", ("sesame",), commands)


def entered(secrets: Mapping[str, str], url: str) -> str:
    """The address of a webhook, as the operator enters it."""
    return f"{url}{'&' if '?' in url else '?'}secret={secrets['webhook_secret']}"


def sign(secrets: Mapping[str, str], url: str, body: bytes) -> Mapping[str, str]:
    """The headers of a webhook: Acme signs nothing."""
    return {}


def webhook(secret: str = "sesame", body: bytes = BODY) -> WebhookRequest:  # noqa: S107 -- of this test
    url = "https://gw.example.com/answer/acme"
    return WebhookRequest("POST", f"{url}?secret={secret}", {}, body=body, query=(("secret", secret),))


def asked(answer: Answer) -> list[tuple[str, str, object]]:
    """The commands of an answer."""
    assert isinstance(answer.requests, tuple)
    return [(request.method, request.url, json.loads(request.body)) for request in answer.requests]


def test_the_secret_in_the_address() -> None:
    """Nothing that it covers must not come twice."""
    assert webhooks.verify(webhook(), 0) == ""


@pytest.mark.parametrize("secret", ["", "sesam", "sesame2", "SESAME"])
def test_another_secret_is_refused(secret: str) -> None:
    """Or none."""
    with pytest.raises(SignatureError, match="missing or wrong"):
        webhooks.verify(webhook(secret), 0)


def test_an_incoming_call() -> None:
    """With its numbers."""
    assert webhooks.incoming(webhook()) == CALL


def test_the_answer() -> None:
    """Commands answer the call and connect it; where one is refused, the call is ended."""
    answer = webhooks.answer(CALL, Connect("wss://gw/stream/acme/support/t0ken", token="t0ken"))
    url = "https://api.acme.example/calls/c-1"
    assert asked(answer) == [
        ("POST", f"{url}/answer", {}),
        ("POST", f"{url}/stream", {"config": "config-1", "data": {"token": "t0ken"}}),
    ]
    assert answer.otherwise == commands.hang_up("c-1")
    assert asked(webhooks.refuse(CALL)) == [("POST", f"{url}/reject", {"cause": "busy"})]


def test_a_start_brings_the_token() -> None:
    """As our command handed it on."""
    provider = Acme.__new__(Acme)
    start = CallStarted("c-1", "", L16_16K, Playout(), parameters={"token": "t0ken"})
    assert provider.verify_start(start, 0) == StartProof(token="t0ken")


def test_events() -> None:
    """The last one says that the call is over."""
    found = [
        webhooks.status(webhook(body=b'{"event":"%s","call":"c-1"}' % kind)) for kind in (b"ended", b"stream_failed")
    ]
    assert found == [
        (CallStatus("c-1", "ended", ended=True),),
        (CallStatus("c-1", "stream_failed", ended=False, stream_failed=True),),
    ]


def test_the_rest_api() -> None:
    """A call that is gone has ended; after its stream it is handed on or ended."""
    (hang_up,), (transfer,) = commands.hang_up("c-1"), commands.transfer("c-1", "+14155550111")
    assert (hang_up.url, hang_up.gone) == ("https://api.acme.example/calls/c-1/hangup", (404,))
    assert (hang_up.headers["Authorization"], json.loads(transfer.body)) == ("Bearer key", {"to": "+14155550111"})
    assert commands.after_stream("c-1", After(transfer="+14155550111")) == (transfer,)
    assert commands.after_stream("c-1", After()) == (hang_up,)


def test_the_simulated_end_is_commanded() -> None:
    """Its calls need the REST API."""
    assert simulated.commanded

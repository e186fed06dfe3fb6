"""Vobiz' end of a call: where it differs from Plivo's."""

import base64
import json

import pytest

from gateway.audio.formats import PCMU
from gateway.errors import WireError
from gateway.sim.phone.wire import Clear, HangUp, Mark, Media, SimCall, StreamOpening
from gateway.sim.providers.vobiz import VobizWebhook, VobizWire, signature_v3

SECRETS = {"auth_id": "MA01", "auth_token": "my_auth_token"}
CALL = SimCall("+918047491899", "+919876543210", "b77af520", "20170ece", PCMU, SECRETS)


@pytest.fixture
def wire() -> VobizWire:
    """A fresh stream."""
    return VobizWire(CALL, StreamOpening("ws://gw/stream", parameters={"extra_headers": "a=1"}))


def test_messages_are_those_of_the_vendor_s_document(wire: VobizWire) -> None:
    """Numbered from 0, no extra headers whatever was asked for, a checkpoint's name alone."""
    (start,) = map(json.loads, wire.opening())
    assert (start["sequenceNumber"], start["extra_headers"], start["start"]["accountId"]) == (0, "{}", "500123")
    (media,) = map(json.loads, wire.media(b"\xff" * 160, 0))
    assert (media["sequenceNumber"], media["extra_headers"]) == (1, "{}")
    assert wire.mark_returned("g1-1", cleared=False) == ('{"event":"playedStream","name":"g1-1"}',)
    assert wire.mark_returned("g1-1", cleared=True) == ()


def play(size: int) -> str:
    """A playAudio of that many bytes."""
    media = {"contentType": "audio/x-mulaw", "sampleRate": 8000, "payload": base64.b64encode(bytes(size)).decode()}
    return json.dumps({"event": "playAudio", "streamId": "20170ece", "media": media})


def test_the_orders_are_understood(wire: VobizWire) -> None:
    """playAudio of at most 60 ms, checkpoint, clearAudio and the end."""
    assert wire.parse(play(480)) == (Media(bytes(480)),)
    assert wire.parse('{"event":"checkpoint","streamId":"20170ece","name":"m"}') == (Mark("m"),)
    assert wire.parse('{"event":"clearAudio","streamId":"20170ece"}') == (Clear(),)
    assert wire.parse('{"event":"stop","streamId":"20170ece"}') == (HangUp("stop"),)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (play(481), "expected 20 to 60 ms"),
        (play(160).replace("20170ece", "other"), "is not this stream's"),
        ('{"event":"stop"}', "missing required field `streamId`"),
        ('{"event":"sendDTMF","streamId":"20170ece","dtmf":"1"}', "Invalid value 'sendDTMF'"),
    ],
)
def test_everything_else_is_invalid(wire: VobizWire, message: str, reason: str) -> None:
    """The reason is told."""
    with pytest.raises(WireError, match=reason):
        wire.parse(message)


def test_signatures() -> None:
    """The address without its query is signed; the upgrade is not."""
    expected = "UhdB1nsRtprDhSSrjsuP14eXK9wSAI9izVivpVparwg="
    assert signature_v3("my_auth_token", "https://answer.url/in?a=1", "12345") == expected
    webhook = VobizWebhook(CALL, None)  # type: ignore[arg-type]  # no request is made
    headers = webhook.signed("https://answer.url/in?a=1", {})
    nonce = headers["X-Vobiz-Signature-V3-Nonce"]
    assert headers["X-Vobiz-Signature-V3"] == signature_v3("my_auth_token", "https://answer.url/in", nonce)
    assert webhook.stream("ws://gw/s").headers == {}


def test_commands_carry_credentials_in_headers_of_their_own() -> None:
    """Both of them."""
    webhook = VobizWebhook(CALL, None)  # type: ignore[arg-type]  # no request is made
    assert webhook.calls_path() == "/api/v1/Account/MA01/Call/b77af520/"
    assert webhook.may_command({"x-auth-id": "MA01", "x-auth-token": "my_auth_token"})
    assert not webhook.may_command({"x-auth-id": "MA01"})

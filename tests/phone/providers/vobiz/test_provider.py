"""Vobiz' wire, byte for byte, and its HTTP: where they differ from Plivo's."""

import hashlib
import json
from collections.abc import Mapping
from uuid import uuid4

import pytest
from pydantic import SecretStr

from gateway.config import providers as settings
from gateway.phone.commands import PlayAudio, SendDigits
from gateway.phone.provider import Grant, Proof, SignatureError, Upgrade
from gateway.phone.providers.vobiz.provider import Vobiz, VobizCodec
from gateway.phone.requests import HttpRequest
from gateway.phone.webhook import After, Answer, CallStatus, Connect, IncomingCall, WebhookRequest
from gateway.sim.providers import vobiz as simulated
from tests.conformance.transcripts import golden
from tests.phone.parts import after_stream, answer_call, hang_up, send_digits, setup, transfer, verify_upgrade, webhooks

CALL = "b77af520-6c3d-4b8f-9c2f-6e1d2d5f6a10"
MESSAGES = golden("vobiz").messages
START = str(MESSAGES[0])
GRANT = Grant("support", CALL, "+14155550100", "+14155550199")
TOKEN = "my_auth_token"
URL = "https://answer.url/in"
V3 = "UhdB1nsRtprDhSSrjsuP14eXK9wSAI9izVivpVparwg="


def vobiz(answer_url: str = "") -> Vobiz:
    return Vobiz(settings.Vobiz(auth_id="MA01", auth_token=SecretStr(TOKEN)), setup("vobiz", answer_url))


def started() -> VobizCodec:
    codec = VobizCodec(GRANT)
    codec.decode(START)
    return codec


def test_no_message_is_longer_than_60_ms() -> None:
    """Longer audio is cut into messages of the size that Vobiz documents, none of it lost."""
    codec = started()
    audio = bytes(range(250)) * 7
    messages = [json.loads(message) for message in codec.encode(PlayAudio(audio))]
    whole = [codec.encode(PlayAudio(audio[start : start + 480]))[0] for start in range(0, len(audio), 480)]
    assert messages == [json.loads(message) for message in whole]
    assert len(codec.encode(PlayAudio(bytes(480)))) == 1


def test_vobiz_has_no_word_for_digits() -> None:
    """None is documented, so none is sent."""
    assert started().encode(SendDigits("1")) == ()
    assert send_digits(vobiz(), CALL, "1") == ()


def signed(url: str = URL, signature: str = V3, nonce: str = "12345", name: str = "v3") -> WebhookRequest:
    headers = {f"x-vobiz-signature-{name}": signature, "x-vobiz-signature-v3-nonce": nonce}
    return WebhookRequest("POST", url, headers, [("CallUUID", CALL)])


def test_signature() -> None:
    """The address without its query is signed, and with its nonce it must not come twice."""
    key = hashlib.sha256(f"{URL}.12345".encode()).hexdigest()
    for request in (signed(), signed(URL + "?a=1"), signed(name="ma-v3"), signed(signature=f"AAAA, {V3}")):
        assert webhooks(vobiz()).verify(request, 0.0) == key


def test_signature_refuses_any_change() -> None:
    """Address, nonce, signature and secret are bound; query and form are not, by Vobiz' own construction."""
    altered = [signed(URL + "x"), signed(nonce="12346"), signed(nonce=""), signed(signature=""), signed(signature="é")]
    altered += [signed(signature=V3[:at] + "!" + V3[at + 1 :]) for at in range(len(V3))]
    altered += [signed(signature="+UzTskLcFg6OHOn92oFwQyzj94kOJtuVxOqZse/EiFs=")]  # V2 of the same
    for request in altered:
        with pytest.raises(SignatureError):
            webhooks(vobiz()).verify(request, 0.0)
    with pytest.raises(SignatureError, match="VOBIZ_AUTH_TOKEN"):
        webhooks(Vobiz(settings.Vobiz(), setup("vobiz"))).verify(signed(), 0.0)


def test_the_upgrade_proves_nothing() -> None:
    """Vobiz signs no upgrade: the stream needs its token."""
    assert verify_upgrade(vobiz(), Upgrade("wss://answer.url/stream"), 0.0) is Proof.NONE


def test_webhooks() -> None:
    """The same forms as Plivo's."""
    form = [("CallUUID", CALL), ("From", "919876543210"), ("To", "918047491899")]
    expected = IncomingCall(CALL, "919876543210", "918047491899")
    assert webhooks(vobiz()).incoming(WebhookRequest("POST", URL, {}, form)) == expected
    written = answer_call(vobiz(), expected, Connect("wss://gw/s", After(transfer="+14155550111")))
    assert 'contentType="audio/x-mulaw;rate=8000"' in written.body
    assert written.body.endswith(">wss://gw/s</Stream><Dial><Number>14155550111</Number></Dial><Hangup/></Response>\n")
    ended = [*form, ("CallStatus", "completed"), ("Event", "Hangup")]
    assert list(webhooks(vobiz()).status(WebhookRequest("POST", URL, {}, ended))) == [
        CallStatus(CALL, "completed", ended=True)
    ]


def test_call_control() -> None:
    """Vobiz takes its credentials in headers of their own."""
    provider = vobiz(answer_url="https://gw.example.com/answer/vobiz")
    url = f"https://api.vobiz.ai/api/v1/Account/MA01/Call/{CALL}/"
    headers = {"X-Auth-ID": "MA01", "X-Auth-Token": TOKEN}
    assert list(hang_up(provider, CALL)) == [HttpRequest("DELETE", url, headers, gone=(404,), repeatable=True)]
    (request,) = transfer(provider, CALL, "+14155550111")
    assert (request.method, request.url) == ("POST", url)
    assert json.loads(request.body) == {
        "legs": "aleg",
        "aleg_url": "https://gw.example.com/answer/vobiz?transfer=14155550111",
        "aleg_method": "POST",
    }
    answer = webhooks(provider).incoming(
        WebhookRequest("POST", URL, {}, [("CallUUID", CALL)], query=[("transfer", "1415555011")])
    )
    assert isinstance(answer, Answer)
    assert "<Dial><Number>1415555011</Number></Dial>" in answer.body
    assert transfer(vobiz(), CALL, "+14155550111") == ()
    assert hang_up(Vobiz(settings.Vobiz(), setup("vobiz")), CALL) == ()
    assert after_stream(provider, CALL, After("bye")) == ()


def sign(secrets: Mapping[str, str], url: str, body: bytes) -> Mapping[str, str]:
    """The headers of a webhook, as the simulated end signs it."""
    nonce = str(uuid4())
    right = simulated.signature_v3(secrets["auth_token"], url.partition("?")[0], nonce)
    return {"X-Vobiz-Signature-V3": right, "X-Vobiz-Signature-V3-Nonce": nonce}

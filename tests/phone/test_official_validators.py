"""Our signature checks agree with the providers' own libraries, request by request."""

import base64
import hashlib
import string
import time
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
import vonage_jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from plivo.utils.signature_v3 import construct_post_url, get_signature_v3, validate_v3_signature
from pydantic import SecretStr
from telnyx import Telnyx as TelnyxClient
from twilio.request_validator import RequestValidator, add_port, remove_port

from gateway.config import providers
from gateway.phone.provider import SignatureError
from gateway.phone.providers.plivo.provider import Plivo
from gateway.phone.providers.signalwire.provider import SignalWire
from gateway.phone.providers.telnyx.provider import Telnyx
from gateway.phone.providers.twilio.provider import Twilio
from gateway.phone.providers.vonage.provider import Vonage
from gateway.phone.webhook import WebhookRequest
from tests.phone.parts import setup, webhooks

TOKEN = "t0ken"
names = st.text(string.ascii_letters, min_size=1, max_size=8)
values = st.text(string.ascii_letters + string.digits + " +&=%äß€", max_size=12)
forms = st.dictionaries(names, values, max_size=6)
urls = st.sampled_from(["https://gw.example.com/answer/x", "https://gw.example.com/answer/x/support?b=2&a=1"])


@settings(max_examples=100, deadline=None)
@given(urls, forms)
def test_twilio(url: str, form: dict[str, str]) -> None:
    """What Twilio's library signs, we take; what it refuses, we refuse."""
    signature = RequestValidator(TOKEN).compute_signature(url, form)
    provider = Twilio(providers.Twilio(auth_token=SecretStr(TOKEN)), setup("twilio"))

    def request(given: str) -> WebhookRequest:
        return WebhookRequest("POST", url, {"x-twilio-signature": given}, list(form.items()))

    assert webhooks(provider).verify(request(signature), time.time()) == ""
    assert not RequestValidator(TOKEN).validate(url, form, signature[::-1])
    with pytest.raises(SignatureError):
        webhooks(provider).verify(request(signature[::-1]), time.time())


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["", ":443", ":8443", ":80"]), st.sampled_from(["https", "http"]), st.booleans(), forms)
def test_twilio_and_signalwire_take_a_url_with_and_without_its_port(
    port: str, scheme: str, written: bool, form: dict[str, str]
) -> None:
    """Whichever of the two the signer took: where Twilio's library takes the signature, we do."""
    url = f"{scheme}://gw.example.com{port}/answer/x?a=1"
    signed = (add_port if written else remove_port)(urlsplit(url))
    signature = RequestValidator(TOKEN).compute_signature(signed, form)
    assert RequestValidator(TOKEN).validate(url, form, signature)
    twilio = Twilio(providers.Twilio(auth_token=SecretStr(TOKEN)), setup("twilio"))
    assert (
        webhooks(twilio).verify(WebhookRequest("POST", url, {"x-twilio-signature": signature}, list(form.items())), 0)
        == ""
    )
    signalwire = SignalWire(providers.SignalWire(signing_key=SecretStr(TOKEN)), setup("signalwire"))
    request = WebhookRequest("POST", url, {"x-signalwire-signature": signature}, list(form.items()))
    assert webhooks(signalwire).verify(request, 0) == ""


@settings(max_examples=100, deadline=None)
@given(urls, forms)
def test_plivo(url: str, form: dict[str, str]) -> None:
    """What Plivo's library signs, we take; what it refuses, we refuse."""
    signature = get_signature_v3(TOKEN, construct_post_url(url, dict(form)), "nonce").decode()
    provider = Plivo(providers.Plivo(auth_token=SecretStr(TOKEN)), setup("plivo"))

    def request(given: str) -> WebhookRequest:
        headers = {"x-plivo-signature-v3": given, "x-plivo-signature-v3-nonce": "nonce"}
        return WebhookRequest("POST", url, headers, list(form.items()), query=parse_qsl(urlsplit(url).query))

    assert webhooks(provider).verify(request(signature), time.time())
    assert not validate_v3_signature("POST", url, "nonce", TOKEN, signature[::-1], dict(form))
    with pytest.raises(SignatureError):
        webhooks(provider).verify(request(signature[::-1]), time.time())


def test_telnyx() -> None:
    """Telnyx' library and we take the same signed webhook, and refuse the same altered one."""
    key = Ed25519PrivateKey.generate()
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    body = '{"data":{"event_type":"call.initiated","id":"1","payload":{}}}'
    stamp = str(int(time.time()))
    signature = base64.b64encode(key.sign(f"{stamp}|{body}".encode())).decode()
    headers = {"telnyx-signature-ed25519": signature, "telnyx-timestamp": stamp}
    provider = Telnyx(providers.Telnyx(public_key=public), setup("telnyx"))
    client = TelnyxClient(api_key="k", public_key=public)
    client.webhooks.unwrap(body, headers=headers)
    webhooks(provider).verify(WebhookRequest("POST", "https://gw", headers, body=body.encode()), time.time())
    altered = body.replace("1", "2")
    with pytest.raises(ValueError, match="does not match payload"):
        client.webhooks.unwrap(altered, headers=headers)
    with pytest.raises(SignatureError):
        webhooks(provider).verify(WebhookRequest("POST", "https://gw", headers, body=altered.encode()), time.time())


def test_vonage() -> None:
    """Vonage's library and we take the same token, and refuse it under another secret."""
    secret, body = "qwertyuiopasdfghjklzxcvbnm123456", b'{"a":1}'
    claims = {"iat": int(time.time()), "jti": "j1", "payload_hash": hashlib.sha256(body).hexdigest()}
    token = jwt.encode(claims, secret, algorithm="HS256")
    request = WebhookRequest("POST", "https://gw", {"authorization": f"Bearer {token}"}, body=body)
    assert vonage_jwt.verify_signature(token, secret)
    assert webhooks(
        Vonage(providers.Vonage(signature_secret=SecretStr(secret)), setup("vonage", now_s=time.time))
    ).verify(request, time.time())
    assert not vonage_jwt.verify_signature(token, secret[::-1])
    with pytest.raises(SignatureError):
        webhooks(
            Vonage(providers.Vonage(signature_secret=SecretStr(secret[::-1])), setup("vonage", now_s=time.time))
        ).verify(request, time.time())

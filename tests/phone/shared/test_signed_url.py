"""The spellings of a URL under which a provider may have signed it."""

import base64
import contextlib
import hmac
from typing import Any

import pytest
from pydantic import SecretStr

from gateway.config import providers as settings
from gateway.phone.dialects.plivo.signature import signature_v3
from gateway.phone.provider import Proof, SignatureError, Upgrade
from gateway.phone.providers.plivo.provider import Plivo
from gateway.phone.providers.vobiz.provider import Vobiz
from gateway.phone.shared.signed_url import SPELLINGS_LIMIT, authorities, spellings, with_credentials, without_port
from gateway.phone.webhook import WebhookRequest
from gateway.served import make_provider
from tests.phone.parts import setup, verify_upgrade, webhooks


@pytest.mark.parametrize(
    ("url", "others"),
    [
        ("https://h/a?b=1", ["https://h:443/a?b=1"]),
        ("https://h:443/a", ["https://h/a"]),
        ("https://h:8443/a", ["https://h/a"]),
        ("http://h:80/a", ["http://h/a"]),
        ("wss://h/a", ["wss://h:443/a"]),
        ("ws://h:8080/a", ["ws://h/a"]),
        ("https://h", ["https://h:443"]),
        ("https://[::1]:8443/a", ["https://[::1]/a"]),
        ("https://[fe80::1]/a", ["https://[fe80::1]:443/a"]),
        ("https://h:8443?x=/a:9", ["https://h?x=/a:9"]),
        ("https://h/a:1/b", ["https://h:443/a:1/b"]),
    ],
)
def test_a_port_may_be_left_out_or_written(url: str, others: list[str]) -> None:
    """The URL as configured comes first: without its port, or with the default one, it is the same URL."""
    assert list(spellings(url)) == [url, *others]


def test_the_case_of_the_host_is_the_request_s_or_lower() -> None:
    """Twilio signs the host as it was entered there; of the Host header nothing but the case is believed."""
    assert list(spellings("https://h.example/a", "H.Example")) == [
        "https://h.example/a",
        "https://H.Example/a",
        "https://h.example:443/a",
        "https://H.Example:443/a",
    ]
    assert list(spellings("https://h.example:8443/a", "H.Example:8443")) == [
        "https://h.example:8443/a",
        "https://h.example/a",
        "https://H.Example:8443/a",
        "https://H.Example/a",
    ]
    assert list(spellings("https://H.Example/a"))[:2] == ["https://H.Example/a", "https://h.example/a"]
    assert list(spellings("https://h/a", "evil.example:443")) == ["https://h/a", "https://h:443/a"]


def test_a_name_beyond_ascii_is_signed_as_it_is_asked_for() -> None:
    """An HTTP client turns it into its ASCII form before it signs, or after."""
    assert list(spellings("https://bücher.example/a"))[:2] == [
        "https://bücher.example/a",
        "https://xn--bcher-kva.example/a",
    ]
    assert list(spellings("https://xn--bcher-kva.example/a"))[:2] == [
        "https://xn--bcher-kva.example/a",
        "https://bücher.example/a",
    ]
    assert next(spellings("https://xn--\udce9.example/a")) == "https://xn--\udce9.example/a"
    assert next(spellings("https://\udce9.example/a")) == "https://\udce9.example/a"


@pytest.mark.parametrize(
    ("sent", "signed"),
    [("a=b%20c", "a=b%20c"), ("a=b+c", "a=b%20c"), ("a=%27x%27", "a='x'"), ("a=(1)*!", "a=(1)*!"), ("a&b=", "a=&b=")],
)
def test_an_older_encoding_of_the_query(sent: str, signed: str) -> None:
    """As twilio-node's validator re-encodes it: the back end may have signed that."""
    assert f"https://h/p?{signed}" in spellings(f"https://h/p?{sent}", legacy_query=True)


@pytest.mark.parametrize("url", ["https://H:8443/a?b=%27+é", "https://H/a?\udce9=%FF", "https://H/?a=b&&c"])
def test_spellings_are_few_and_different(url: str) -> None:
    """However odd the URL: each is tried with a hash over the whole request."""
    found = list(spellings(url, "h:8443", legacy_query=True))
    assert found[0] == url
    assert len(found) == len(set(found)) <= SPELLINGS_LIMIT


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("wss://GW.example/s", ("gw.example", "gw.example:443")),
        ("wss://gw.example:443/s", ("gw.example", "gw.example:443")),
        ("wss://gw.example:8443/s", ("gw.example:8443", "gw.example")),
        ("ws://[::1]:80/s", ("[::1]", "[::1]:80")),
    ],
)
def test_authorities_are_in_lower_case(url: str, expected: tuple[str, ...]) -> None:
    """RFC 9421 §2.2.3: normalized, without the default port; one that was signed with it is taken too."""
    assert authorities(url) == expected


def test_a_url_without_its_port() -> None:
    """Nothing else of it changes."""
    assert without_port("wss://h:8443/s:1?x") == "wss://h/s:1?x"
    assert without_port("wss://h/s") == "wss://h/s"


TOKENS = (SecretStr("new"), SecretStr("old"))
PORTS = [("https://h:8443", "https://h"), ("https://h:8443", "https://h:8443"), ("https://h", "https://h:443")]


@pytest.mark.parametrize("token", ["new", "old"])
@pytest.mark.parametrize(("configured", "signed"), PORTS)
def test_plivo_and_vobiz_webhooks(configured: str, signed: str, token: str) -> None:
    """Signed over the address with or without its port, by either secret."""
    plivo = Plivo(settings.Plivo(auth_token=TOKENS), setup("plivo"))
    form = [("CallUUID", "1"), ("From", "é")]
    headers = {
        "x-plivo-signature-v3": signature_v3(token, f"{signed}/a?b=1.CallUUID1Fromé", "n"),
        "x-plivo-signature-v3-nonce": "n",
    }
    assert webhooks(plivo).verify(WebhookRequest("POST", f"{configured}/a?b=1", headers, form), 0)
    vobiz = Vobiz(settings.Vobiz(auth_token=TOKENS), setup("vobiz"))
    headers = {"x-vobiz-signature-v3": signature_v3(token, f"{signed}/a", "n"), "x-vobiz-signature-v3-nonce": "n"}
    assert webhooks(vobiz).verify(WebhookRequest("POST", f"{configured}/a?b=1", headers, form), 0)


def test_the_host_as_the_request_spells_it_is_signed_with_plivo_and_vobiz_too() -> None:
    """Whoever entered the address there may have written it in capitals."""
    given = {"host": "Gw.Example", "x-vobiz-signature-v3-nonce": "n", "x-plivo-signature-v3-nonce": "n"}
    vobiz = Vobiz(settings.Vobiz(auth_token=TOKENS), setup("vobiz"))
    right = given | {"x-vobiz-signature-v3": signature_v3("new", "https://Gw.Example/a", "n")}
    assert webhooks(vobiz).verify(WebhookRequest("POST", "https://gw.example/a?b=1", right, [("CallUUID", "1")]), 0)
    plivo = Plivo(settings.Plivo(auth_token=TOKENS), setup("plivo"))
    right = given | {"x-plivo-signature-v3": signature_v3("new", "https://Gw.Example/a?b=1.CallUUID1", "n")}
    assert webhooks(plivo).verify(WebhookRequest("POST", "https://gw.example/a?b=1", right, [("CallUUID", "1")]), 0)


@pytest.mark.parametrize("token", ["new", "old"])
@pytest.mark.parametrize(
    ("configured", "signed"),
    [
        ("wss://h:8443/s", "wss://h/s"),
        ("wss://h:8443/s", "http://h/s/websocket"),
        ("wss://h:8443/s", "http://h:8443/s/websocket"),
        ("wss://h/s", "https://h/s"),
        ("wss://h/s", "http://h/s"),
        ("wss://h/s?b=1", "wss://h/s?b=1"),
        ("wss://H.example/s", "wss://H.example/s"),
        ("wss://H.example/s", "wss://h.example/s"),
        ("wss://H.example/s", "http://h.example/s/websocket"),
        ("wss://H.example:8443/s", "wss://h.example/s"),
        ("wss://bücher.example/s", "wss://xn--bcher-kva.example/s"),
    ],
)
def test_plivo_s_upgrade(configured: str, signed: str, token: str) -> None:
    """Its URL as our document has it, or as Plivo's stream SDK builds it; a port may be left out."""
    headers = {"x-plivo-signature-v3": signature_v3(token, signed, "n"), "x-plivo-signature-v3-nonce": "n"}
    assert (
        Plivo(settings.Plivo(auth_token=TOKENS), setup("plivo")).verify_upgrade(Upgrade(configured, {}, headers), 0)
        is Proof.PROVIDER
    )


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(
    "signed", ["wss://H.example:8443", "wss://H.example", "wss://h.example:8443", "wss://h.example"]
)
def test_twilio_s_upgrade(signed: str, slash: str) -> None:
    """Over every spelling that its webhooks may be signed over, with a slash behind it at times."""
    twilio = make_provider("twilio", settings.Twilio(auth_token=TOKENS))
    proof = base64.b64encode(hmac.digest(b"old", f"{signed}/s{slash}".encode(), "sha1")).decode()
    upgrade = Upgrade("wss://H.example:8443/s", {}, {"x-twilio-signature": proof})
    assert verify_upgrade(twilio, upgrade, 0) is Proof.PROVIDER


def wrong(headers: dict[str, str]) -> WebhookRequest:
    """A webhook as costly as one can be: a port, another case, an odd query, a form that is not ASCII."""
    return WebhookRequest("POST", "https://H:8443/a?b=%27+é", {"host": "h:8443", **headers}, [("a", "é")] * 200)


@pytest.mark.parametrize("tokens", [TOKENS[0], TOKENS])
@pytest.mark.parametrize(
    ("kind", "header"),
    [("twilio", "x-twilio"), ("signalwire", "x-signalwire"), ("plivo", "x-plivo"), ("vobiz", "x-vobiz")],
)
def test_a_wrong_signature_costs_few_hashes(
    monkeypatch: pytest.MonkeyPatch, kind: str, header: str, tokens: SecretStr | tuple[SecretStr, ...]
) -> None:
    """Four at most for each secret, however odd the URL and however many signatures are given."""
    hashes = 0
    digest = hmac.digest

    def counted(*args: Any) -> bytes:
        nonlocal hashes
        hashes += 1
        return digest(*args)

    monkeypatch.setattr(hmac, "digest", counted)
    section = settings.settings_of(kind)
    key = "signing_key" if kind == "signalwire" else "auth_token"
    provider = make_provider(kind, section.model_validate({key: tokens}))
    given = {f"{header}-signature": "A", f"{header}-signature-v3": "A," * 1000, f"{header}-signature-v3-nonce": "n"}
    with pytest.raises(SignatureError):
        webhooks(provider).verify(wrong(given), 0)
    secrets = len(tokens) if isinstance(tokens, tuple) else 1
    assert 0 < hashes <= SPELLINGS_LIMIT * secrets
    hashes = 0
    with contextlib.suppress(SignatureError):
        verify_upgrade(provider, Upgrade("wss://H:8443/s?b=%27", {}, {"host": "h:8443", **given}), 0)
    assert hashes <= SPELLINGS_LIMIT * 2 * secrets  # of a URL alone; Twilio's may have a slash behind it


def test_credentials_stand_behind_the_scheme() -> None:
    """Encoded whole, whatever follows in the URL."""
    url = with_credentials("https://h.example/a?u=http://x", "u:1", "p/@ ")
    assert url == "https://u%3A1:p%2F%40%20@h.example/a?u=http://x"


@pytest.mark.parametrize("method", ["GET", "get"])
def test_the_form_of_a_get_is_not_signed_with_plivo(method: str) -> None:
    """Its query is."""
    headers = {
        "x-plivo-signature-v3": signature_v3("new", "https://h/a?b=1", "n"),
        "x-plivo-signature-v3-nonce": "n",
    }
    plivo = Plivo(settings.Plivo(auth_token=TOKENS), setup("plivo"))
    assert webhooks(plivo).verify(WebhookRequest(method, "https://h/a?b=1", headers, [("CallUUID", "1")]), 0)

"""Proxies that the environment names, and that the gateway does not use."""

import pytest

from gateway.doctor.way.address import Address
from gateway.doctor.way.proxy import proxied

TLS = Address("a.example.com", 443, by_tls=True)
PROXY = {"HTTPS_PROXY": "http://user:planted-secret@proxy:3128"}


@pytest.mark.parametrize(
    ("environ", "is_reached", "outcome", "words"),
    [
        ({}, True, "fine", "none"),
        ({}, False, "fine", "none"),
        (PROXY, True, "fine", "HTTPS_PROXY is set and not used"),
        (PROXY, False, "reduced", "HTTPS_PROXY is set, and the gateway does not use it"),
        (PROXY | {"no_proxy": "example.com"}, False, "fine", "none"),
        ({"http_proxy": "http://proxy:3128"}, False, "fine", "none"),
        ({"all_proxy": "socks5://proxy"}, False, "reduced", "all_proxy"),
    ],
)
def test_a_proxy(environ: dict[str, str], is_reached: bool, outcome: str, words: str) -> None:
    """It matters only where the server was not reached, and its address is not shown."""
    row = proxied(TLS, environ, "x", is_reached=is_reached)
    assert row.outcome == outcome
    assert row.detail.startswith(words)
    assert "planted" not in row.detail + row.remedy


def test_a_server_without_tls_has_its_own_variable() -> None:
    """``HTTPS_PROXY`` says nothing of it."""
    plain = Address("a.example.com", 80, by_tls=False)
    assert proxied(plain, PROXY, "x", is_reached=False).outcome == "fine"
    assert proxied(plain, {"HTTP_PROXY": "http://p"}, "x", is_reached=False).outcome == "reduced"

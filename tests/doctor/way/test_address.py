"""The server of an address."""

import pytest

from gateway.doctor.way.address import Address, address_of


@pytest.mark.parametrize(
    ("url", "address", "root"),
    [
        ("https://a.example.com/x?y", Address("a.example.com", 443, True), "https://a.example.com:443/"),
        ("wss://a.example.com:8443", Address("a.example.com", 8443, True), "https://a.example.com:8443/"),
        ("http://[::1]:9000", Address("::1", 9000, False), "http://[::1]:9000/"),
        ("ws://localhost", Address("localhost", 80, False), "http://localhost:80/"),
    ],
)
def test_host_port_and_tls(url: str, address: Address, root: str) -> None:
    """The port is the scheme's where none is written."""
    assert address_of(url) == address
    assert address.root == root


@pytest.mark.parametrize("url", ["ftp://a.example.com", "https://", "a.example.com"])
def test_what_is_no_server(url: str) -> None:
    """It is refused."""
    with pytest.raises(ValueError, match="no address of a server"):
        address_of(url)

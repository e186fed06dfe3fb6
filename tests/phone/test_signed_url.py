"""The spellings of a URL under which a provider may have signed it."""

import pytest

from gateway.phone.signed_url import SPELLINGS_LIMIT, authorities, spellings, without_port


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
    assert list(spellings("https://H.Example/a"))[:2] == ["https://H.Example/a", "https://h.example/a"]
    assert list(spellings("https://h/a", "evil.example:443")) == ["https://h/a", "https://h:443/a"]


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

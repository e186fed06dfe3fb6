"""Requests that carry functions out, byte for byte."""

import json
from dataclasses import replace
from typing import Any

import pytest

from gateway.function import CallContext, HttpCall
from gateway.tools.request import Request, request_for
from gateway.tools.result import FunctionFailed
from gateway.tools.signature import signature_headers
from tests.documents import ROOT, blocks
from tests.tools.service import CONTEXT

SHOP = "https://shop.example.com"


def asked(http: HttpCall, context: CallContext = CONTEXT, **arguments: Any) -> Request:
    return request_for("order_status", http, context, arguments, 1_700_000_000.9)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_request_with_a_body(method: str) -> None:
    """Everything about the function and its call, in a fixed order, without white space."""
    request = asked(HttpCall(method, f"{SHOP}/orders", {"X-Api-Key": "k"}), order_number="A-17")
    assert (request.method, request.url) == (method, f"{SHOP}/orders")
    assert request.headers == {
        "X-Api-Key": "k",
        "Idempotency-Key": "call-1:fc_1",
        "Content-Type": "application/json",
    }
    assert request.body == (
        b'{"tool":"order_status","arguments":{"order_number":"A-17"},"call":{"id":"call-1","line":"support",'
        b'"caller":"+14155550123","called":"+14255550100"},"tool_call_id":"fc_1"}'
    )


def test_the_documentation_shows_what_is_sent() -> None:
    """Both requests of docs/tools.md: the line, our headers with the signature, and the body."""
    posted, got = (block.text for block in blocks(ROOT / "docs" / "tools.md") if block.language == "http")
    url = SHOP + "/orders/{order_number}/status"
    post = asked(HttpCall("POST", url, {"X-Api-Key": "k-123"}, "a long random text"), order_number="A-17")
    head, _, body = posted.partition("\n\n")
    assert head.startswith("POST /orders/A-17/status HTTP/1.1\n")
    assert {f"{name}: {value}" for name, value in post.headers.items()} <= set(head.splitlines())
    assert f"Content-Length: {len(post.body)}" in head
    assert body == post.body.decode() + "\n"
    get = asked(HttpCall("GET", url), order_number="A-17", note="It is late.")
    line, *headers = got.splitlines()
    assert line == f"GET {get.url.removeprefix(SHOP)} HTTP/1.1"
    assert headers == [f"{name}: {value}" for name, value in get.headers.items()]


def test_a_get_has_everything_in_its_address_and_headers() -> None:
    """Texts as they are, lists as repeated names, everything else as JSON; what is null is left out."""
    request = asked(HttpCall("GET", f"{SHOP}/o?v=1"), q="a b&c", tags=["x", "y"], n=2, ok=True, at={"x": 1}, no=None)
    assert request.url == f"{SHOP}/o?v=1&q=a+b%26c&tags=x&tags=y&n=2&ok=true&at=%7B%22x%22%3A1%7D"
    assert request.body == b""
    assert request.headers == {
        "Idempotency-Key": "call-1:fc_1",
        "X-Tool": "order_status",
        "X-Tool-Call-Id": "fc_1",
        "X-Call-Id": "call-1",
        "X-Call-Line": "support",
        "X-Call-Caller": "+14155550123",
        "X-Call-Called": "+14255550100",
    }


def test_what_stands_in_the_url_is_not_sent_twice() -> None:
    """In a query; a body has all arguments."""
    url = SHOP + "/orders/{order_number}"
    assert asked(HttpCall("GET", url), order_number="A-17").url == f"{SHOP}/orders/A-17"
    assert asked(HttpCall("GET", url), order_number="A-17", full=1).url == f"{SHOP}/orders/A-17?full=1"
    posted = asked(HttpCall("POST", url), order_number="A-17")
    assert posted.url == f"{SHOP}/orders/A-17"
    assert json.loads(posted.body)["arguments"] == {"order_number": "A-17"}


@pytest.mark.parametrize(
    ("value", "segment"),
    [
        ("a/b", "a%2Fb"),
        ("a?b=c#d", "a%3Fb%3Dc%23d"),
        ("1.5", "1.5"),
        ("a..;x", "a..%3Bx"),
        ("100%2e5", "100%252e5"),
        ("a b\r\n", "a%20b%0D%0A"),
        ("Zürich", "Z%C3%BCrich"),
        ("@evil.example.com", "%40evil.example.com"),
        (17, "17"),
        (True, "true"),
    ],
)
def test_an_argument_stays_in_its_segment(value: Any, segment: str) -> None:
    """Whatever it holds, the host and the path around it stay."""
    assert asked(HttpCall("GET", SHOP + "/o/{n}/status"), n=value).url == f"{SHOP}/o/{segment}/status"


OUT_OF_PLACE = [
    "..",
    ".",
    "../admin",
    "a/../../b",
    "a\\..\\b",
    "..;",
    "..;x=1/a",
    ".;",
    "..\0",
    "..\0.jpg",
    "..%00",
    "..%3b",
]
FURTHER_OUT = [
    "%2e%2e",
    "%252e%252e%252f",
    "..%2fadmin",
    "..?",
    "..#",
    ".. ",
    "...",
    "\uff0e\uff0e",
    "..\uff0fx",
    "\u2025",
    "..\r\n",
]
NO_SEGMENT = ["", " ", None, ["a"], {"a": 1}]


@pytest.mark.parametrize("value", [*OUT_OF_PLACE, *FURTHER_OUT, *NO_SEGMENT])
def test_an_argument_that_could_lead_elsewhere_is_refused(value: Any) -> None:
    """Dot segments (a server may decode them before it resolves them), nothing, and more than one value."""
    with pytest.raises(FunctionFailed, match="the arguments do not fit: n: ") as caught:
        asked(HttpCall("GET", SHOP + "/o/{n}/status"), n=value)
    assert caught.value.outcome == "refused"


def test_a_placeholder_needs_its_argument() -> None:
    """What is missing is not left empty."""
    with pytest.raises(FunctionFailed, match="n: a single value is needed"):
        asked(HttpCall("GET", SHOP + "/o/{n}"))


def test_no_argument_chooses_the_host() -> None:
    """A placeholder in the host is none, however the scheme is spelled."""
    for scheme in ("https", "HTTPS", "Http"):
        request = asked(HttpCall("POST", scheme + "://{host}/o/{n}"), host="evil.example.com", n=1)
        assert request.url == scheme + "://{host}/o/1"


def test_a_secret_signs_the_request() -> None:
    """The body as it is sent; of a GET, nothing."""
    http = HttpCall("POST", SHOP, secret="hush")
    posted = asked(http, order_number="A-17")
    expected = signature_headers("hush", "call-1:fc_1", 1_700_000_000, posted.body)
    assert expected.items() <= posted.headers.items()
    got = asked(HttpCall("GET", SHOP, secret="hush"), order_number="A-17")
    assert signature_headers("hush", "call-1:fc_1", 1_700_000_000, b"").items() <= got.headers.items()
    both = asked(HttpCall("GET", SHOP, secret="hush", old_secret="hushed"))
    signed = signature_headers("hush", "call-1:fc_1", 1_700_000_000, b"", old_secret="hushed")
    assert signed.items() <= both.headers.items()


def test_the_line_cannot_forge_what_proves_the_request() -> None:
    """A header of the line's own gives way, however it is spelled."""
    request = asked(HttpCall("POST", SHOP, {"WEBHOOK-ID": "x", "idempotency-key": "x", "X-Own": "y"}, "hush"))
    assert {"WEBHOOK-ID", "idempotency-key"}.isdisjoint(request.headers)
    assert request.headers["X-Own"] == "y"


def test_a_call_s_facts_cannot_break_a_header() -> None:
    """What a provider says of a caller is encoded where it does not fit; what is unknown is left out."""
    context = CallContext("c\r\nX-Evil: 1", "support", "sip:jo%20é@example.com", "", "fc_1")
    headers = asked(HttpCall("GET", SHOP), context).headers
    assert headers["X-Call-Id"] == "c%0D%0AX-Evil: 1"
    assert headers["X-Call-Caller"] == "sip:jo%2520%C3%A9@example.com"
    assert headers["Idempotency-Key"] == "c%0D%0AX-Evil: 1:fc_1"
    assert "X-Call-Called" not in headers


def test_half_a_sign_does_not_break_a_request() -> None:
    """Models cut a text in the middle of an emoji, and providers a caller's name: the rest arrives."""
    context = replace(CONTEXT, caller="Jo\ud83d")
    request = asked(HttpCall("GET", SHOP + "/o/{n}"), context, n="a\ud83d", q="b\ud83d")
    assert request.url == f"{SHOP}/o/a%3F?q=b%3F"
    assert request.headers["X-Call-Caller"] == "Jo?"


def test_the_key_of_a_call_has_no_dot() -> None:
    """A dot ends it in what is signed (Standard Webhooks)."""
    headers = asked(HttpCall("POST", SHOP), CallContext("c.1", "support", "", "", "fc.1")).headers
    assert headers["Idempotency-Key"] == "c%2E1:fc%2E1"


def test_a_request_shows_nothing_of_itself() -> None:
    """Its address, headers and body may hold what the caller keyed."""
    assert repr(asked(HttpCall("GET", SHOP, secret="hush"), card="4111")) == "Request(method='GET')"


def test_a_withheld_caller_comes_with_its_reason() -> None:
    """The caller is empty in the body, and no header."""
    context = replace(CONTEXT, caller="", caller_withheld="anonymous")
    body = json.loads(asked(HttpCall("POST", f"{SHOP}/o"), context).body)
    assert (body["call"]["caller"], body["call"]["caller_withheld"]) == ("", "anonymous")
    headers = asked(HttpCall("GET", f"{SHOP}/o"), context).headers
    assert headers["X-Call-Caller-Withheld"] == "anonymous"
    assert "X-Call-Caller" not in headers

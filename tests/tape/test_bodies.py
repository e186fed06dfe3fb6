import json

import pytest

from gateway.tape.bodies import body, form, headers, xml
from gateway.tape.fakes import Fakes
from gateway.tape.redaction import Redaction

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def redaction() -> Redaction:
    """Knows nothing."""
    return Redaction(Fakes(b"key"))


def test_headers_keep_their_names_and_lose_their_values(redaction: Redaction) -> None:
    """What HTTP itself needs stays; ids get fakes."""
    shown = headers(
        redaction,
        {
            "Authorization": "Bearer abc.def",
            "X-Twilio-Signature": "xyz=",
            "User-Agent": "TwilioProxy/1.1",
            "Content-Type": "application/json",
            "X-Custom": "Alice",
            "x-ms-request-id": "aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
        },
    )
    assert shown["authorization"] == "$secret 14"
    assert shown["x-twilio-signature"] == "$secret 4"
    assert shown["x-custom"] == "$secret 5"
    assert (shown["user-agent"], shown["content-type"]) == ("TwilioProxy/1.1", "application/json")
    assert shown["x-ms-request-id"].startswith("fa4e")
    assert headers(redaction, shown) == shown


def test_a_form_is_read_field_by_field(redaction: Redaction) -> None:
    """Repeated fields and empty ones included."""
    shown = body(redaction, b"From=%2B14155550123&CallStatus=ringing&CallerName=Alice+Jones&Empty=&a=1&a=2", FORM)
    fields = shown["form"]
    assert [name for name, _ in fields] == ["From", "CallStatus", "CallerName", "Empty", "a", "a"]
    assert fields[0][1].startswith("+999")
    assert fields[1][1] == "ringing"
    assert fields[2][1].startswith("$text 11")


def test_a_document_keeps_its_elements(redaction: Redaction) -> None:
    """Words, numbers, the stream's key go; verbs and attributes stay."""
    shown = xml(
        redaction,
        '<Response><Connect><Stream url="wss://v.example.com/stream/twilio/support/TOKEN">'
        '<Parameter name="from" value="+14155550123"/></Stream></Connect><Say language="en-US">Sorry, Alice.</Say>'
        "<Dial>+14155550199</Dial></Response>",
    )
    for gone in ("TOKEN", "14155550123", "Alice", "v.example.com", "14155550199"):
        assert gone not in shown
    for stays in ("<Connect><Stream url=", 'name="from"', 'language="en-US"', "<Dial>+999", "/stream/twilio/support/"):
        assert stays in shown
    assert xml(redaction, shown) == shown


def test_a_document_inside_of_a_form_is_one(redaction: Redaction) -> None:
    """As in a transfer by REST."""
    ((_, shown),) = form(redaction, [("Twiml", "<Response><Dial>+14155550199</Dial></Response>")])
    assert shown.startswith("<Response><Dial>+999")


@pytest.mark.parametrize(
    ("content", "content_type", "kind"),
    [
        (b'{"a":"Alice Jones"}', "application/json", "json"),
        (b"[{}]", "", "json"),
        (b"<a>Alice Jones</a>", "text/xml", "xml"),
        (b"<a>Alice Jones", "text/xml", "xml"),
        (b"{Alice Jones", "application/json", "text"),
        (b"\xff\xfeAlice Jones", "text/plain", "text"),
        (b"Alice Jones " * 50, "text/plain", "text"),
        (b"", "text/plain", ""),
    ],
)
def test_a_body_stands_under_its_kind(redaction: Redaction, content: bytes, content_type: str, kind: str) -> None:
    """One that cannot be read is a text; none shows what is in it."""
    shown = body(redaction, content, content_type)
    assert list(shown) == ([kind] if kind else [])
    assert "Alice Jones" not in json.dumps(shown)

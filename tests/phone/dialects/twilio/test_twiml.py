"""TwiML documents, and the form of a call."""

from xml.etree import ElementTree as Xml

import pytest

from gateway.errors import WireError
from gateway.phone.dialects.twilio import twiml
from gateway.phone.webhook import After, CallStatus, Connect, IncomingCall, StreamEnded, WebhookRequest

HOSTILE = "\"'<&>]]>"


def test_everything_in_a_document_is_escaped() -> None:
    """Numbers and names come from a network: none of them can add a verb."""
    connect = Connect(f"wss://x/{HOSTILE}", After(say=HOSTILE, language=HOSTILE, transfer=f"sip:{HOSTILE}"))
    text = twiml.connect_stream(connect, {"from": HOSTILE}, {"name": HOSTILE})
    document = Xml.fromstring(text)  # noqa: S314 -- our own document
    assert [verb.tag for verb in document] == ["Connect", "Say", "Dial", "Hangup"]
    stream = document.find("./Connect/Stream")
    assert stream is not None
    assert stream.attrib == {"url": f"wss://x/{HOSTILE}", "name": HOSTILE}
    assert [dict(parameter.attrib) for parameter in stream] == [{"name": "from", "value": HOSTILE}]
    say, sip = document.find("Say"), document.find("./Dial/Sip")
    assert say is not None
    assert sip is not None
    assert (say.text, say.attrib, sip.text) == (HOSTILE, {"language": HOSTILE}, f"sip:{HOSTILE}")


def test_the_numbers_of_a_call() -> None:
    """Under the names that the streams' starts are read by."""
    assert twiml.numbers(IncomingCall("CA1", "+1", "+2")) == {"from": "+1", "to": "+2"}


def test_the_webhook_s_form() -> None:
    """A call by its fields, from form or query; without an id there is none."""
    fields = [("CallSid", "CA1"), ("From", "+1"), ("To", "+2"), ("CallStatus", "busy")]
    for request in (WebhookRequest("POST", "", {}, fields), WebhookRequest("GET", "", {}, query=fields)):
        assert twiml.incoming_call(request, "X") == IncomingCall("CA1", "+1", "+2")
        assert twiml.call_status(request) == (CallStatus("CA1", "busy", True),)
    with pytest.raises(WireError, match="expected X's"):
        twiml.incoming_call(WebhookRequest("POST", "", {}, fields[1:]), "X")


@pytest.mark.parametrize(
    ("status", "error", "is_new"),
    [("ringing", "", True), ("ringing", "11200", True), ("in-progress", "", True), ("in-progress", "11200", False)],
)
def test_a_fallback_is_asked_for_new_calls_too(status: str, error: str, is_new: bool) -> None:
    """Where the first document of a call could not be fetched, the call is not lost: it is connected."""
    fields = [("CallSid", "CA1"), ("From", "+1"), ("To", "+2"), ("CallStatus", status), ("ErrorCode", error)]
    asked = twiml.incoming_call(WebhookRequest("POST", "", {}, fields), "X")
    if is_new:
        assert asked == IncomingCall("CA1", "+1", "+2")
    else:
        assert isinstance(asked, StreamEnded)
        assert (asked.call_id, asked.called) == ("CA1", "+2")

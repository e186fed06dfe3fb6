"""Documents that no text can break."""

from xml.etree import ElementTree as Xml

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config import providers
from gateway.phone.dialects.plivo import xml as stream_xml
from gateway.phone.dialects.twilio import twiml
from gateway.phone.providers.bandwidth.provider import Bandwidth
from gateway.phone.shared.xml_document import document, element
from gateway.phone.webhook import After, Connect, IncomingCall
from gateway.text import carried
from tests.phone.parts import answer_call, setup

ANY_TEXT = st.text(st.sampled_from("\0\x0b\ud83d\ude00\uffff<&>\"'] \t\n\rÄ1") | st.characters(), max_size=12)


def test_empty_elements_are_written_in_either_way() -> None:
    """One without text is short; one with an empty text has an end of its own."""
    assert document(element("Hangup"), element("Stream", text="")) == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Response><Hangup/><Stream></Stream></Response>\n'
    )


@settings(deadline=None)
@given(text=ANY_TEXT, value=ANY_TEXT)
def test_any_text_makes_a_document_that_can_be_read(text: str, value: str) -> None:
    """What XML cannot carry becomes U+FFFD, all else comes back as it was."""
    written = document(element("Say", text=text, attributes={"voice": value})).encode()
    (said,) = Xml.fromstring(written)  # noqa: S314 -- our own document
    assert (said.text or "") == carried(text).replace("\r\n", "\n").replace("\r", "\n")
    assert said.get("voice") == carried(value)


@pytest.mark.parametrize("name", ["twiml", "plivo", "bandwidth"])
@pytest.mark.parametrize("text", ["a\x0bb", "a\0b", "a\ud83db", "]]>\uffff"])
def test_what_callers_and_lines_say_breaks_no_answer(name: str, text: str) -> None:
    """A number, a name or last words with a character that XML lacks: the provider can read the document."""
    connect = Connect("wss://gw/s", After(text, "en-US", f"sip:{text}@h"))
    call = IncomingCall("CA1", text, text)
    match name:
        case "twiml":
            answers = [twiml.connect_stream(connect, twiml.numbers(call)), twiml.dial_document(f"sip:{text}")]
        case "plivo":
            answers = [stream_xml.stream_xml(connect).body]
        case _:
            answers = [answer_call(Bandwidth(providers.Bandwidth(), setup("bandwidth", "")), call, connect).body]
    for answer in answers:
        assert Xml.fromstring(answer.encode()).tag == "Response"  # noqa: S314 -- our own document

"""The XML that answers Plivo and its kin, and the forms of their webhooks."""

import pytest

from gateway.audio.formats import PCMU
from gateway.errors import WireError
from gateway.phone.dialects.plivo import xml as stream_xml
from gateway.phone.webhook import After, Answer, CallStatus, Connect, IncomingCall, WebhookRequest

CALL = "97ceeb52-58b6-11e1-86da-77300b68f8bb"
URL = "https://gw.example.com/answer/plivo"
FORM = [("CallUUID", CALL), ("From", "14155550100"), ("To", "14155550199"), ("Event", "StartApp")]


def test_incoming_call() -> None:
    """Numbers stay as they are written; by POST or by GET."""
    expected = IncomingCall(CALL, "14155550100", "14155550199")
    assert stream_xml.incoming(WebhookRequest("POST", URL, {}, FORM)) == expected
    assert stream_xml.incoming(WebhookRequest("GET", URL, {}, query=FORM)) == expected
    with pytest.raises(WireError, match="CallUUID"):
        stream_xml.incoming(WebhookRequest("POST", URL, {}))


def test_answer_document() -> None:
    """µ-law by name, and the call kept alive, so that what the line wants afterwards is run when the stream closes."""
    connect = Connect(
        "wss://gw.example.com/stream/plivo/support/tok",
        After("Goodbye & thanks.", "en-US", "+14155550111"),
        callback_url="https://gw.example.com/status/plivo",
    )
    assert stream_xml.stream_xml(connect) == Answer(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Response><Stream bidirectional="true" keepCallAlive="true" contentType="audio/x-mulaw;rate=8000"'
        ' streamTimeout="86400" statusCallbackUrl="https://gw.example.com/status/plivo" statusCallbackMethod="POST">'
        "wss://gw.example.com/stream/plivo/support/tok</Stream>"
        '<Speak language="en-US">Goodbye &amp; thanks.</Speak><Dial><Number>14155550111</Number></Dial>'
        "<Hangup/></Response>\n",
        "text/xml",
        audio_format=PCMU,
    )


def test_the_shortest_answer_ends_the_call() -> None:
    """Where nothing is to follow, the call is hung up rather than left silent."""
    document = stream_xml.stream_xml(Connect("wss://gw/s"))
    assert document.body.endswith(' streamTimeout="86400">wss://gw/s</Stream><Hangup/></Response>\n')


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"Event": "Hangup", "CallStatus": "completed"}, CallStatus(CALL, "completed", ended=True)),
        ({"CallStatus": "in-progress", "Event": "StartApp"}, CallStatus(CALL, "in-progress", ended=False)),
        ({"Event": "StartStream", "StreamID": "s"}, CallStatus(CALL, "StartStream", ended=False)),
        ({"Event": "StopStream", "CallStatus": "in-progress"}, CallStatus(CALL, "StopStream", ended=True)),
        ({"Event": "DroppedStream"}, CallStatus(CALL, "DroppedStream", ended=True)),
    ],
)
def test_callbacks(fields: dict[str, str], status: CallStatus) -> None:
    """A call whose stream is over is over here, whatever the provider does with it next."""
    form = [("CallUUID", CALL), *fields.items()]
    assert list(stream_xml.status(WebhookRequest("POST", URL, {}, form))) == [status]


@pytest.mark.parametrize("form", [[("Event", "StopStream")], [("CallUUID", CALL)]])
def test_a_callback_without_a_call_or_status_is_refused(form: list[tuple[str, str]]) -> None:
    """It says nothing."""
    with pytest.raises(WireError, match="CallUUID"):
        stream_xml.status(WebhookRequest("POST", URL, {}, form))


@pytest.mark.parametrize(
    ("target", "query", "verb"),
    [
        ("+14155550111", "transfer=14155550111", "<Dial><Number>14155550111</Number></Dial>"),
        ("sip:a&b@x.com", "transfer=sip%3Aa%26b%40x.com", "<Dial><User>sip:a&amp;b@x.com</User></Dial>"),
    ],
)
def test_a_transfer_is_answered_with_its_target(target: str, query: str, verb: str) -> None:
    """The address that a transfer names is asked, and tells whom to dial; no field of a form does."""
    assert stream_xml.transfer_url(URL, target) == f"{URL}?{query}"
    asked = target.removeprefix("+")
    answer = stream_xml.incoming(WebhookRequest("POST", URL, {}, FORM, query=[("transfer", asked)]))
    assert answer == Answer(f'<?xml version="1.0" encoding="UTF-8"?>\n<Response>{verb}</Response>\n', "text/xml")
    called = stream_xml.incoming(WebhookRequest("POST", URL, {}, [*FORM, ("transfer", asked)]))
    assert isinstance(called, IncomingCall)

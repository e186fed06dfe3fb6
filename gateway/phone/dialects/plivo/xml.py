"""The XML that answers calls in Plivo's protocol, and the forms of its webhooks. Pure.

Plivo XML: "The Stream element", "The Dial element", "The Speak element"; Voice, "Callbacks".
"""

from collections.abc import Iterator, Sequence
from urllib.parse import urlencode
from xml.etree.ElementTree import Element

from msgspec.structs import replace

from gateway.addresses import is_sip
from gateway.audio.formats import PCMU
from gateway.errors import WireError
from gateway.phone.shared.numbers import without_plus
from gateway.phone.shared.xml_document import document, element
from gateway.phone.waiting import PAUSE_S, Wait
from gateway.phone.webhook import After, Answer, CallStatus, Connect, IncomingCall, StreamEnded, WebhookRequest

CONTENT_TYPE = "audio/x-mulaw;rate=8000"
"""The stream's ``contentType``. Without it the stream would be linear, their default."""
STREAM_TIMEOUT_S = 86_400
ENDED = frozenset({"completed", "busy", "no-answer", "failed", "timeout", "cancel", "canceled"})
_STREAM_ENDED = frozenset({"StopStream", "DroppedStream"})


def stream_xml(connect: Connect) -> Answer:
    """Return the document that connects a call to its stream; the rest of it runs when the stream has closed.

    The rest is a request of ``then_url`` and, for where nothing is asked, what the line wants after a failure.
    """
    attributes = {
        "bidirectional": "true",
        "keepCallAlive": "true",
        "contentType": CONTENT_TYPE,
        "streamTimeout": str(STREAM_TIMEOUT_S),
    }
    if connect.callback_url:
        attributes |= {"statusCallbackUrl": connect.callback_url, "statusCallbackMethod": "POST"}
    stream = element("Stream", text=connect.stream_url, attributes=attributes)
    then = [element("Redirect", text=connect.then_url, attributes={"method": "POST"})] if connect.then_url else []
    verbs = (stream, *then, *_verbs(connect.on_failure), element("Hangup"))
    return replace(_answer(*verbs), audio_format=PCMU)


def busy() -> Answer:
    """Reject a call as busy ("The Hangup element"); as the first element it leaves the call unanswered."""
    return _answer(element("Hangup", attributes={"reason": "busy"}))


def full(follows: After, wait: Wait | None) -> Answer:
    """Answer a call for which there is no room: words, then a wait and another question, or a transfer, or the end."""
    if wait is None:
        return _following(follows)
    pause = element("Wait", attributes={"length": str(PAUSE_S)})
    music = element("Play", text=wait.music) if wait.music else pause
    return _answer(*_verbs(follows), music, element("Redirect", text=wait.url, attributes={"method": "POST"}))


def transfer_url(answer_url: str, target: str) -> str:
    """Return the URL of the document that dials ``target``: our ``/answer/{provider}``, the target in its query."""
    return f"{answer_url}?{urlencode({'transfer': without_plus(target)})}"


def incoming(request: WebhookRequest) -> IncomingCall | StreamEnded | Answer:
    """Return the call of an answer webhook, the stream that has ended, or the document that a transfer asks for.

    Raises ``WireError`` where it is none of them.
    """
    target = next((value for name, value in request.query if name == "transfer"), "")
    if target:
        return _answer(_dial(target))
    if not request.field("CallUUID"):
        raise WireError("the webhook names no CallUUID: expected the form of an answer URL")
    if request.asks_what_follows:
        return StreamEnded(request.field("CallUUID"), request.field("To"), _following)
    return IncomingCall(request.field("CallUUID"), request.field("From"), request.field("To"))


def status(request: WebhookRequest) -> Sequence[CallStatus]:
    """Return what a hang-up, ring or stream callback reports; ``WireError`` where it has no call or no status."""
    call_id, event, call_status = (request.field(name) for name in ("CallUUID", "Event", "CallStatus"))
    of_stream = event.endswith("Stream")
    word = event if of_stream else call_status or event
    if not call_id or not word:
        raise WireError("the callback names no CallUUID and CallStatus or Event")
    ended = event in _STREAM_ENDED or event == "Hangup" or call_status in ENDED
    return (CallStatus(call_id, word, ended),)


def _following(after: After) -> Answer:
    return _answer(*_verbs(after), element("Hangup"))


def _verbs(after: After) -> Iterator[Element]:
    if after.say:
        yield element("Speak", text=after.say, attributes={"language": after.language} if after.language else None)
    if after.transfer:
        yield _dial(after.transfer)


def _dial(target: str) -> Element:
    return element(
        "Dial", element("User", text=target) if is_sip(target) else element("Number", text=without_plus(target))
    )


def _answer(*verbs: Element) -> Answer:
    return Answer(document(*verbs), "text/xml")

"""TwiML and its webhook form: Twilio's, and those of the providers that took them over.

Source: Twilio Voice, TwiML ``<Stream>``, ``<Connect>``, ``<Dial>``; webhook requests. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from xml.etree.ElementTree import Element

from gateway.addresses import is_sip
from gateway.errors import WireError
from gateway.phone.shared.xml_document import document, element, response
from gateway.phone.waiting import PAUSE_S, Wait
from gateway.phone.webhook import After, Answer, CallStatus, Connect, IncomingCall, StreamEnded, WebhookRequest

CONTENT_TYPE = "text/xml"
ENDED = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})
"""Values of ``CallStatus`` of a call that is over."""


def connect_stream(
    connect: Connect,
    parameters: Mapping[str, str] | None = None,
    attributes: Mapping[str, str] | None = None,
    *,
    has_action: bool = False,
) -> str:
    """Return the document that connects a call to its stream; ``attributes`` go into ``<Stream>``.

    When the stream ends, the provider asks ``then_url`` how to go on: by ``<Connect action>`` where it ``has_action``,
    else by ``<Redirect>``. What the line wants after a failure and a hang-up follow, so that no caller is
    left on a silent line where the provider asks nothing.
    """
    passed = [
        element("Parameter", attributes={"name": name, "value": value}) for name, value in (parameters or {}).items()
    ]
    stream = element("Stream", *passed, text="", attributes={"url": connect.stream_url, **(attributes or {})})
    then: list[Element] = []
    action: dict[str, str] | None = None
    if connect.then_url and has_action:
        action = {"action": connect.then_url, "method": "POST"}
    elif connect.then_url:
        then = [element("Redirect", text=connect.then_url, attributes={"method": "POST"})]
    verbs = (*then, *_verbs(connect.on_failure), element("Hangup"))
    return document(element("Connect", stream, attributes=action), *verbs)


def following(after: After) -> Answer:
    """Return what follows a stream: words, a transfer, the end."""
    return Answer(document(*_verbs(after), element("Hangup")), CONTENT_TYPE)


def dial(target: str) -> Element:
    """Return the verb that dials a number or a ``sip:`` address."""
    return element("Dial", element("Sip", text=target)) if is_sip(target) else element("Dial", text=target)


def redirect_document(url: str) -> str:
    """Return a document that does nothing but ask ``url`` for another."""
    return response(element("Redirect", text=url, attributes={"method": "POST"}))


def dial_document(target: str) -> str:
    """Return a document that does nothing but dial."""
    return response(dial(target))


def busy() -> Answer:
    """Reject a call as busy (TwiML ``<Reject>``); as the first verb it leaves the call unanswered."""
    return Answer(document(element("Reject", attributes={"reason": "busy"})), CONTENT_TYPE)


def full(follows: After, wait: Wait | None) -> Answer:
    """Answer a call for which there is no room: words, then a wait and another question, or a transfer, or the end."""
    last: Iterable[Element] = (element("Hangup"),)
    if wait is not None:
        pause = element("Pause", attributes={"length": str(PAUSE_S)})
        music = element("Play", text=wait.music) if wait.music else pause
        last = (music, element("Redirect", text=wait.url, attributes={"method": "POST"}))
    return Answer(document(*_verbs(follows), *last), CONTENT_TYPE)


def _verbs(after: After) -> Iterator[Element]:
    if after.say:
        yield element("Say", text=after.say, attributes={"language": after.language} if after.language else None)
    if after.transfer:
        yield dial(after.transfer)


def numbers(call: IncomingCall) -> dict[str, str]:
    """Return the parameters that carry the numbers, which the stream itself lacks."""
    return {"from": call.caller, "to": call.called}


def incoming_call(request: WebhookRequest, title: str) -> IncomingCall | StreamEnded:
    """Return the call of an incoming-call webhook, or the stream that has ended; ``WireError`` where it names none.

    A fallback URL may be this one: it is asked, with an ``ErrorCode``, where another document could not be fetched. The
    caller of a call in progress was connected already.
    """
    call_id = request.field("CallSid")
    if not call_id:
        raise WireError(f"the webhook names no CallSid: expected {title}'s incoming-call form fields")
    is_fallback = bool(request.field("ErrorCode")) and request.field("CallStatus") == "in-progress"
    if request.asks_what_follows or is_fallback:
        return StreamEnded(call_id, request.field("To"), following)
    return IncomingCall(call_id, request.field("From"), request.field("To"))


def call_status(request: WebhookRequest) -> Sequence[CallStatus]:
    """Return what a call status callback reports; raise ``WireError`` where it reports nothing."""
    call_id, status = request.field("CallSid"), request.field("CallStatus")
    if not call_id or not status:
        raise WireError("the callback names no CallSid and CallStatus")
    return (CallStatus(call_id, status, status in ENDED),)

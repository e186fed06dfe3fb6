"""The XML that Plivo and its kin answer calls with, and the forms of their webhooks. Pure.

Plivo XML: "The Stream element", "The Dial element", "The Speak element"; Voice, "Callbacks".
"""

from collections.abc import Sequence
from urllib.parse import urlencode
from xml.sax.saxutils import escape, quoteattr

from gateway.errors import WireError
from gateway.phone.e164 import with_plus, without_plus
from gateway.phone.provider import Answer, CallStatus, Connect, IncomingCall, WebhookRequest

CONTENT_TYPE = "audio/x-mulaw;rate=8000"
"""Without it the stream would be linear: that is their default."""
STREAM_TIMEOUT_S = 86_400
ENDED = frozenset({"completed", "busy", "no-answer", "failed", "timeout", "cancel", "canceled"})
_STREAM_ENDED = frozenset({"StopStream", "DroppedStream"})


def stream_xml(connect: Connect) -> Answer:
    """What connects a call to its stream; what is behind ``<Stream>`` runs when the stream has closed."""
    callback = ""
    if connect.callback_url:
        callback = f' statusCallbackUrl={quoteattr(connect.callback_url)} statusCallbackMethod="POST"'
    after = connect.after
    language = f" language={quoteattr(after.language)}" if after.language else ""
    said = f"<Speak{language}>{escape(after.say)}</Speak>" if after.say else ""
    dialled = _dial(after.transfer) if after.transfer else ""
    return _document(
        f'<Stream bidirectional="true" keepCallAlive="true" contentType="{CONTENT_TYPE}"'
        f' streamTimeout="{STREAM_TIMEOUT_S}"{callback}>{escape(connect.stream_url)}</Stream>{said}{dialled}<Hangup/>'
    )


def transfer_url(answer_url: str, target: str) -> str:
    """Where the document that dials ``target`` is asked for: our ``/answer/{provider}``, the target in its query."""
    return f"{answer_url}?{urlencode({'transfer': without_plus(target)})}"


def incoming(request: WebhookRequest) -> IncomingCall | Answer:
    """The call of an answer webhook, or the document that a transfer of ours asks for; ``WireError`` if neither."""
    target = next((value for name, value in request.query if name == "transfer"), "")
    if target:
        return _document(_dial(target))
    if not request.field("CallUUID"):
        raise WireError("the webhook names no CallUUID: expected the form of an answer URL")
    return IncomingCall(request.field("CallUUID"), with_plus(request.field("From")), with_plus(request.field("To")))


def status(request: WebhookRequest) -> Sequence[CallStatus]:
    """A hang-up, ring or stream callback; ``WireError`` where it names no call or no status."""
    call_id, event, call_status = (request.field(name) for name in ("CallUUID", "Event", "CallStatus"))
    of_stream = event.endswith("Stream")
    word = event if of_stream else call_status or event
    if not call_id or not word:
        raise WireError("the callback names no CallUUID and CallStatus or Event")
    ended = event in _STREAM_ENDED or event == "Hangup" or call_status in ENDED
    return (CallStatus(call_id, word, ended),)


def _dial(target: str) -> str:
    if target.startswith("sip:"):
        return f"<Dial><User>{escape(target)}</User></Dial>"
    return f"<Dial><Number>{escape(without_plus(target))}</Number></Dial>"


def _document(verbs: str) -> Answer:
    return Answer(f'<?xml version="1.0" encoding="UTF-8"?>\n<Response>{verbs}</Response>\n', "text/xml")

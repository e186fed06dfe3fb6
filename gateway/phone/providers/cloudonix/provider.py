"""Cloudonix CXML: Twilio's wire, a webhook with its key in a header, REST by the session's token. Pure.

Source: Cloudonix documentation, Voice Applications (CXML) and REST API; headers as Cloudonix sends them.
"""

from collections.abc import Sequence

from gateway.audio.formats import PCMU
from gateway.config import providers as settings
from gateway.config.reading.environment import variable_of
from gateway.config.secrets import first, values_of
from gateway.errors import WireError
from gateway.path_segment import segment
from gateway.phone.dialects.twilio import twiml
from gateway.phone.dialects.twilio.stream import CamelJsonCodec
from gateway.phone.events import Playout
from gateway.phone.provider import (
    After,
    Answer,
    CallStatus,
    Confirmation,
    Connect,
    Grant,
    HttpRequest,
    IncomingCall,
    Proof,
    Setup,
    SignatureError,
    StreamEnded,
    Traits,
    Upgrade,
    WebhookRequest,
)
from gateway.phone.shared.http_request import bearer, ending, is_one_of, json_request
from gateway.phone.shared.json_text import UNREADABLE, read_object
from gateway.phone.shared.members import Members
from gateway.text import encodable

TRAITS = Traits(
    title="Cloudonix",
    formats=(PCMU,),
    playout=Playout(),
    confirmation=Confirmation.MARKS,
    hang_up="REST, or closing the stream",
    transfer="REST",
    signature="API key in a header",
    stream_key="token in the path",
    unsure=True,
)
ADVICE = "expected audio/x-mulaw, 8000 Hz, 1 channel"
SESSION_HEADER = "x-cx-session"


_FIELDS = ("Session", "CallSid", "From", "To", "CallStatus")


class Cloudonix:
    """The provider Cloudonix: its wire, webhooks and call control."""

    name = "cloudonix"
    traits = TRAITS
    subprotocols = ()

    def __init__(self, settings: settings.Cloudonix) -> None:
        self._domain = settings.domain or ""
        self._api_keys = values_of(settings.api_key)
        self._api_url = settings.api_url

    def codec(self, upgrade: Upgrade, grant: Grant) -> CamelJsonCodec:
        """Return a fresh wire for one stream. The call's id is the session's token, which only the webhook names."""
        return CamelJsonCodec(grant, TRAITS.playout, advice=ADVICE, call_in=("session",))

    def verify_upgrade(self, upgrade: Upgrade, now_s: float) -> Proof:
        """Return ``Proof.NONE``: the upgrade holds no proof."""
        return Proof.NONE

    def verify(self, request: WebhookRequest, now_s: float) -> str:
        """Compare ``x-cx-apikey`` with the key; nothing is signed, so a replay or a change is not noticed."""
        if not self._api_keys:
            raise SignatureError(f"{variable_of(self.name, 'api_key')} is not set")
        if not is_one_of(request.headers.get("x-cx-apikey", ""), self._api_keys):
            raise SignatureError("x-cx-apikey is missing or wrong")
        return ""

    def incoming(self, request: WebhookRequest) -> IncomingCall | StreamEnded:
        """Return the call of an incoming-call webhook, or the stream that has ended.

        A call's id is the session's token, which the REST API asks for.
        """
        webhook = _read(request)
        call_id = _session(request, webhook)
        if not call_id:
            raise WireError("the webhook names no session: expected the header x-cx-session, or Session")
        caller = webhook.text("From") or encodable(request.headers.get("x-cx-from", ""))
        called = webhook.text("To") or encodable(request.headers.get("x-cx-to", ""))
        if request.asks_what_follows:
            return StreamEnded(call_id, called, twiml.following)
        return IncomingCall(call_id, caller, called)

    def answer(self, call: IncomingCall, connect: Connect) -> Answer:
        """Return the CXML that connects the call to the stream; the numbers go in the stream's token."""
        return Answer(twiml.connect_stream(connect), twiml.CONTENT_TYPE)

    def refuse(self, call: IncomingCall) -> Answer:
        """Reject the call as busy, without answering it."""
        return Answer(twiml.busy_document(), twiml.CONTENT_TYPE)

    def status(self, request: WebhookRequest) -> Sequence[CallStatus]:
        """Return what a status callback reports."""
        webhook = _read(request)
        call_id, status = _session(request, webhook), webhook.text("CallStatus")
        if not call_id or not status:
            raise WireError("the callback names no session and CallStatus")
        return (CallStatus(call_id, status, status in twiml.ENDED),)

    def after_stream(self, call_id: str, after: After) -> Sequence[HttpRequest]:
        """Return nothing: the provider asks what follows."""
        return ()

    def hang_up(self, call_id: str) -> Sequence[HttpRequest]:
        """End the session (REST API, sessions)."""
        if not self._domain or not self._api_keys:
            return ()
        url = f"{self._api_url}/customers/self/domains/{segment(self._domain)}/sessions/{segment(call_id)}"
        return ending([HttpRequest("DELETE", url, {"Authorization": bearer(first(self._api_keys))})])

    def transfer(self, call_id: str, target: str) -> Sequence[HttpRequest]:
        """Give the session another document; the stream then stops."""
        if not self._domain or not self._api_keys:
            return ()
        session = f"{segment(self._domain)}/sessions/{segment(call_id)}"
        url = f"{self._api_url}/calls/{session}/application"
        return (json_request(url, {"cxml": twiml.dial_document(target)}, bearer(first(self._api_keys))),)

    def send_digits(self, call_id: str, digits: str) -> Sequence[HttpRequest]:
        """Return nothing: Cloudonix has no request that dials digits."""
        return ()


def _read(request: WebhookRequest) -> Members:
    """Return the fields of a webhook, which comes as a form or as JSON."""
    if not request.body.lstrip().startswith(b"{"):
        return Members({name: request.field(name) for name in _FIELDS}, "webhook", [])
    try:
        return Members(read_object(request.body), "webhook", [])
    except UNREADABLE as error:
        raise WireError(f"the webhook's JSON cannot be read: {error}") from None


def _session(request: WebhookRequest, webhook: Members) -> str:
    return request.headers.get(SESSION_HEADER, "") or webhook.text("Session", "CallSid")


def make(settings: settings.Cloudonix, setup: Setup) -> Cloudonix:
    """Make the provider from its section of ``gateway.yaml``."""
    return Cloudonix(settings)

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
from gateway.phone.pointing import ByHand
from gateway.phone.provider import CallCommands, Confirmation, Grant, Provider, Setup, SignatureError, Traits, Upgrade
from gateway.phone.requests import HttpRequest, Requests
from gateway.phone.shared.http_request import bearer, ending, is_one_of, json_request
from gateway.phone.shared.members import Members
from gateway.phone.shared.webhook_body import json_body
from gateway.phone.waiting import Wait
from gateway.phone.webhook import (
    After,
    Answer,
    CallStatus,
    Connect,
    IncomingCall,
    StreamEnded,
    WebhookRequest,
    Webhooks,
)
from gateway.text import encodable

TRAITS = Traits(
    title="Cloudonix",
    formats=(PCMU,),
    playout=Playout(),
    confirmation=Confirmation.MARKS,
    hang_up="REST, or closing the stream",
    transfer="REST",
    when_full=("say", "transfer", "wait"),
    signature="API key in a header",
    stream_key="token in the path",
    unsure=True,
)
ADVICE = "expected audio/x-mulaw, 8000 Hz, 1 channel"
SESSION_HEADER = "x-cx-session"


_FIELDS = ("Session", "CallSid", "From", "To", "CallStatus")


class Cloudonix(Provider):
    """The provider Cloudonix."""

    traits = TRAITS
    pointing = ByHand("Set the application's CXML URL to {answer} (POST).")

    def __init__(self, settings: settings.Cloudonix, setup: Setup) -> None:
        self.name = setup.name
        api_keys = values_of(settings.api_key)
        self.webhooks = CloudonixWebhooks(setup.name, api_keys)
        if settings.domain and api_keys:
            self.commands = CloudonixCommands(settings.api_url, settings.domain, first(api_keys))

    def codec(self, upgrade: Upgrade, grant: Grant) -> CamelJsonCodec:
        """Return a fresh wire for one stream. The call's id is the session's token, which only the webhook names."""
        return CamelJsonCodec(grant, TRAITS.playout, advice=ADVICE, call_in=("session",))


class CloudonixWebhooks(Webhooks):
    """Voice webhooks, answered with CXML; ``account`` is the account's name in ``gateway.yaml``."""

    def __init__(self, account: str, api_keys: tuple[str, ...]) -> None:
        self._account = account
        self._api_keys = api_keys

    def verify(self, request: WebhookRequest, now_s: float) -> str:
        """Compare ``x-cx-apikey`` with the key; nothing is signed, so a replay or a change is not noticed."""
        if not self._api_keys:
            raise SignatureError(f"{variable_of(self._account, 'api_key')} is not set")
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
        return Answer(twiml.connect_stream(connect), twiml.CONTENT_TYPE, audio_format=PCMU)

    def refuse(self, call: IncomingCall) -> Answer:
        """Reject the call as busy, without answering it."""
        return twiml.busy()

    def full(self, call: IncomingCall, follows: After, wait: Wait | None = None) -> Answer:
        """Answer a call for which there is no room with CXML."""
        return twiml.full(follows, wait)

    def status(self, request: WebhookRequest) -> Sequence[CallStatus]:
        """Return what a status callback reports."""
        webhook = _read(request)
        call_id, status = _session(request, webhook), webhook.text("CallStatus")
        if not call_id or not status:
            raise WireError("the callback names no session and CallStatus")
        return (CallStatus(call_id, status, status in twiml.ENDED),)


class CloudonixCommands(CallCommands):
    """Call control by the token of the call's session."""

    def __init__(self, api_url: str, domain: str, api_key: str) -> None:
        self._api_url = api_url
        self._domain = domain
        self._authorization = bearer(api_key)

    def hang_up(self, call_id: str) -> Requests:
        """End the session (REST API, sessions)."""
        url = f"{self._api_url}/customers/self/domains/{segment(self._domain)}/sessions/{segment(call_id)}"
        return ending([HttpRequest("DELETE", url, {"Authorization": self._authorization})])

    def transfer(self, call_id: str, target: str) -> Requests:
        """Give the session another document; the stream then stops."""
        return self._replace(call_id, twiml.dial_document(target))

    def redirect(self, call_id: str, url: str) -> Requests:
        """Give the session a document that asks ``url`` for another."""
        return self._replace(call_id, twiml.redirect_document(url))

    def _replace(self, call_id: str, document: str) -> Requests:
        url = f"{self._api_url}/calls/{segment(self._domain)}/sessions/{segment(call_id)}/application"
        return (json_request(url, {"cxml": document}, self._authorization),)


def _read(request: WebhookRequest) -> Members:
    """Return the fields of a webhook, which comes as a form or as JSON."""
    if not request.body.lstrip().startswith(b"{"):
        return Members({name: request.field(name) for name in _FIELDS}, "webhook", [])
    return json_body(request)


def _session(request: WebhookRequest, webhook: Members) -> str:
    return request.headers.get(SESSION_HEADER, "") or webhook.text("Session", "CallSid")


def make(settings: settings.Cloudonix, setup: Setup) -> Cloudonix:
    """Make the provider from its section of ``gateway.yaml``."""
    return Cloudonix(settings, setup)

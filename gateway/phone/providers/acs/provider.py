"""Azure Communication Services, Call Automation with bidirectional media streaming. Pure.

Sources: Microsoft Learn, "Audio streaming", "Incoming call concepts", "Secure webhook endpoint"; the Call Automation
REST API and its request signing.
"""

import base64
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from email.utils import formatdate
from urllib.parse import urlsplit

from msgspec import Struct

from gateway.addresses import is_sip
from gateway.audio.formats import L16_16K, L16_24K
from gateway.config import providers as settings
from gateway.config.secrets import read_base64, value_of, values_of
from gateway.errors import WireError
from gateway.path_segment import segment
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
    Traits,
    UnsignedError,
    Upgrade,
    WebhookRequest,
)
from gateway.phone.providers.acs.wire import PLAYOUT, AcsCodec
from gateway.phone.shared import jwks
from gateway.phone.shared.call_id import is_call_id
from gateway.phone.shared.http_request import ending, is_one_of
from gateway.phone.shared.json_text import UNREADABLE, read_json, read_object
from gateway.phone.shared.jwt import bearer
from gateway.phone.shared.members import Members
from gateway.text import json_bytes, json_text
from gateway.withheld import withheld

TRAITS = Traits(
    title="Azure Communication Services",
    formats=(L16_24K, L16_16K),
    playout=PLAYOUT,
    confirmation=Confirmation.CLOCK,
    keys_out="REST",
    hang_up="REST",
    transfer="REST, to numbers",
    says_after=False,
    signature="secret in the Event Grid URL; JWT on callbacks",
    stream_key="token in the path and JWT of the upgrade",
    signs_all=True,
)
API_VERSION = "2025-05-15"
ISSUER = "https://acscallautomation.communication.azure.com"
CALLERS_LIMIT = 10_000
"""Calls whose caller and connection are remembered: digits are dialled to a participant."""
ENDED = frozenset({"CallDisconnected", "AnswerFailed", "CreateCallFailed"})
STREAM_FAILED = "MediaStreamingFailed"
TRANSFER_FAILED = "CallTransferFailed"
"""The REST API answers a transfer before the target has answered: this event reports that it did not."""
TONES = {
    "0": "zero",
    "1": "one",
    "2": "two",
    "3": "three",
    "4": "four",
    "5": "five",
    "6": "six",
    "7": "seven",
    "8": "eight",
    "9": "nine",
    "#": "pound",
    "*": "asterisk",
    "A": "a",
    "B": "b",
    "C": "c",
    "D": "d",
}


class _Event(Struct):
    """An event in the schema of Event Grid (``eventType``) or of CloudEvents (``type``)."""

    kind: str
    """``IncomingCall``, ``CallDisconnected``…, without the service's name."""
    data: Members


class Acs:
    """Azure Communication Services, as a provider. ``now_s`` is Unix time: requests to the REST API are dated."""

    name = "acs"
    traits = TRAITS
    subprotocols = ()

    def __init__(self, settings: settings.Acs, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._endpoint = settings.endpoint or ""
        self._access_key = read_base64(value_of(settings.access_key))
        self._resource_id = settings.resource_id or ""
        self._secrets = values_of(settings.stream_secret)
        self._rate_hz = settings.rate_hz
        self._keys_url = settings.keys_url
        self._callers: OrderedDict[str, str] = OrderedDict()
        self._connections: OrderedDict[str, str] = OrderedDict()
        self.keys: jwks.Keys = {}
        """The published keys; none until they have been fetched."""

    def jwks_request(self) -> HttpRequest:
        """Return the request that fetches the document for ``set_keys``; the keys change now and then."""
        return HttpRequest("GET", self._keys_url, repeatable=True)

    def set_keys(self, document: bytes) -> None:
        """Take the published keys; ``WireError`` where the document is no JWKS."""
        self.keys = jwks.read_keys(document)

    def codec(self, upgrade: Upgrade, grant: Grant) -> AcsCodec:
        """Return a fresh wire for one stream, of the call that was answered, whatever the unsigned header names."""
        named = upgrade.headers.get("x-ms-call-connection-id", "")
        connected = self._connections.get(grant.call_id, "")
        if (connection_id := connected or named) and not withheld(grant.caller):
            _remember(self._callers, connection_id, grant.caller)
        return AcsCodec(grant, named, connected)

    def verify_upgrade(self, upgrade: Upgrade, now_s: float) -> Proof:
        """Check the upgrade's token against ``resource_id``; without that setting only our own token counts.

        It is the same for all calls of a day, so it proves the service and not the call.
        """
        if not self._resource_id:
            return Proof.NONE
        token = bearer(upgrade.headers)
        if not token:
            raise UnsignedError("the stream has no Authorization: Bearer, which the service sends")
        self._verify_token(token, now_s)
        return Proof.PROVIDER

    def answered(self, call: IncomingCall, response: bytes) -> None:
        """Note which connection a call got when it was answered: the stream's header that names it is not signed."""
        try:
            connection_id = Members(read_object(response), "answer", []).text("callConnectionId")
        except UNREADABLE:
            return
        self._connected(call.call_id, connection_id)

    def _connected(self, correlation_id: str, connection_id: str) -> None:
        if correlation_id and is_call_id(connection_id):
            _remember(self._connections, correlation_id, connection_id)

    def verify(self, request: WebhookRequest, now_s: float) -> str:
        """Check the secret of Event Grid's URL (``?secret=``), which signs nothing, or the token of a callback.

        Either may come again: Event Grid repeats what was not answered, and one token serves several callbacks.
        """
        given = dict(request.query).get("secret", "")
        if not given:
            if not self._resource_id:
                raise SignatureError(
                    f"providers.{self.name}.resource_id is not set: whom a token is for cannot be told"
                )
            self._verify_token(bearer(request.headers), now_s)
        elif not self._secrets:
            raise SignatureError(f"providers.{self.name}.stream_secret is not set")
        elif not is_one_of(given, self._secrets):
            raise SignatureError("the secret in the URL is wrong")
        return ""

    def _verify_token(self, token: str, now_s: float) -> None:
        try:
            jwks.verify_token(token, self.keys, issuer=ISSUER, audience=self._resource_id, now_s=now_s)
        except jwks.UnknownKeyError:
            if self.keys:
                raise
            raise jwks.UnknownKeyError(f"the keys of {self._keys_url} have not been fetched") from None

    def incoming(self, request: WebhookRequest) -> IncomingCall | Answer:
        """Return the call of an Event Grid delivery, or the answer to its handshake and to events of no interest."""
        for event in _events(request.body):
            if event.kind == "SubscriptionValidationEvent" and (code := event.data.text("validationCode")):
                return Answer(json_text({"validationResponse": code}), "application/json")
            if event.kind == "IncomingCall":
                return self._incoming(event.data)
        return Answer()

    def _incoming(self, call: Members) -> IncomingCall:
        if not self._endpoint or not self._access_key:
            raise WireError(
                f"calls are answered by the REST API: providers.{self.name}.endpoint and access_key are not set"
            )
        context = call.text("incomingCallContext")
        if not context:
            raise WireError("not an Event Grid delivery: IncomingCall without its incomingCallContext")
        caller, called = _address(call.inside("from")), _address(call.inside("to"))
        return IncomingCall(call.text("correlationId"), caller, called, context)

    def answer(self, call: IncomingCall, connect: Connect) -> Answer:
        """Answer the call by the REST API, with its audio on our stream; Event Grid wants no document."""
        body = {
            "incomingCallContext": call.context,
            "callbackUri": connect.callback_url,
            "mediaStreamingOptions": {
                "transportUrl": connect.stream_url,
                "transportType": "websocket",
                "contentType": "audio",
                "audioChannelType": "mixed",
                "startMediaStreaming": True,
                "enableBidirectional": True,
                "audioFormat": f"pcm{self._rate_hz // 1000}KMono",
                "enableDtmfTones": True,
            },
        }
        return Answer(requests=tuple(self._request("/calling/callConnections:answer", body)))

    def refuse(self, call: IncomingCall) -> Answer:
        """Reject the call as busy by the REST API."""
        body = {"incomingCallContext": call.context, "callRejectReason": "busy"}
        return Answer(requests=tuple(self._request("/calling/callConnections:reject", body)))

    def status(self, request: WebhookRequest) -> Sequence[CallStatus]:
        """Return what the events report that ACS posts to the ``callbackUri``, as CloudEvents."""
        delivered = _events(request.body)
        for event in delivered:
            if event.kind == "CallConnected":
                self._connected(event.data.text("correlationId"), event.data.text("callConnectionId"))
        statuses = [
            CallStatus(
                call_id=event.data.text("callConnectionId"),
                status=event.kind,
                ended=event.kind in ENDED,
                stream_failed=event.kind == STREAM_FAILED,
                transfer_failed=event.kind == TRANSFER_FAILED,
                answered_as=event.data.text("correlationId"),
            )
            for event in delivered
        ]
        named = [status for status in statuses if status.call_id]
        if not named:
            raise WireError("the callback names no callConnectionId")
        return named

    def after_stream(self, call_id: str, after: After) -> Sequence[HttpRequest]:
        """Transfer or end the call, which outlives its stream. Words would need a speech resource of ACS' own."""
        return (after.transfer and self.transfer(call_id, after.transfer)) or self.hang_up(call_id)

    def hang_up(self, call_id: str) -> Sequence[HttpRequest]:
        """End the call for everyone."""
        return ending(self._request(f"/calling/callConnections/{segment(call_id)}:terminate"))

    def transfer(self, call_id: str, target: str) -> Sequence[HttpRequest]:
        """Transfer the caller to a number; ACS dials no ``sip:`` address."""
        if is_sip(target):
            return ()
        path = f"/calling/callConnections/{segment(call_id)}:transferToParticipant"
        return self._request(path, {"targetParticipant": _participant(target)})

    def send_digits(self, call_id: str, digits: str) -> Sequence[HttpRequest]:
        """Dial digits to the caller; none where the caller of that call is not known here."""
        caller = self._callers.get(call_id, "")
        tones = [TONES[digit] for digit in digits.upper() if digit in TONES]
        if not caller or not tones:
            return ()
        path = f"/calling/callConnections/{segment(call_id)}:sendDtmfTones"
        return self._request(path, {"tones": tones, "targetParticipant": _participant(caller)})

    def _request(self, path: str, body: Mapping[str, object] | None = None) -> Sequence[HttpRequest]:
        if not self._endpoint or not self._access_key:
            return ()
        url = f"{self._endpoint}{path}?api-version={API_VERSION}"
        content = b"" if body is None else json_bytes(body)
        headers = sign("POST", url, content, self._access_key, formatdate(self._now_s(), usegmt=True))
        if content:
            headers["Content-Type"] = "application/json"
        return (HttpRequest("POST", url, headers, content),)


def _remember(memory: OrderedDict[str, str], key: str, value: str) -> None:
    memory[key] = value
    while len(memory) > CALLERS_LIMIT:
        memory.popitem(last=False)


def sign(method: str, url: str, body: bytes, access_key: bytes, date: str) -> dict[str, str]:
    """Return the headers that sign a request ("Sign an HTTP request with HMAC"); ``date`` as in RFC 1123, in GMT."""
    parts = urlsplit(url)
    content_hash = base64.b64encode(hashlib.sha256(body).digest()).decode()
    text = f"{method}\n{parts.path}?{parts.query}\n{date};{parts.netloc};{content_hash}"
    signature = base64.b64encode(hmac.digest(access_key, text.encode(), "sha256")).decode()
    return {
        "x-ms-date": date,
        "x-ms-content-sha256": content_hash,
        "Authorization": f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}",
    }


def _events(body: bytes) -> list[_Event]:
    """Return the events of a delivery: an array of them, or one alone."""
    try:
        read = read_json(body)
    except UNREADABLE as error:
        raise WireError(f"not an Event Grid delivery: {error}") from None
    delivered = read if isinstance(read, list) else [read]
    members = [Members(event, "event", []) for event in delivered]
    events = [
        _Event(kind.rpartition(".")[2], event.inside("data"))
        for event in members
        if (kind := event.text("eventType", "type"))
    ]
    if delivered and not events:
        raise WireError("not an Event Grid delivery: no event has an eventType or a type")
    return events


def _address(identifier: Members) -> str:
    """Return the number, or the raw id of who has none."""
    number = identifier.inside("phoneNumber").text("value")
    return number or identifier.text("rawId").removeprefix("4:")


def _participant(address: str) -> dict[str, object]:
    if address.startswith("8:"):
        return {"kind": "communicationUser", "communicationUser": {"id": address}}
    return {"kind": "phoneNumber", "phoneNumber": {"value": address}}


def make(settings: settings.Acs, setup: Setup) -> Acs:
    """Make the provider from its section of ``gateway.yaml``."""
    return Acs(settings, setup.now_s)

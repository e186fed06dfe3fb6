"""Azure Communication Services, Call Automation with bidirectional media streaming. Pure.

Sources: Microsoft Learn, "Audio streaming", "Incoming call concepts", "Secure webhook endpoint"; the Call Automation
REST API and its request signing.
"""

from collections.abc import Sequence

from msgspec import Struct

from gateway.audio.formats import L16_16K, L16_24K, AudioFormat, Encoding
from gateway.config import providers as settings
from gateway.config.secrets import read_base64, value_of, values_of
from gateway.errors import WireError
from gateway.phone.pointing import ByHand
from gateway.phone.provider import (
    Confirmation,
    Grant,
    Proof,
    Provider,
    Setup,
    SignatureError,
    Traits,
    UnsignedError,
    Upgrade,
)
from gateway.phone.providers.acs.commands import AcsCommands
from gateway.phone.providers.acs.connections import Connections
from gateway.phone.providers.acs.published_keys import AcsKeys
from gateway.phone.providers.acs.wire import PLAYOUT, AcsCodec
from gateway.phone.requests import Steps
from gateway.phone.shared.http_request import is_one_of
from gateway.phone.shared.json_text import UNREADABLE, read_json, read_object
from gateway.phone.shared.jwt import bearer
from gateway.phone.shared.members import Members
from gateway.phone.waiting import Wait
from gateway.phone.webhook import After, Answer, CallStatus, Connect, IncomingCall, WebhookRequest, Webhooks
from gateway.text import json_text

TRAITS = Traits(
    title="Azure Communication Services",
    formats=(L16_24K, L16_16K),
    playout=PLAYOUT,
    confirmation=Confirmation.CLOCK,
    keys_out="REST",
    hang_up="REST",
    transfer="REST, to numbers",
    says_after=False,
    when_full=("transfer",),
    signature="secret in the Event Grid URL; JWT on callbacks",
    stream_key="token in the path and JWT of the upgrade",
    signs_all=True,
)
ENDED = frozenset({"CallDisconnected", "AnswerFailed", "CreateCallFailed"})
STREAM_FAILED = "MediaStreamingFailed"
TRANSFER_FAILED = "CallTransferFailed"
"""The REST API answers a transfer before the target has answered: this event reports that it did not."""


class _Event(Struct):
    """An event in the schema of Event Grid (``eventType``) or of CloudEvents (``type``)."""

    kind: str
    """``IncomingCall``, ``CallDisconnected``…, without the service's name."""
    data: Members


class Acs(Provider):
    """Azure Communication Services, as a provider."""

    traits = TRAITS
    pointing = ByHand("In the resource's events, subscribe IncomingCall with the web hook {answer}?secret=<{secret}>.")

    def __init__(self, settings: settings.Acs, setup: Setup) -> None:
        self.name = setup.name
        self._connections = Connections()
        self._keys = AcsKeys(settings.keys_url, settings.resource_id or "", settings.keys_file or "")
        self.published_keys = self._keys
        self._resource_id = settings.resource_id or ""
        commands = None
        if settings.endpoint and settings.access_key:
            access_key = read_base64(value_of(settings.access_key))
            commands = AcsCommands(settings.endpoint, access_key, self._connections, setup.now_s)
        self.commands = commands
        self.webhooks = AcsWebhooks(settings, setup.name, self._keys, self._connections, commands)

    def codec(self, upgrade: Upgrade, grant: Grant) -> AcsCodec:
        """Return a fresh wire for one stream, of the call that was answered, whatever the unsigned header names."""
        named = upgrade.headers.get("x-ms-call-connection-id", "")
        connected = self._connections.find(grant.call_id)
        self._connections.note_caller(connected or named, grant.caller)
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
        self._keys.check(token, now_s)
        return Proof.PROVIDER


class AcsWebhooks(Webhooks):
    """Event Grid's deliveries and the service's callbacks, answered by ``commands``.

    ``account`` is the account's name in ``gateway.yaml``.
    """

    def __init__(
        self,
        settings: settings.Acs,
        account: str,
        keys: AcsKeys,
        connections: Connections,
        commands: AcsCommands | None,
    ) -> None:
        self._account = account
        self._resource_id = settings.resource_id or ""
        self._secrets = values_of(settings.stream_secret)
        self._rate_hz = settings.rate_hz
        self._keys = keys
        self._connections = connections
        self._commands = commands

    def verify(self, request: WebhookRequest, now_s: float) -> str:
        """Check the secret of Event Grid's URL (``?secret=``), which signs nothing, or the token of a callback.

        Either may come again: Event Grid repeats what was not answered, and one token serves several callbacks.
        """
        given = dict(request.query).get("secret", "")
        if not given:
            if not self._resource_id:
                raise SignatureError(
                    f"providers.{self._account}.resource_id is not set: whom a token is for cannot be told"
                )
            self._keys.check(bearer(request.headers), now_s)
        elif not self._secrets:
            raise SignatureError(f"providers.{self._account}.stream_secret is not set")
        elif not is_one_of(given, self._secrets):
            raise SignatureError("the secret in the URL is wrong")
        return ""

    def incoming(self, request: WebhookRequest) -> IncomingCall | Answer:
        """Return the call of an Event Grid delivery, or the answer to its handshake and to events of no interest."""
        for event in _events(request.body):
            if event.kind == "SubscriptionValidationEvent" and (code := event.data.text("validationCode")):
                return Answer(json_text({"validationResponse": code}), "application/json")
            if event.kind == "IncomingCall":
                return self._incoming(event.data)
        return Answer()

    def _incoming(self, call: Members) -> IncomingCall:
        if self._commands is None:
            raise WireError(
                f"calls are answered by the REST API: providers.{self._account}.endpoint and access_key are not set"
            )
        context = call.text("incomingCallContext")
        if not context:
            raise WireError("not an Event Grid delivery: IncomingCall without its incomingCallContext")
        caller, called = _address(call.inside("from")), _address(call.inside("to"))
        return IncomingCall(call.text("correlationId"), caller, called, context)

    def answer(self, call: IncomingCall, connect: Connect) -> Steps[Answer]:
        """Answer the call by the REST API; Event Grid wants no document.

        The API's answer names the connection, which the stream names too, in a header that is not signed.
        """
        if self._commands is not None:
            url, stream_url = connect.callback_url, connect.stream_url
            response = yield self._commands.answer(call.context, url, stream_url, self._rate_hz)
            self._note_connection(call, response)
        return Answer(audio_format=AudioFormat(Encoding.L16, self._rate_hz))

    def _note_connection(self, call: IncomingCall, response: bytes) -> None:
        try:
            connection_id = Members(read_object(response), "answer", []).text("callConnectionId")
        except UNREADABLE:
            return
        self._connections.note(call.call_id, connection_id)

    def refuse(self, call: IncomingCall) -> Answer:
        """Reject the call as busy by the REST API."""
        return Answer(requests=(self._commands.reject(call.context),) if self._commands else ())

    def full(self, call: IncomingCall, follows: After, wait: Wait | None = None) -> Answer:
        """Redirect a call for which there is no room, before it is answered; where that is refused, reject it."""
        redirect = self._commands.send_on(call.context, follows.transfer) if self._commands else ()
        if not redirect:
            return self.refuse(call)
        return Answer(requests=redirect, otherwise=self.refuse(call).requests)

    def status(self, request: WebhookRequest) -> Sequence[CallStatus]:
        """Return what the events report that ACS posts to the ``callbackUri``, as CloudEvents."""
        delivered = _events(request.body)
        for event in delivered:
            if event.kind == "CallConnected":
                self._connections.note(event.data.text("correlationId"), event.data.text("callConnectionId"))
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


def make(settings: settings.Acs, setup: Setup) -> Acs:
    """Make the provider from its section of ``gateway.yaml``."""
    return Acs(settings, setup)

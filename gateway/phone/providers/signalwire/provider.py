"""SignalWire cXML (SignalWire documentation, cXML ``<Stream>``): Twilio's wire with differences, its webhook. Pure."""

from collections.abc import Sequence

from gateway.audio.formats import L16_16K, L16_24K, PCMU
from gateway.config import providers as settings
from gateway.config.reading.environment import variable_of
from gateway.config.secrets import value_of, values_of
from gateway.phone.dialects.twilio import twiml
from gateway.phone.dialects.twilio.commands import TwimlCommands
from gateway.phone.dialects.twilio.signature import check
from gateway.phone.dialects.twilio.stream import G711, CamelJsonCodec, Formats
from gateway.phone.events import Playout
from gateway.phone.pointing import Account, ByApi
from gateway.phone.provider import Confirmation, Grant, Proof, Provider, Setup, SignatureError, Traits, Upgrade
from gateway.phone.providers.signalwire import pointing
from gateway.phone.shared.http_request import is_one_of
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

TRAITS = Traits(
    title="SignalWire",
    formats=(PCMU, L16_16K, L16_24K),
    playout=Playout(),
    confirmation=Confirmation.MARKS,
    keys_out="stream",
    hang_up="REST, or closing the stream",
    transfer="REST",
    when_full=("say", "transfer", "wait"),
    signature="HMAC-SHA1 of URL and form",
    stream_key="token in the path, or a bearer token",
    unsure=True,
)
FORMATS: Formats = {**G711, ("audio/x-l16", 16000): L16_16K, ("audio/x-l16", 24000): L16_24K}
"""No document gives the byte order of L16; little-endian is assumed."""
ADVICE = "set codec of <Stream> to PCMU@8000h, L16@16000h or L16@24000h"


class SignalWire(Provider):
    """The provider SignalWire."""

    traits = TRAITS

    def __init__(self, settings: settings.SignalWire, setup: Setup) -> None:
        self.name = setup.name
        self._stream_secrets = values_of(settings.stream_secret)
        self.webhooks = SignalWireWebhooks(setup.name, values_of(settings.signing_key))
        if settings.api_url and settings.project_id and settings.api_token:
            api_token = value_of(settings.api_token)
            self.commands = TwimlCommands(f"{settings.api_url}/api/laml", settings.project_id, api_token)
        self.pointing = ByApi(Account(setup.name, settings), pointing.find)

    def codec(self, upgrade: Upgrade, grant: Grant) -> CamelJsonCodec:
        """Return a fresh wire for one stream."""
        return CamelJsonCodec(grant, TRAITS.playout, FORMATS, advice=ADVICE, sends_digits=True)

    def verify_upgrade(self, upgrade: Upgrade, now_s: float) -> Proof:
        """Check the bearer token, a static document's ``authBearerToken``; ours puts a token into the path instead."""
        scheme, _, given = upgrade.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not self._stream_secrets:
            return Proof.NONE
        if not is_one_of(given.strip(), self._stream_secrets):
            raise SignatureError(f"the stream's authBearerToken is not {variable_of(self.name, 'stream_secret')}")
        return Proof.STREAM


class SignalWireWebhooks(Webhooks):
    """Voice webhooks, answered with cXML; ``account`` is the account's name in ``gateway.yaml``."""

    def __init__(self, account: str, signing_keys: tuple[str, ...]) -> None:
        self._account = account
        self._signing_keys = signing_keys

    def verify(self, request: WebhookRequest, now_s: float) -> str:
        """Check ``X-SignalWire-Signature`` (or ``X-Twilio-Signature``, as their library); a replay is not noticed."""
        if not self._signing_keys:
            raise SignatureError(f"{variable_of(self._account, 'signing_key')} is not set")
        given = request.headers.get("x-signalwire-signature") or request.headers.get("x-twilio-signature", "")
        check(request, given, self._signing_keys, "X-SignalWire-Signature", as_sent=True)
        return ""

    def incoming(self, request: WebhookRequest) -> IncomingCall | StreamEnded:
        """Return the call of an incoming-call webhook, or the stream that has ended."""
        return twiml.incoming_call(request, TRAITS.title)

    def answer(self, call: IncomingCall, connect: Connect) -> Answer:
        """Return cXML that connects the call to the stream and carries the numbers, which the stream lacks."""
        return Answer(twiml.connect_stream(connect, twiml.numbers(call)), twiml.CONTENT_TYPE, audio_format=PCMU)

    def refuse(self, call: IncomingCall) -> Answer:
        """Reject the call as busy, without answering it."""
        return twiml.busy()

    def full(self, call: IncomingCall, follows: After, wait: Wait | None = None) -> Answer:
        """Answer a call for which there is no room with cXML."""
        return twiml.full(follows, wait)

    def status(self, request: WebhookRequest) -> Sequence[CallStatus]:
        """Return what a call status callback reports."""
        return twiml.call_status(request)


def make(settings: settings.SignalWire, setup: Setup) -> SignalWire:
    """Make the provider from its section of ``gateway.yaml``."""
    return SignalWire(settings, setup)

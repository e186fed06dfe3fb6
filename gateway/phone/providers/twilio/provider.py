"""Twilio Media Streams (twilio.com/docs/voice/media-streams) and its voice webhook. Pure."""

from collections.abc import Sequence

from gateway.audio.formats import PCMA, PCMU
from gateway.config import providers as settings
from gateway.config.reading.environment import variable_of
from gateway.config.secrets import first, values_of
from gateway.phone.dialects.twilio import twiml
from gateway.phone.dialects.twilio.commands import TwimlCommands
from gateway.phone.dialects.twilio.signature import check, is_signed
from gateway.phone.dialects.twilio.stream import CamelJsonCodec
from gateway.phone.events import Playout
from gateway.phone.pointing import Account, ByApi
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
from gateway.phone.providers.twilio import pointing
from gateway.phone.shared.signed_url import spellings
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
    title="Twilio",
    formats=(PCMU, PCMA),
    playout=Playout(),
    confirmation=Confirmation.MARKS,
    hang_up="REST, or closing the stream",
    transfer="REST",
    when_full=("say", "transfer", "wait"),
    signature="HMAC-SHA1 of URL and form; the upgrade too",
    stream_key="token in the path and the signature",
)
ADVICE = "expected audio/x-mulaw or audio/x-alaw, 8000 Hz, 1 channel"


class Twilio(Provider):
    """The provider Twilio."""

    traits = TRAITS

    def __init__(self, settings: settings.Twilio, setup: Setup) -> None:
        self.name = setup.name
        self._auth_tokens = values_of(settings.auth_token)
        self.webhooks = TwilioWebhooks(setup.name, self._auth_tokens)
        if settings.account_sid and self._auth_tokens:
            self.commands = TwimlCommands(settings.api_url, settings.account_sid, first(self._auth_tokens))
        self.pointing = ByApi(Account(setup.name, settings), pointing.find)

    def codec(self, upgrade: Upgrade, grant: Grant) -> CamelJsonCodec:
        """Return a fresh wire for one stream."""
        return CamelJsonCodec(grant, TRAITS.playout, advice=ADVICE)

    def verify_upgrade(self, upgrade: Upgrade, now_s: float) -> Proof:
        """Check the upgrade's signature, over the literal URL of our document, at times with a slash appended."""
        if not self._auth_tokens:
            return Proof.NONE
        given = upgrade.headers.get("x-twilio-signature")
        if given is None:
            raise UnsignedError("the stream has no X-Twilio-Signature, which Twilio puts under each")
        spelled = spellings(upgrade.url, upgrade.headers.get("host", ""))
        urls = (url + slash for url in spelled for slash in ("", "/"))
        if not is_signed(given, urls, (), self._auth_tokens):
            raise SignatureError("the stream's X-Twilio-Signature is wrong")
        return Proof.PROVIDER  # it proves Twilio, not the call: a token is still needed


class TwilioWebhooks(Webhooks):
    """Voice webhooks, answered with TwiML; ``account`` is the account's name in ``gateway.yaml``."""

    def __init__(self, account: str, auth_tokens: tuple[str, ...]) -> None:
        self._account = account
        self._auth_tokens = auth_tokens

    def verify(self, request: WebhookRequest, now_s: float) -> str:
        """Check ``X-Twilio-Signature``; it covers neither a time nor a nonce, so a replay is not noticed."""
        if not self._auth_tokens:
            raise SignatureError(f"{variable_of(self._account, 'auth_token')} is not set")
        check(request, request.headers.get("x-twilio-signature", ""), self._auth_tokens, "X-Twilio-Signature")
        return ""

    def incoming(self, request: WebhookRequest) -> IncomingCall | StreamEnded:
        """Return the call of an incoming-call webhook, or the stream that has ended."""
        return twiml.incoming_call(request, TRAITS.title)

    def answer(self, call: IncomingCall, connect: Connect) -> Answer:
        """Return TwiML that connects the call to the stream and carries the numbers, which the stream lacks."""
        return Answer(
            twiml.connect_stream(connect, twiml.numbers(call), has_action=True), twiml.CONTENT_TYPE, audio_format=PCMU
        )

    def refuse(self, call: IncomingCall) -> Answer:
        """Reject the call as busy, without answering it."""
        return twiml.busy()

    def full(self, call: IncomingCall, follows: After, wait: Wait | None = None) -> Answer:
        """Answer a call for which there is no room with TwiML."""
        return twiml.full(follows, wait)

    def status(self, request: WebhookRequest) -> Sequence[CallStatus]:
        """Return what a call status callback reports (docs/voice/api/call-resource, StatusCallback)."""
        return twiml.call_status(request)


def make(settings: settings.Twilio, setup: Setup) -> Twilio:
    """Make the provider from its section of ``gateway.yaml``."""
    return Twilio(settings, setup)

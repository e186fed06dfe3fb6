"""Vobiz audio streams: Plivo's wire with a message for the end, and its own signatures and REST headers. Pure.

Vobiz documentation: "Stream", "WebSocket events", "Validating webhooks", "Calls API".
"""

from collections.abc import Sequence

from gateway.config import providers as settings
from gateway.config.reading.environment import variable_of
from gateway.config.secrets import first, values_of
from gateway.phone.commands import EndStream, PhoneCommand, PlayAudio, StreamCommand
from gateway.phone.dialects.plivo.commands import PlivoCommands
from gateway.phone.dialects.plivo.signature import verify_v3
from gateway.phone.dialects.plivo.stream import FORMATS, CheckpointCodec
from gateway.phone.dialects.plivo.webhooks import XmlWebhooks
from gateway.phone.events import Playout
from gateway.phone.pointing import ByHand
from gateway.phone.provider import Confirmation, Grant, Provider, Setup, SignatureError, Traits, Upgrade
from gateway.phone.shared.signed_url import spellings
from gateway.phone.webhook import WebhookRequest

MESSAGE_MS = 60
"""Vobiz takes ``playAudio`` of 20 to 60 ms."""

TRAITS = Traits(
    title="Vobiz",
    formats=FORMATS,
    playout=Playout(),
    confirmation=Confirmation.PLAYED_MARKS,
    hang_up="stream, REST",
    transfer="REST",
    when_full=("say", "transfer", "wait"),
    signature="HMAC-SHA256 of URL and nonce (V3); form and query are not covered",
    stream_key="token in the path",
    unsure=True,
)


class VobizCodec(CheckpointCodec):
    """The wire of one stream: Plivo's, in shorter messages."""

    def __init__(self, grant: Grant) -> None:
        super().__init__(grant, TRAITS.playout, names_stream=True)

    def encode(self, command: PhoneCommand | StreamCommand) -> Sequence[str]:
        """Return the messages that carry the command; after ``stop`` Vobiz goes on with the document's next element."""
        match command:
            case PlayAudio(audio=audio) if len(audio) > (size := self.audio_format.bytes_for(MESSAGE_MS)):
                pieces = (PlayAudio(audio[start : start + size]) for start in range(0, len(audio), size))
                return [message for piece in pieces for message in super(VobizCodec, self).encode(piece)]
            case EndStream():
                return (f'{{"event":"stop","streamId":{self.stream_id}}}',)
            case _:
                return super().encode(command)


class Vobiz(Provider):
    """The provider Vobiz."""

    traits = TRAITS
    pointing = ByHand(
        "In the XML application of the number, enter {answer} as the answer URL and {status} as the hang-up URL."
    )

    def __init__(self, settings: settings.Vobiz, setup: Setup) -> None:
        self.name = setup.name
        auth_tokens = values_of(settings.auth_token)
        self.webhooks = VobizWebhooks(setup.name, auth_tokens)
        if settings.auth_id and auth_tokens:
            accounts_url = f"{settings.api_url}/api/v1/Account"
            credentials = {"X-Auth-ID": settings.auth_id, "X-Auth-Token": first(auth_tokens)}
            self.commands = PlivoCommands(accounts_url, settings.auth_id, credentials, setup.answer_url)

    def codec(self, upgrade: Upgrade, grant: Grant) -> VobizCodec:
        """Return a fresh wire for one stream."""
        return VobizCodec(grant)


class VobizWebhooks(XmlWebhooks):
    """Vobiz' webhooks; ``account`` is the account's name in ``gateway.yaml``."""

    def __init__(self, account: str, auth_tokens: tuple[str, ...]) -> None:
        self._account = account
        self._auth_tokens = auth_tokens

    def verify(self, request: WebhookRequest, now_s: float) -> str:
        """Check ``X-Vobiz-Signature-V3`` over address and nonce, without query and form; return a hash of both."""
        if not self._auth_tokens:
            raise SignatureError(f"{variable_of(self._account, 'auth_token')} is not set")
        address, _, _ = request.url.partition("?")
        addresses = spellings(address, request.headers.get("host", ""))
        return verify_v3(request.headers, "x-vobiz", self._auth_tokens, addresses)


def make(settings: settings.Vobiz, setup: Setup) -> Vobiz:
    """Make the provider from its section of ``gateway.yaml``."""
    return Vobiz(settings, setup)

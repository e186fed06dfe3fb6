"""Genesys Cloud Audio Connector (developer.genesys.cloud/devapps/audiohook), as a provider. Pure.

Genesys is the client and opens each stream by itself: there is no webhook, and it alone closes the socket.
"""

from collections.abc import Sequence

from gateway.audio.formats import PCMU
from gateway.config import providers as settings
from gateway.config.secrets import read_base64, values_of
from gateway.errors import WireError
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
    Upgrade,
    WebhookRequest,
)
from gateway.phone.providers.genesys import signature as http_signature
from gateway.phone.providers.genesys.wire import PLAYOUT, GenesysCodec
from gateway.phone.shared.http_request import is_one_of, same

TRAITS = Traits(
    title="Genesys Cloud",
    formats=(PCMU,),
    playout=PLAYOUT,
    confirmation=Confirmation.ENDS,
    hang_up="stream: the flow goes on",
    transfer="stream: the flow carries it out",
    says_after=False,
    transfers_after=False,
    signature="no webhooks",
    stream_key="HTTP message signature and API key of the upgrade",
    peer_closes=True,
)
SIGNED = (
    "@request-target",
    "@authority",
    "audiohook-organization-id",
    "audiohook-session-id",
    "audiohook-correlation-id",
    "x-api-key",
)
NO_WEBHOOK = "Genesys Cloud sends no webhooks: an Audio Connector integration opens the stream by itself"


class Genesys:
    """The provider Genesys Cloud: its wire and the proof of its streams."""

    name = "genesys"
    traits = TRAITS
    subprotocols = ()

    def __init__(self, settings: settings.Genesys) -> None:
        self._api_keys = values_of(settings.api_key)
        self._secrets = [read_base64(secret) for secret in values_of(settings.client_secret)]

    def codec(self, upgrade: Upgrade, grant: Grant) -> GenesysCodec:
        """Return a fresh wire for one stream."""
        return GenesysCodec(upgrade, grant)

    def verify_upgrade(self, upgrade: Upgrade, now_s: float) -> Proof:
        """Check ``X-API-KEY`` and the signature; the key alone, which is no secret, proves nothing."""
        given = upgrade.headers.get("x-api-key")
        if given is None:
            return Proof.NONE
        if self._api_keys and not is_one_of(given, self._api_keys):
            raise SignatureError("X-API-KEY is wrong")
        if not self._secrets:
            return Proof.NONE
        signed = http_signature.verify(upgrade.url, upgrade.headers, self._secrets, SIGNED, now_s)
        if not same(signed.key_id, given):
            raise SignatureError("the signature's keyid is not the X-API-KEY")
        return Proof.STREAM

    def once(self, upgrade: Upgrade) -> tuple[str, float]:
        """Return the nonce of a signature that was right, and for how many seconds the signature stays right."""
        return http_signature.nonce_of(upgrade.headers), http_signature.LIFE_S

    def verify(self, request: WebhookRequest, now_s: float) -> str:
        """Refuse the request: Genesys sends no webhooks."""
        raise SignatureError(NO_WEBHOOK)

    def incoming(self, request: WebhookRequest) -> IncomingCall | Answer:
        """Raise ``WireError``: no webhook announces a call."""
        raise WireError(NO_WEBHOOK)

    def answer(self, call: IncomingCall, connect: Connect) -> Answer:
        """Raise ``WireError``: no webhook is answered."""
        raise WireError(NO_WEBHOOK)

    def refuse(self, call: IncomingCall) -> Answer:
        """Raise ``WireError``: no webhook is answered."""
        raise WireError(NO_WEBHOOK)

    def status(self, request: WebhookRequest) -> Sequence[CallStatus]:
        """Raise ``WireError``: Genesys sends no callbacks."""
        raise WireError(NO_WEBHOOK)

    def after_stream(self, call_id: str, after: After) -> Sequence[HttpRequest]:
        """Return nothing: the Architect flow decides what follows."""
        return ()

    def hang_up(self, call_id: str) -> Sequence[HttpRequest]:
        """Return nothing: the stream supports it."""
        return ()

    def transfer(self, call_id: str, target: str) -> Sequence[HttpRequest]:
        """Return nothing: the stream supports it."""
        return ()

    def send_digits(self, call_id: str, digits: str) -> Sequence[HttpRequest]:
        """Return nothing: no request dials digits."""
        return ()


def make(settings: settings.Genesys, setup: Setup) -> Genesys:
    """Make the provider from its section of ``gateway.yaml``."""
    return Genesys(settings)

"""Genesys Cloud Audio Connector (developer.genesys.cloud/devapps/audiohook), as a provider. Pure.

Genesys is the client and opens each stream by itself: there is no webhook, and it alone closes the socket.
"""

from gateway.audio.formats import PCMU
from gateway.config import providers as settings
from gateway.config.secrets import read_base64, values_of
from gateway.phone.pointing import ByHand
from gateway.phone.provider import Confirmation, Grant, Proof, Provider, Setup, SignatureError, Traits, Upgrade
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


class Genesys(Provider):
    """The provider Genesys Cloud: its wire and the proof of its streams."""

    traits = TRAITS
    pointing = ByHand("In the Audio Connector integration, enter {stream} as base URI, with API key and client secret.")

    def __init__(self, settings: settings.Genesys, setup: Setup) -> None:
        self.name = setup.name
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

    def upgrade_key(self, upgrade: Upgrade) -> tuple[str, float]:
        """Return the nonce of a signature that was right, and for how many seconds the signature stays right."""
        return http_signature.nonce_of(upgrade.headers), http_signature.LIFE_S


def make(settings: settings.Genesys, setup: Setup) -> Genesys:
    """Make the provider from its section of ``gateway.yaml``."""
    return Genesys(settings, setup)

"""Asterisk, which opens the stream out of its dialplan: there is no webhook and no REST API between it and us. Pure.

docs.asterisk.org, "Channel Drivers: WebSocket", "WebSocket client configuration".
"""

from gateway.config import providers as settings
from gateway.config.reading.environment import variable_of
from gateway.config.secrets import values_of
from gateway.phone.pointing import ByHand
from gateway.phone.provider import Confirmation, Grant, Proof, Provider, Setup, Traits, Upgrade
from gateway.phone.providers.asterisk.wire import FORMATS, PLAYOUT, AsteriskCodec
from gateway.phone.shared.http_request import check_basic

TRAITS = Traits(
    title="Asterisk",
    formats=tuple(FORMATS.values()),
    playout=PLAYOUT,
    confirmation=Confirmation.PLAYED_MARKS,
    hang_up="stream",
    says_after=False,
    transfers_after=False,
    stream_key="Basic credentials, or secret in the path",
)


class Asterisk(Provider):
    """The provider Asterisk: its wire and the proof of its streams."""

    traits = TRAITS
    subprotocols = ("media",)
    pointing = ByHand(
        "In websocket_client.conf, enter {stream} as the uri, protocols = media, with username and password."
    )

    def __init__(self, settings: settings.Asterisk, setup: Setup) -> None:
        self.name = setup.name
        self._secrets = values_of(settings.stream_secret)

    def codec(self, upgrade: Upgrade, grant: Grant) -> AsteriskCodec:
        """Return a fresh wire for one stream; the numbers are in the stream's query."""
        return AsteriskCodec(upgrade, grant)

    def verify_upgrade(self, upgrade: Upgrade, now_s: float) -> Proof:
        """Check the Basic credentials of ``websocket_client.conf``: any user, the stream secret as password."""
        given = upgrade.headers.get("authorization", "")
        if not given or not self._secrets:
            return Proof.NONE
        wrong = f"the stream's password is not {variable_of(self.name, 'stream_secret')}"
        check_basic(given, self._secrets, missing=wrong, wrong=wrong)
        return Proof.STREAM


def make(settings: settings.Asterisk, setup: Setup) -> Asterisk:
    """Make the provider from its section of ``gateway.yaml``."""
    return Asterisk(settings, setup)

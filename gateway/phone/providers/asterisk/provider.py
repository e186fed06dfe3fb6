"""Asterisk, which opens the stream out of its dialplan: there is no webhook and no REST API between it and us. Pure.

docs.asterisk.org, "Channel Drivers: WebSocket", "WebSocket client configuration".
"""

from collections.abc import Sequence

from gateway.config import providers as settings
from gateway.config.reading.environment import variable_of
from gateway.config.secrets import values_of
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
from gateway.phone.providers.asterisk.wire import FORMATS, PLAYOUT, AsteriskCodec
from gateway.phone.shared.http_request import basic_credentials, is_one_of

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
NO_WEBHOOK = "Asterisk sends no webhooks: its dialplan opens the stream"


class Asterisk:
    """The provider Asterisk: its wire and the proof of its streams."""

    name = "asterisk"
    traits = TRAITS
    subprotocols = ("media",)

    def __init__(self, settings: settings.Asterisk) -> None:
        self._secrets = values_of(settings.stream_secret)

    def codec(self, upgrade: Upgrade, grant: Grant) -> AsteriskCodec:
        """Return a fresh wire for one stream; the numbers are in the stream's query."""
        return AsteriskCodec(upgrade, grant)

    def verify_upgrade(self, upgrade: Upgrade, now_s: float) -> Proof:
        """Check the Basic credentials of ``websocket_client.conf``: any user, the stream secret as password."""
        given = upgrade.headers.get("authorization", "")
        if not given or not self._secrets:
            return Proof.NONE
        credentials = basic_credentials(given)
        if credentials is None or not is_one_of(credentials[1], self._secrets):
            raise SignatureError(f"the stream's password is not {variable_of(self.name, 'stream_secret')}")
        return Proof.STREAM

    def verify(self, request: WebhookRequest, now_s: float) -> str:
        """Refuse the request: Asterisk sends no webhooks."""
        raise SignatureError(NO_WEBHOOK)

    def incoming(self, request: WebhookRequest) -> IncomingCall:
        """Raise ``WireError``: Asterisk sends no webhooks."""
        raise WireError(NO_WEBHOOK)

    def answer(self, call: IncomingCall, connect: Connect) -> Answer:
        """Raise ``WireError``: Asterisk sends no webhooks."""
        raise WireError(NO_WEBHOOK)

    def refuse(self, call: IncomingCall) -> Answer:
        """Raise ``WireError``: Asterisk sends no webhooks."""
        raise WireError(NO_WEBHOOK)

    def status(self, request: WebhookRequest) -> Sequence[CallStatus]:
        """Raise ``WireError``: Asterisk sends no webhooks."""
        raise WireError(NO_WEBHOOK)

    def after_stream(self, call_id: str, after: After) -> Sequence[HttpRequest]:
        """Return nothing: the dialplan decides what follows."""
        return ()

    def hang_up(self, call_id: str) -> Sequence[HttpRequest]:
        """Return nothing: the stream has a message that hangs up."""
        return ()

    def transfer(self, call_id: str, target: str) -> Sequence[HttpRequest]:
        """Return nothing: only the dialplan may connect somebody."""
        return ()

    def send_digits(self, call_id: str, digits: str) -> Sequence[HttpRequest]:
        """Return nothing: no request dials digits."""
        return ()


def make(settings: settings.Asterisk, setup: Setup) -> Asterisk:
    """Make the provider from its section of ``gateway.yaml``."""
    return Asterisk(settings)

"""Plivo Audio Streaming (plivo.com/docs/voice/xml/audiostream), its webhooks, signatures and REST API. Pure."""

from collections.abc import Sequence
from urllib.parse import parse_qsl

from gateway.config import providers as settings
from gateway.config.reading.environment import variable_of
from gateway.config.secrets import first, values_of
from gateway.phone.commands import PhoneCommand, SendDigits, StreamCommand
from gateway.phone.dialects.plivo.commands import PlivoCommands
from gateway.phone.dialects.plivo.signature import verify_v3
from gateway.phone.dialects.plivo.stream import FORMATS, CheckpointCodec
from gateway.phone.dialects.plivo.webhooks import XmlWebhooks
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
from gateway.phone.providers.plivo import pointing
from gateway.phone.shared.http_request import basic
from gateway.phone.shared.json_text import text_of
from gateway.phone.shared.signed_url import as_asked, spellings, without_port
from gateway.phone.webhook import WebhookRequest

TRAITS = Traits(
    title="Plivo",
    formats=FORMATS,
    playout=Playout(),
    confirmation=Confirmation.PLAYED_MARKS,
    keys_out="stream",
    hang_up="REST, or closing the stream",
    transfer="REST",
    when_full=("say", "transfer", "wait"),
    signature="HMAC-SHA256 of URL, form and nonce (V3); the upgrade too",
    stream_key="token in the path and the signature",
)


class PlivoCodec(CheckpointCodec):
    """The wire of one stream, with digits that go out over it."""

    def __init__(self, grant: Grant) -> None:
        super().__init__(grant, TRAITS.playout, names_stream=False)

    def encode(self, command: PhoneCommand | StreamCommand) -> Sequence[str]:
        """Return the messages that carry the command; digits have a message of their own."""
        if isinstance(command, SendDigits):
            return (f'{{"event":"sendDTMF","dtmf":{text_of(command.digits)}}}',)
        return super().encode(command)


class Plivo(Provider):
    """The provider Plivo."""

    traits = TRAITS

    def __init__(self, settings: settings.Plivo, setup: Setup) -> None:
        self.name = setup.name
        self._auth_tokens = values_of(settings.auth_token)
        self.webhooks = PlivoWebhooks(setup.name, self._auth_tokens)
        if settings.auth_id and self._auth_tokens:
            accounts_url = f"{settings.api_url}/v1/Account"
            credentials = {"Authorization": basic(settings.auth_id, first(self._auth_tokens))}
            self.commands = PlivoCommands(accounts_url, settings.auth_id, credentials, setup.answer_url)
        self.pointing = ByApi(Account(setup.name, settings), pointing.find)

    def codec(self, upgrade: Upgrade, grant: Grant) -> PlivoCodec:
        """Return a fresh wire for one stream."""
        return PlivoCodec(grant)

    def verify_upgrade(self, upgrade: Upgrade, now_s: float) -> Proof:
        """Check the signature of the upgrade.

        Which URL it covers is not documented: Plivo's stream SDK takes ``http``, and a path with ``/websocket``
        appended. That is accepted, and so is the URL of our document as it is; a port may be left out.
        """
        if not self._auth_tokens:
            return Proof.NONE
        if not {"x-plivo-signature-v3", "x-plivo-signature-ma-v3"} & upgrade.headers.keys():
            raise UnsignedError("the stream has no X-Plivo-Signature-V3, which Plivo puts under each")
        address, _, query = upgrade.url.partition("?")
        arguments = _arguments(query)
        texts = (url + (f"?{arguments}" if arguments else "") for url in _upgrade_addresses(address))
        verify_v3(upgrade.headers, "x-plivo", self._auth_tokens, texts)
        return Proof.PROVIDER  # it proves Plivo, not the call: a token is still needed


class PlivoWebhooks(XmlWebhooks):
    """Plivo's webhooks; ``account`` is the account's name in ``gateway.yaml``."""

    def __init__(self, account: str, auth_tokens: tuple[str, ...]) -> None:
        self._account = account
        self._auth_tokens = auth_tokens

    def verify(self, request: WebhookRequest, now_s: float) -> str:
        """Check ``X-Plivo-Signature-V3`` and return a hash of what it signs, nonce included."""
        if not self._auth_tokens:
            raise SignatureError(f"{variable_of(self._account, 'auth_token')} is not set")
        address, _, query = request.url.partition("?")
        rest = _signed_rest(request.method, query, request.form)
        texts = (url + rest for url in spellings(address, request.headers.get("host", "")))
        return verify_v3(request.headers, "x-plivo", self._auth_tokens, texts)


def _upgrade_addresses(address: str) -> tuple[str, ...]:
    """Return the URLs that the upgrade's signature may cover, the likely ones first."""
    asked = as_asked(address)
    _, _, place = asked.partition("://")
    _, _, portless = without_port(asked).partition("://")
    if asked != address:
        return (
            f"http://{place}/websocket",
            address,
            asked,
            without_port(asked) if portless != place else f"https://{place}",
        )
    if portless != place:
        return f"http://{place}/websocket", address, f"http://{portless}/websocket", without_port(address)
    return f"http://{place}/websocket", address, f"https://{place}", f"http://{place}"


def _signed_rest(method: str, query: str, form: Sequence[tuple[str, str]]) -> str:
    """Return what a V3 signature covers between the address and the nonce (plivo-python, ``signature_v3.py``).

    Query and form are decoded and sorted. The form counts for a POST alone, without separators.
    """
    arguments = _arguments(query)
    if method.upper() == "GET" or not form:
        return f"?{arguments}" if arguments else ""
    fields = "".join(key + value for key, value in sorted(form))
    return f"?{arguments}.{fields}" if arguments else f"?{fields}"


def _arguments(query: str) -> str:
    return "&".join(f"{key}={value}" for key, value in sorted(parse_qsl(query, keep_blank_values=True)))


def make(settings: settings.Plivo, setup: Setup) -> Plivo:
    """Make the provider from its section of ``gateway.yaml``."""
    return Plivo(settings, setup)

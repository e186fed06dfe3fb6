"""An account at each simulated provider: the settings that the gateway gets, and what the provider itself knows.

They are made for tests; none of the values is a real secret.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

REST = ("twilio", "signalwire", "cloudonix", "telnyx", "plivo", "vobiz", "vonage", "bandwidth", "jambonz")
"""Providers whose REST API has its address in ``api_url``."""


@dataclass(frozen=True)
class Account:
    """An account: ``settings`` of the provider's section in ``gateway.yaml``, ``secrets`` that the provider knows."""

    settings: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)


def open_account(provider: str, api_url: str, key: str = "") -> Account:
    """Return an account at ``provider``, whose REST API is played at ``api_url``.

    Two accounts that are opened with the same ``key`` have the same proofs of webhooks and streams; without it every
    account is another.
    """
    make = _Maker(provider, key or secrets.token_urlsafe(24))
    shared = {name: make.value(name) for name in (*_SHARED.get(provider, ()), "stream_secret")}
    settings, known = dict(shared), dict(shared)
    if provider in REST:
        settings["api_url"] = api_url
    if provider == "jambonz":
        settings["api_url"] = f"{api_url}/api"
    if provider == "telnyx":
        settings["public_key"], known["private_key"] = make.ed25519()
    if provider == "acs":
        settings |= {"endpoint": api_url, "keys_url": f"{api_url}/calling/keys"}
    if provider == "bandwidth":
        settings["token_url"] = f"{api_url}/api/v1/oauth2/token"
    return Account(settings, known)


class _Maker:
    """A maker of one account's values, each from the account's key and the value's name."""

    def __init__(self, provider: str, key: str) -> None:
        self._provider = provider
        self._key = key.encode()

    def value(self, name: str) -> str:
        """Return a value in the form that the provider gives it; an RSA key is another each time."""
        match name:
            case "account_sid":
                return "AC" + "0123456789abcdef" * 2
            case "private_key":
                key = generate_private_key(public_exponent=65537, key_size=2048)
                return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
            case "client_secret" | "access_key":
                return base64.b64encode(self._bytes(name)).decode()
        return base64.urlsafe_b64encode(self._bytes(name)[:24]).decode()

    def ed25519(self) -> tuple[str, str]:
        """Return the public and the private key of a signature, both as base64."""
        key = Ed25519PrivateKey.from_private_bytes(self._bytes("private_key"))
        public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        private = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        return base64.b64encode(public).decode(), base64.b64encode(private).decode()

    def _bytes(self, name: str) -> bytes:
        return hmac.digest(self._key, f"{self._provider}.{name}".encode(), hashlib.sha256)


_SHARED: Mapping[str, tuple[str, ...]] = {
    "twilio": ("account_sid", "auth_token"),
    "signalwire": ("project_id", "api_token", "signing_key"),
    "cloudonix": ("domain", "api_key"),
    "telnyx": ("api_key",),
    "plivo": ("auth_id", "auth_token"),
    "vobiz": ("auth_id", "auth_token"),
    "vonage": ("application_id", "private_key", "signature_secret"),
    "genesys": ("api_key", "client_secret"),
    "acs": ("access_key", "resource_id"),
    "bandwidth": ("account_id", "client_id", "client_secret", "webhook_user", "webhook_password"),
    "jambonz": ("account_sid", "api_key", "webhook_secret"),
}

"""An account at each simulated provider: what the gateway is told of it, and what the provider itself knows.

Made anew for each call; nothing here is a secret of anybody's.
"""

import base64
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
    """``settings`` are the keys of the provider's section in ``gateway.yaml``; ``secrets`` what the provider knows."""

    settings: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)


def open_account(provider: str, api_url: str) -> Account:
    """A fresh account at ``provider``, whose REST API is played at ``api_url``."""
    shared = {name: _MADE[name]() for name in _SHARED.get(provider, ())}
    shared["stream_secret"] = _text()
    settings, known = dict(shared), dict(shared)
    if provider in REST:
        settings["api_url"] = api_url
    if provider == "jambonz":
        settings["api_url"] = f"{api_url}/api"
    if provider == "telnyx":
        settings["public_key"], known["private_key"] = _ed25519()
    if provider == "acs":
        settings |= {"endpoint": api_url, "keys_url": f"{api_url}/calling/keys"}
    if provider == "bandwidth":
        settings["token_url"] = f"{api_url}/api/v1/oauth2/token"
    return Account(settings, known)


def _text() -> str:
    return secrets.token_urlsafe(24)


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _rsa() -> str:
    key = generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _ed25519() -> tuple[str, str]:
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    private = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return base64.b64encode(public).decode(), base64.b64encode(private).decode()


_MADE = {
    "account_sid": lambda: "AC" + "0123456789abcdef" * 2,
    "private_key": _rsa,
    "client_secret": _key,
    "access_key": _key,
}
_NAMES = (
    *("auth_token", "api_token", "signing_key", "api_key", "signature_secret", "webhook_secret", "webhook_password"),
    *("project_id", "domain", "auth_id", "application_id", "resource_id", "account_id", "client_id", "webhook_user"),
)
_MADE |= dict.fromkeys(_NAMES, _text)

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

"""An account at a simulated provider: the settings that the gateway gets, and what the provider itself knows.

They are made for tests; none of the values is a real secret. Each simulated provider opens its own with
:class:`Keys`, in its own file.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


@dataclass(frozen=True)
class Account:
    """An account: ``settings`` of the provider's section in ``gateway.yaml``, ``secrets`` that the provider knows."""

    settings: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)


class Keys:
    """Makes the values of one account at ``provider``, each from the account's ``key`` and the value's name."""

    def __init__(self, provider: str, key: str) -> None:
        self._provider = provider
        self._key = key.encode()

    def text(self, name: str) -> str:
        """Return a value of letters and digits."""
        return base64.urlsafe_b64encode(self._bytes(name)[:24]).decode()

    def texts(self, *names: str) -> dict[str, str]:
        """Return a value for each name."""
        return {name: self.text(name) for name in names}

    def base64(self, name: str) -> str:
        """Return 32 bytes in base64."""
        return base64.b64encode(self._bytes(name)).decode()

    def ed25519(self) -> tuple[str, str]:
        """Return the public and the private key of a signature, both as base64."""
        key = Ed25519PrivateKey.from_private_bytes(self._bytes("private_key"))
        public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        private = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        return base64.b64encode(public).decode(), base64.b64encode(private).decode()

    def rsa(self) -> str:
        """Return a private RSA key as PEM; it is another each time."""
        key = generate_private_key(public_exponent=65537, key_size=2048)
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    def _bytes(self, name: str) -> bytes:
        return hmac.digest(self._key, f"{self._provider}.{name}".encode(), hashlib.sha256)


def no_account(keys: Keys, api_url: str) -> Account:
    """Return an account with nothing but the ``stream_secret`` that every account has."""
    return Account({}, {})

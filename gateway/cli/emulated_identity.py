"""An identity for the bundled emulator, which lets in whoever brings any token at all."""

from typing import Any

from azure.core.credentials import AccessToken

NEVER = 2**31 - 1
"""Unix time at which the token expires, in seconds."""


class EmulatedIdentity:
    """Stands in for Microsoft Entra ID, so that lines that an agent answers can be tried without an account."""

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """The same token for everybody."""
        return AccessToken("emulator", NEVER)

    async def close(self) -> None:
        """Nothing is held."""

    async def __aenter__(self) -> "EmulatedIdentity":
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        return None

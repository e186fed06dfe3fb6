"""An identity for the bundled emulator, which accepts any token."""

from typing import Any

from azure.core.credentials import AccessToken

NEVER = 2**31 - 1
"""Unix time at which the token expires, in seconds."""


class EmulatedIdentity:
    """Replaces Microsoft Entra ID, so that lines that an agent answers can be tried without an account."""

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """Return the same token for every request."""
        return AccessToken("emulator", NEVER)

    async def close(self) -> None:
        """Do nothing: no resources are held."""

    async def __aenter__(self) -> "EmulatedIdentity":
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        return None

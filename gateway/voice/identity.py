"""The process's Microsoft Entra identity: one credential, and one token that is kept for all calls. Pure."""

from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError

SCOPE = "https://ai.azure.com/.default"
"""The scope that the SDK 1.3.1 asks for."""
_GOVERNMENT = ("https://cognitiveservices.azure.us/.default", "login.microsoftonline.us")
_CHINA = ("https://cognitiveservices.azure.cn/.default", "login.chinacloudapi.cn")
_SOVEREIGN = {".azure.us": _GOVERNMENT, ".microsoft.us": _GOVERNMENT, ".azure.cn": _CHINA}
"""The scopes and the authorities of sovereign clouds, by the end of the endpoint's host."""
FRESH_S = 300.0
"""A token that expires sooner is replaced before it is used."""
AHEAD_S = 600.0
"""A token is replaced in the background so long before it expires."""


def scope_for(endpoint: str, configured: str = "") -> str:
    """Return the scope of tokens: the configured one, else that of the cloud that the endpoint's host belongs to."""
    host = urlsplit(endpoint).hostname or ""
    by_host = (scope for end, (scope, _) in _SOVEREIGN.items() if host.endswith(end))
    return configured or next(by_host, SCOPE)


def authority_for(endpoint: str) -> str:
    """Return the host that issues tokens in the endpoint's cloud; empty for the public one, or the environment's."""
    host = urlsplit(endpoint).hostname or ""
    return next((authority for end, (_, authority) in _SOVEREIGN.items() if host.endswith(end)), "")


def first_line(error: Exception) -> str:
    """Return the first line of an error of the identity library, which explains at length."""
    return str(error).partition("\n")[0] or type(error).__name__


class Identity:
    """A credential whose token is kept, so that no call waits for one. Use as the credential of the SDK.

    Some credentials, such as that of ``az login``, fetch a token for each request; this one asks them when the last
    is about to expire. ``fetching`` is held while a token is fetched.
    """

    def __init__(
        self, credential: AsyncTokenCredential, scope: str, fetching: AbstractAsyncContextManager[Any]
    ) -> None:
        self._credential = credential
        self._scope = scope
        self._fetching = fetching
        self._token: AccessToken | None = None

    @property
    def expires_at(self) -> float:
        """The Unix time at which the token expires; 0 without one."""
        return float(self._token.expires_on) if self._token else 0.0

    @property
    def left_s(self) -> float:
        """The seconds until the token expires; negative without one."""
        return self.expires_at - datetime.now(UTC).timestamp()

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """Return a token that is valid for a while. Raises ``AzureError`` where none can be had."""
        try:
            return await self.fetch(FRESH_S)
        except AzureError:
            if self._token is None or self.left_s <= 0:
                raise
            return self._token

    async def fetch(self, ahead_s: float = AHEAD_S) -> AccessToken:
        """Return a token that is valid for ``ahead_s`` or was just fetched. Raises ``AzureError``."""
        if self._token is not None and self.left_s > ahead_s:
            return self._token
        async with self._fetching:
            if self._token is None or self.left_s <= ahead_s:
                self._token = await self._credential.get_token(self._scope)
            return self._token

    async def close(self) -> None:
        """Close the credential."""
        await self._credential.close()

    async def __aenter__(self) -> "Identity":
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

"""A Microsoft Entra identity without a network."""

from typing import Any

from azure.core.credentials import AccessToken


class FakeCredential:
    """Stands in for ``DefaultAzureCredential``."""

    made: "list[FakeCredential]"
    failure: Exception | None = None

    def __init__(self, **options: str) -> None:
        self.options = options
        self.scopes: list[tuple[str, ...]] = []
        self.closed = 0
        self.made.append(self)

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        if self.failure is not None:
            raise self.failure
        self.scopes.append(scopes)
        return AccessToken("token-of-the-gateway", 4_000_000_000)

    async def close(self) -> None:
        self.closed += 1

    async def __aenter__(self) -> "FakeCredential":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

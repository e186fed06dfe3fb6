"""The token of Microsoft Entra ID: one for all calls, fetched before it is needed."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from structlog.testing import capture_logs

from gateway.voice.bot import Agent, Model
from gateway.voice.identity import AHEAD_S, FRESH_S, Identity, authority_for, scope_for
from gateway.voice.service import TOKEN_RETRY_S, VoiceLive
from tests.virtual_time import virtual_time

ENDPOINT = "https://contoso.services.ai.azure.com"


class Credential:
    """Gives tokens that are valid for ``lives_s``, and counts them; raises ``failure`` instead where it is set."""

    def __init__(self, lives_s: float = 3600.0) -> None:
        self.lives_s = lives_s
        self.failure: Exception | None = None
        self.asked: list[tuple[str, ...]] = []
        self.closed = False

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.asked.append(scopes)
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        return AccessToken(f"token-{len(self.asked)}", round(datetime.now(UTC).timestamp() + self.lives_s))

    async def close(self) -> None:
        self.closed = True

    async def __aenter__(self) -> "Credential":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def identity(credential: Credential) -> Identity:
    """An identity of this credential."""
    return Identity(credential, "scope", asyncio.Lock())


@pytest.mark.parametrize(
    ("endpoint", "configured", "scope"),
    [
        (ENDPOINT, "", "https://ai.azure.com/.default"),
        ("http://127.0.0.1:9000", "", "https://ai.azure.com/.default"),
        ("https://contoso.cognitiveservices.azure.us", "", "https://cognitiveservices.azure.us/.default"),
        ("https://contoso.cognitiveservices.azure.cn/x", "", "https://cognitiveservices.azure.cn/.default"),
        ("https://usgovvirginia.api.cognitive.microsoft.us", "", "https://cognitiveservices.azure.us/.default"),
        ("https://contoso.azure.us.example.com", "", "https://ai.azure.com/.default"),
        ("https://contoso.azure.us", "https://a.example/.default", "https://a.example/.default"),
    ],
)
def test_the_scope_goes_with_the_cloud(endpoint: str, configured: str, scope: str) -> None:
    """By the end of the host, unless it is configured."""
    assert scope_for(endpoint, configured) == scope


@pytest.mark.parametrize(
    ("endpoint", "authority"),
    [
        (ENDPOINT, ""),
        ("https://contoso.services.ai.azure.us", "login.microsoftonline.us"),
        ("https://contoso.cognitiveservices.azure.cn", "login.chinacloudapi.cn"),
    ],
)
def test_the_authority_goes_with_the_cloud(endpoint: str, authority: str) -> None:
    """The public cloud's is the identity library's default."""
    assert authority_for(endpoint) == authority


async def test_one_token_serves_all_calls() -> None:
    """Calls at once share one request for it."""
    credential = Credential()
    one = identity(credential)
    tokens = await asyncio.gather(*(one.get_token("another") for _ in range(5)))
    assert {token.token for token in tokens} == {"token-1"}
    assert credential.asked == [("scope",)]
    assert 3000 < one.left_s < 3602


@pytest.mark.parametrize(("lives_s", "asked"), [(FRESH_S - 5, 2), (FRESH_S + 60, 1)])
async def test_a_token_that_is_about_to_expire_is_replaced(lives_s: float, asked: int) -> None:
    """Before a call uses it."""
    credential = Credential(lives_s)
    one = identity(credential)
    await one.get_token()
    await one.get_token()
    assert len(credential.asked) == asked


async def test_a_token_that_is_still_valid_serves_while_no_other_can_be_had() -> None:
    """The identity service may be away for a while; without any token the call fails."""
    credential = Credential(FRESH_S / 2)
    one = identity(credential)
    token = await one.get_token()
    credential.failure = ClientAuthenticationError("away")
    assert await one.get_token() is token
    with pytest.raises(ClientAuthenticationError):
        await one.fetch()
    with pytest.raises(ClientAuthenticationError):
        await identity(credential).get_token()


async def test_it_is_closed_with_its_credential() -> None:
    """As the SDK closes one."""
    credential = Credential()
    async with identity(credential) as one:
        assert one.expires_at == 0
    assert credential.closed


@virtual_time
async def test_the_first_token_is_there_before_the_first_call() -> None:
    """It is fetched at the start, and replaced before it expires; nothing waits for that."""
    credential = Credential(AHEAD_S + 40)
    async with VoiceLive(ENDPOINT, identity=credential, scope="https://a.example/.default") as live:
        await asyncio.sleep(1)
        assert credential.asked == [("https://a.example/.default",)]
        assert live.expires_at(Model("m")) == live.expires_at(Agent("a", "p")) > 0
    assert credential.closed


@pytest.mark.parametrize("kind", [ClientAuthenticationError, OSError, ValueError])
@virtual_time
async def test_a_failure_is_logged_once_and_tried_again(kind: type[Exception]) -> None:
    """Until it succeeds; the calls meanwhile say it themselves."""
    credential = Credential()
    credential.failure = kind("no such tenant\nAttempted credentials: …")
    structlog.reset_defaults()
    with capture_logs() as logs:
        async with VoiceLive(ENDPOINT, identity=credential):
            await asyncio.sleep(2.5 * TOKEN_RETRY_S)
            assert len(credential.asked) == 3
            credential.failure = None
            await asyncio.sleep(10 * TOKEN_RETRY_S)
            assert len(credential.asked) == 4
    assert [entry["detail"] for entry in logs if entry["event"] == "identity_unavailable"] == ["no such tenant"]


async def test_a_key_has_no_token() -> None:
    """Nothing is fetched, and nothing expires."""
    credential = Credential()
    async with VoiceLive(ENDPOINT, "key", identity=credential) as live:
        assert live.expires_at(Model("m")) == 0
    assert credential.asked == []

"""The credential for Voice Live, without showing it."""

import asyncio
from collections.abc import Awaitable, Callable

import jwt
import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from gateway.doctor.sessions import credential
from gateway.doctor.sessions.credential import key_found, token_checked
from gateway.voice.service import VoiceRefusedError

SCOPE = "https://ai.azure.com/.default"
NOW_S = 1_800_000_000.0


def fetching(left_s: float = 3600, audience: str = "https://ai.azure.com") -> Callable[[], Awaitable[AccessToken]]:
    """What returns a token that is valid for so long."""
    token = jwt.encode({"aud": audience, "tid": "tenant-1", "oid": "object-1"}, "k" * 32)

    async def fetch() -> AccessToken:
        return AccessToken(token, int(NOW_S + left_s))

    return fetch


@pytest.mark.parametrize(
    ("fetch", "outcome", "words"),
    [
        (fetching(), "fine", "for https://ai.azure.com, valid for 60 min, tenant tenant-1, identity object-1"),
        (fetching(120), "reduced", "valid for 2 min"),
        (fetching(-60), "failed", "expired"),
        (fetching(audience="https://management.azure.com"), "failed", "audience is https://management.azure.com"),
    ],
)
async def test_a_token(fetch: Callable[[], Awaitable[AccessToken]], outcome: str, words: str) -> None:
    """Audience, expiry, tenant and identity are told, and the token is not."""
    row = await token_checked(fetch, SCOPE, lambda: NOW_S)
    assert row.outcome == outcome
    assert words in row.detail
    assert "eyJ" not in row.detail


async def test_a_token_that_is_no_json_web_token() -> None:
    """Its expiry is known all the same."""

    async def fetch() -> AccessToken:
        return AccessToken("opaque-planted", int(NOW_S + 600))

    row = await token_checked(fetch, SCOPE, lambda: NOW_S)
    assert (row.outcome, row.detail) == ("fine", "a Microsoft Entra token for https://ai.azure.com, valid for 10 min")


@pytest.mark.parametrize("error", [ClientAuthenticationError("no login\nmore"), VoiceRefusedError("no login")])
async def test_no_token(error: Exception) -> None:
    """The first line of the reason is told, and where tokens come from."""

    async def fetch() -> AccessToken:
        raise error

    row = await token_checked(fetch, SCOPE, lambda: NOW_S)
    assert (row.outcome, row.detail) == ("failed", "no Microsoft Entra token: no login")
    assert "az login" in row.remedy


async def test_a_token_that_never_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a limit."""
    monkeypatch.setattr(credential, "TOKEN_LIMIT_S", 0.05)

    async def fetch() -> AccessToken:
        await asyncio.Event().wait()
        raise AssertionError

    row = await token_checked(fetch, SCOPE, lambda: NOW_S)
    assert (row.outcome, row.detail) == ("failed", "no Microsoft Entra token within 0.05 s")


def test_a_key() -> None:
    """Its origin is told."""
    assert key_found("environment, X").detail == "an API key (environment, X)"

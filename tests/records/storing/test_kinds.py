"""The kinds of object stores, where no real one on this machine can show it."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from azure.storage.blob import UserDelegationKey

from gateway.errors import StoreError
from gateway.records.storing.kinds import S3, Azure, Other

URL = "az://calls/2026/11/29/support/k.wav"


class Client:
    """Stands in for a client that Microsoft Entra ID lets in, and that gives keys to sign with."""

    account_name = "account"

    def __init__(self) -> None:
        self.asked: list[tuple[datetime, datetime]] = []
        self.is_closed = False

    async def get_user_delegation_key(self, start: datetime, expiry: datetime) -> UserDelegationKey:
        """Return a key."""
        self.asked.append((start, expiry))
        key = UserDelegationKey()  # type: ignore[no-untyped-call]  # azure.storage.blob leaves it untyped
        key.signed_oid, key.signed_tid = "oid", "tid"
        key.signed_start, key.signed_expiry = "2026-11-29T00:00:00Z", "2026-11-30T00:00:00Z"
        key.signed_service, key.signed_version, key.value = "b", "2021-08-06", "c2VjcmV0IGtleQ=="
        return key

    def get_blob_client(self, container: str, blob: str) -> Any:
        """Return what has the address."""
        return SimpleNamespace(url=f"https://account.blob.core.windows.net/{container}/{blob}")

    async def close(self) -> None:
        """Note it."""
        self.is_closed = True


async def test_without_an_account_key_a_link_is_signed_with_a_key_that_azure_gives() -> None:
    """For reading this blob alone, until it expires; clocks that differ a little do not matter."""
    client = Client()
    made = SimpleNamespace(
        credential=object(), service_client=client, split_path=lambda url: (*url[5:].split("/", 1), None)
    )
    link = await Azure().link(made, URL, 600)
    ((start, expiry),) = client.asked
    now = datetime.now(UTC)
    assert start < now - timedelta(minutes=4)
    assert timedelta(minutes=9) < expiry - now <= timedelta(minutes=10)
    asked = parse_qs(urlsplit(link).query)
    assert urlsplit(link).path == "/calls/2026/11/29/support/k.wav"
    assert (asked["sp"], asked["sr"], asked["skoid"]) == (["r"], ["b"], ["oid"])
    assert "sig" in asked


async def test_a_connection_string_without_a_key_signs_no_link() -> None:
    """It may hold a signature, which is not for others."""

    async def _url(url: str, expires: int) -> str:
        raise ValueError("no key")

    with pytest.raises(StoreError, match="no link can be signed"):
        await Azure().link(SimpleNamespace(credential=None, _url=_url), URL, 60)


async def test_all_that_was_opened_is_closed() -> None:
    """The client, the credential if there is one, and nothing where nothing was asked."""
    client, credential = Client(), Client()
    await Azure().close(SimpleNamespace(service_client=client, credential=credential))
    assert (client.is_closed, credential.is_closed) == (True, True)
    await Azure().close(SimpleNamespace(service_client=client, credential=None))
    await S3().close(SimpleNamespace(_s3=None))
    await Other().close(None)


async def test_an_object_without_a_checksum_matches_none() -> None:
    """Others may have put it there."""
    assert await Azure().checksum(None, URL, {"content_settings": {"content_md5": None}}) == b""
    assert await Azure().checksum(None, URL, {}) == b""
    assert await Other().checksum(None, URL, {}) is None

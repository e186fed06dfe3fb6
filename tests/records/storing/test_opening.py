"""The store that gateway.yaml names."""

import importlib
from pathlib import Path
from typing import Any

import pytest

from gateway.config.reading.environment import FromEnvironment
from gateway.config.records.recordings import Recordings
from gateway.errors import StoreError
from gateway.records.storing.directory import DirectoryStore
from gateway.records.storing.objects import ObjectStore
from gateway.records.storing.opening import open_store


def options_of(monkeypatch: pytest.MonkeyPatch, **section: Any) -> dict[str, Any]:
    """Return the options that a store's library gets."""
    got: dict[str, Any] = {}

    class Library:
        """Stands in for a library."""

        sas_token = "sas"

        @staticmethod
        def AzureBlobFileSystem(**options: Any) -> Any:  # noqa: N802 -- adlfs' name
            """Note the options."""
            got.update(options)
            return Library

        S3FileSystem = AzureBlobFileSystem

    monkeypatch.setattr(importlib, "import_module", lambda name: Library)
    store = open_store(Recordings.model_validate(section), Path())
    assert isinstance(store, ObjectStore)
    store._make()
    return got


def test_a_directory_starts_beside_the_file(tmp_path: Path) -> None:
    """A URL and an absolute path start at the root."""
    for store, folder in (("calls", tmp_path / "calls"), ("/x/calls", Path("/x/calls")), ("file:///y", Path("/y"))):
        opened = open_store(Recordings(store=store), tmp_path)
        assert isinstance(opened, DirectoryStore)
        assert opened.url_of("a.wav") == (folder / "a.wav").as_uri()


def test_a_recording_of_an_earlier_store_is_found_there(tmp_path: Path) -> None:
    """Settings may name another one since."""
    settings = Recordings(store="s3://bucket/calls")
    assert isinstance(open_store(settings, tmp_path, "file:///x/calls/a.wav"), DirectoryStore)
    assert isinstance(open_store(Recordings(), tmp_path, "s3://bucket/calls/a.wav"), ObjectStore)


def test_azure_gets_an_account_with_or_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one, the credential of the machine; in another cloud, its host."""
    options = options_of(monkeypatch, store="az://calls", account="a")
    assert (options["account_name"], options["anon"], "account_key" in options) == ("a", False, False)
    key = FromEnvironment("a2V5a2V5", "KEY")
    url = "https://a.blob.core.usgovcloudapi.net"
    options = options_of(monkeypatch, store="az://calls", account="a", key=key, endpoint_url=url)
    assert (options["account_key"], options["account_host"]) == ("a2V5a2V5", "a.blob.core.usgovcloudapi.net")
    options = options_of(monkeypatch, store="abfss://calls@b.dfs.core.windows.net/x")
    assert (options["account_name"], options["account_host"]) == ("b", "b.blob.core.windows.net")
    string = FromEnvironment("AccountName=a;AccountKey=a2V5", "STRING")
    options = options_of(monkeypatch, store="az://calls", connection_string=string)
    assert options["connection_string"] == "AccountName=a;AccountKey=a2V5"
    assert "account_name" not in options


def test_s3_gets_its_address_and_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its credentials are found by its own library, as everywhere."""
    options = options_of(monkeypatch, store="s3://calls", region="eu-west-1", endpoint_url="https://s3.example.com")
    assert options["endpoint_url"] == "https://s3.example.com"
    assert options["client_kwargs"] == {"region_name": "eu-west-1"}
    assert not {"key", "secret", "token"} & set(options)
    assert "endpoint_url" not in options_of(monkeypatch, store="s3://calls")


@pytest.mark.parametrize(
    ("section", "extra"),
    [
        ({"store": "az://calls", "account": "a"}, "azure-storage"),
        ({"store": "s3://calls"}, "s3"),
        ({"store": "memory://calls"}, "s3"),
    ],
)
async def test_a_library_that_is_missing_is_told_with_its_extra(
    section: dict[str, str], extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the store is used; until then nothing of it is imported."""

    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    store = open_store(Recordings.model_validate(section), Path())
    with pytest.raises(StoreError, match=rf"expected the extra {extra}: pip install"):
        await store.try_out()


async def test_a_store_that_nobody_knows_is_told() -> None:
    """With its URL."""
    with pytest.raises(StoreError, match=r"^nowhere://calls: "):
        await open_store(Recordings(store="nowhere://calls"), Path()).try_out()


async def test_azure_tries_a_request_twice() -> None:
    """With an account's key and with a connection string, soon; more and later tries are the uploads' own."""
    key = FromEnvironment("a2V5a2V5", "KEY")
    string = FromEnvironment("AccountName=a;AccountKey=a2V5;BlobEndpoint=https://a.example.com", "STRING")
    for section in ({"account": "a", "key": key}, {"connection_string": string}):
        store = open_store(Recordings.model_validate({"store": "az://calls", **section}), Path())
        assert isinstance(store, ObjectStore)
        made = store._make()
        policy = made.service_client._config.retry_policy
        assert policy.total_retries == 1
        assert max(policy.get_backoff_time({"count": 1}) for _ in range(100)) <= 2
        assert made.service_client.account_name == "a"

"""Opens the store that ``gateway.yaml`` names."""

import importlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from gateway.config.records.recordings import AZURE, FILE, Recordings, kind_of
from gateway.config.records.recordings import S3 as S3_KIND
from gateway.config.secrets import value_of
from gateway.errors import StoreError
from gateway.records.storing.directory import DirectoryStore, path_of
from gateway.records.storing.kinds import S3, Azure, Kind, Other
from gateway.records.storing.objects import ObjectStore

CONNECT_S, READ_S = 10, 60


class Store(Protocol):
    """Keeps recordings under names, and finds them by URL. Its methods raise StoreError where it cannot."""

    def url_of(self, name: str) -> str:
        """Return the URL of the recording with this name."""
        ...

    async def keep(self, path: Path, name: str) -> str:
        """Keep a copy of a file and return its URL, once the store is known to have all of it; the file stays.

        A recording that the store has already, whole, is not sent again. Raises ``FileNotFoundError`` if the file is
        gone.
        """
        ...

    async def has(self, url: str) -> bool:
        """Return whether there is a recording at this URL."""
        ...

    async def size(self, url: str) -> int:
        """Return the bytes of a recording."""
        ...

    async def delete(self, url: str) -> None:
        """Delete a recording; one that is not there is deleted already."""
        ...

    async def link(self, url: str, expires_s: int) -> str:
        """Return an address at which the recording can be fetched: signed and expiring, or the path of a file."""
        ...

    def read(self, url: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Yield the bytes of a recording from ``start`` up to ``end``."""
        ...

    async def try_out(self) -> None:
        """Write, find and delete a small object."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


def open_store(settings: Recordings, beside: Path, url: str = "") -> Store:
    """Return the store of ``settings``, or with its credentials that of the recording at ``url``.

    A relative directory is one in the folder ``beside``. No request is made, and no library is imported, before the
    store is used; then StoreError is raised where the library is missing.
    """
    root = url or settings.store
    kind = kind_of(root)
    if kind == FILE:
        return DirectoryStore(path_of(root) if "://" in root else beside / root)
    kinds: dict[str, Kind] = {AZURE: Azure(), S3_KIND: S3()}
    return ObjectStore(root.rstrip("/"), kinds.get(kind, Other()), _making(settings, kind, root), settings.secrets)


def _making(settings: Recordings, kind: str, root: str) -> Callable[[], Any]:
    def make() -> Any:
        if kind == AZURE:
            made = _module("adlfs", "azure-storage").AzureBlobFileSystem(**_azure_options(settings, root))
            return _with_few_tries(made)
        if kind == S3_KIND:
            return _module("s3fs", "s3").S3FileSystem(**_s3_options(settings))
        fsspec = _module("fsspec", "s3")
        try:
            return fsspec.filesystem(kind, skip_instance_cache=True, use_listings_cache=False)
        except (ImportError, ValueError) as error:
            raise StoreError(f"{root}: {error}") from None

    return make


def _module(name: str, extra: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise StoreError(
            f"{name} is not installed, expected the extra {extra}: pip install 'voice-line-gateway[{extra}]'"
        ) from None


def _azure_options(settings: Recordings, root: str) -> dict[str, Any]:
    always = {"skip_instance_cache": True, "use_listings_cache": False}
    timeouts = {"connection_timeout": CONNECT_S, "read_timeout": READ_S}
    if settings.connection_string:
        return {**always, **timeouts, "connection_string": value_of(settings.connection_string)}
    _, at, host = urlsplit(root).netloc.rpartition("@")
    account = settings.account or (host.partition(".")[0] if at else None)
    options: dict[str, Any] = {**always, **timeouts, "account_name": account, "anon": False}
    if settings.key:
        options["account_key"] = value_of(settings.key)
    if settings.endpoint_url:
        options["account_host"] = urlsplit(settings.endpoint_url).netloc
    elif at and ".dfs." in host:
        options["account_host"] = host.replace(".dfs.", ".blob.", 1)
    return options


def _with_few_tries(made: Any) -> Any:
    """Give a file system of Azure a client that tries a request twice, the second time within two seconds.

    That helps who waits for an answer, such as a page. Longer failures are the uploads' own to wait for, and to report:
    Azure's own client tries for a minute, and hides them so long.
    """
    if made.sas_token:
        return made
    client = importlib.import_module("azure.storage.blob.aio")
    policy = client.LinearRetry(backoff=1, retry_total=1, random_jitter_range=1)
    kind = client.BlobServiceClient
    if made.connection_string:
        made.service_client = kind.from_connection_string(made.connection_string, retry_policy=policy)
    else:
        made.service_client = kind(made.account_url, made.credential or made.account_key, retry_policy=policy)
    return made


def _s3_options(settings: Recordings) -> dict[str, Any]:
    options: dict[str, Any] = {
        "skip_instance_cache": True,
        "use_listings_cache": False,
        "config_kwargs": {
            "connect_timeout": CONNECT_S,
            "read_timeout": READ_S,
            "retries": {"max_attempts": 1},
            "signature_version": "s3v4",  # links of the older one are refused in newer regions
        },
    }
    if settings.endpoint_url:
        options["endpoint_url"] = settings.endpoint_url
    if settings.region:
        options["client_kwargs"] = {"region_name": settings.region}
    return options

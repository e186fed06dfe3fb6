"""Kinds of object stores: the checksums, links and connections that fsspec does not make alike for all of them.

The coroutines run on the loop of the file system that they are given.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from gateway.errors import StoreError
from gateway.records.storing.threads import in_thread

CONTENT_TYPE = "audio/wav"
_PART = 8 * 1024 * 1024
"""Bytes of a part of a large recording on its way to S3: what is in memory of one."""
_CLOCKS_DIFFER = timedelta(minutes=5)


class Kind(Protocol):
    """The ways of one kind of store. ``fresh`` are the options that make ``info`` ask the store itself."""

    fresh: Mapping[str, Any]

    async def send(self, made: Any, path: Path, url: str, sha256: str, md5: bytes) -> None:
        """Send a recording, so that its checksum is kept with it."""
        ...

    async def checksum(self, made: Any, url: str, found: Mapping[str, Any]) -> str | bytes | None:
        """Return the SHA-256 (text) or MD5 (bytes) kept with a recording; ``None`` where the store keeps none."""
        ...

    async def link(self, made: Any, url: str, expires_s: int) -> str:
        """Return a signed link. Raises StoreError where none can be made."""
        ...

    async def close(self, made: Any) -> None:
        """Close the connections of a file system."""
        ...


class Azure:
    """Azure Blob Storage: each request's content is checked by MD5, and the whole's is kept with it."""

    fresh: Mapping[str, Any] = {"refresh": True}

    async def send(self, made: Any, path: Path, url: str, sha256: str, md5: bytes) -> None:
        """Send a recording by Azure's own client: adlfs' repeats without end what is not found."""
        container, blob, _ = made.split_path(url)
        settings = import_module("azure.storage.blob").ContentSettings(
            content_type=CONTENT_TYPE, content_md5=bytearray(md5)
        )
        async with made.service_client.get_blob_client(container, blob) as client:
            with path.open("rb") as file:  # on the stores' loop, where no call waits
                await client.upload_blob(
                    file, overwrite=True, content_settings=settings, validate_content=True, max_concurrency=1
                )

    async def checksum(self, made: Any, url: str, found: Mapping[str, Any]) -> str | bytes | None:
        """Return the MD5 of a blob; no MD5 at all is no match."""
        settings = found.get("content_settings") or {}
        return bytes(settings.get("content_md5") or b"")

    async def link(self, made: Any, url: str, expires_s: int) -> str:
        """Sign a link with the account's key or, where Microsoft Entra ID lets us in, with a key of its own."""
        if made.credential is None:
            try:
                return str(await made._url(url, expires=expires_s))  # noqa: SLF001 -- fsspec names what is awaited so
            except (TypeError, ValueError) as error:
                raise StoreError(f"{url}: no link can be signed: {error}") from None
        blobs: Any = import_module("azure.storage.blob")  # part of the extra
        container, blob, _ = made.split_path(url)
        now = datetime.now(UTC)
        start, expiry = now - _CLOCKS_DIFFER, now + timedelta(seconds=expires_s)
        signing_key = await made.service_client.get_user_delegation_key(start, expiry)
        signature = blobs.generate_blob_sas(
            account_name=made.service_client.account_name,
            container_name=container,
            blob_name=blob,
            user_delegation_key=signing_key,
            permission=blobs.BlobSasPermissions(read=True),
            expiry=expiry,
        )
        return f"{made.service_client.get_blob_client(container, blob).url}?{signature}"

    async def close(self, made: Any) -> None:
        """Close the client, and the credential if there is one."""
        await made.service_client.close()
        if made.credential is not None:
            await made.credential.close()


class S3:
    """S3 and what speaks it: each request's content is checked by the server, the SHA-256 is kept with the whole."""

    fresh: Mapping[str, Any] = {"refresh": True}

    async def send(self, made: Any, path: Path, url: str, sha256: str, md5: bytes) -> None:
        """Send a recording, a long one in parts."""
        await made._put_file(  # noqa: SLF001 -- fsspec names what is awaited so
            str(path),
            url,
            chunksize=_PART,
            max_concurrency=1,
            ContentType=CONTENT_TYPE,
            Metadata={"sha256": sha256},
        )

    async def checksum(self, made: Any, url: str, found: Mapping[str, Any]) -> str | bytes | None:
        """Return the SHA-256 in an object's metadata; none at all is no match."""
        bucket, key, _ = made.split_path(url)
        head = await made._call_s3("head_object", Bucket=bucket, Key=key)  # noqa: SLF001 -- fsspec names what is awaited so
        return str(head.get("Metadata", {}).get("sha256", ""))

    async def link(self, made: Any, url: str, expires_s: int) -> str:
        """Sign a link with the credentials of the store."""
        return str(await made._url(url, expires=expires_s))  # noqa: SLF001 -- fsspec names what is awaited so

    async def close(self, made: Any) -> None:
        """Close the client."""
        if made._s3 is not None:  # noqa: SLF001 -- s3fs has no other way to close on time
            await made._s3.__aexit__(None, None, None)  # noqa: SLF001


class Other:
    """Any other store of fsspec: recordings are read back to be compared, and have no links."""

    fresh: Mapping[str, Any] = {}

    async def send(self, made: Any, path: Path, url: str, sha256: str, md5: bytes) -> None:
        """Send a recording."""
        if made.async_impl:
            await made._put_file(str(path), url)  # noqa: SLF001 -- fsspec names what is awaited so
        else:
            await in_thread(made.put_file, str(path), url)

    async def checksum(self, made: Any, url: str, found: Mapping[str, Any]) -> str | bytes | None:
        """Return ``None``."""
        return None

    async def link(self, made: Any, url: str, expires_s: int) -> str:
        """Raise StoreError."""
        raise StoreError(f"{url}: this kind of store has no links, expected az:// or s3://")

    async def close(self, made: Any) -> None:
        """Do nothing."""

"""Tries the store of recordings: writes, finds and deletes a small object."""

from contextlib import suppress

from gateway.config import Deployment
from gateway.config.records.recordings import FILE
from gateway.doctor.row import Row, fine, reduced
from gateway.errors import StoreError
from gateway.records.storing.opening import open_store

NAME = "recordings"
_REMEDY = {
    "az": "make the container, and give the identity the role Storage Blob Data Contributor there",
    "s3": "make the bucket, and let the credentials put, get and delete objects below the prefix",
    FILE: "let the gateway's user write into the directory",
}


async def store_tried(deployment: Deployment) -> Row:
    """Return the row of the store; calls work without it, and their recordings wait."""
    settings = deployment.recordings
    store = open_store(settings, deployment.data)
    try:
        await store.try_out()
    except StoreError as error:
        remedy = _REMEDY.get(settings.kind, "let the gateway write there")
        return reduced(NAME, f"{error}", remedy, settings.store)
    finally:
        with suppress(StoreError):
            await store.close()
    return fine(NAME, "written, found and deleted", settings.store)

"""Takes one recording to the store: sent, found whole, noted in its row, and only then deleted here."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol

import structlog
from msgspec import Struct

from gateway.records.storing.opening import Store
from gateway.records.storing.pending import Place
from gateway.records.storing.threads import in_thread

log = structlog.get_logger()

Outcome = Literal["stored", "lost", "expired", "forgotten"]
OUTCOMES: tuple[Outcome, ...] = ("stored", "lost", "expired", "forgotten")
ROW_IS_LATE = timedelta(days=1)
"""The time in which the row of a recording must come, which may wait in a spool; without one nobody could find it."""


class KeptRecording(Struct, frozen=True):
    """A recording that a store has."""

    call_key: str
    url: str


class RecordingRows(Protocol):
    """The rows of recordings. Any exception means that the database is away; the caller tries again later."""

    async def state(self, call_key: str, state: str, url: str = "", detail: str = "") -> bool:
        """Set the state of a recording; ``False`` if there is no such row, as where the call was forgotten."""
        ...

    async def expired(self, now: datetime, limit: int) -> Sequence[KeptRecording]:
        """Return recordings that are stored and whose time is over."""
        ...


class RowsAwayError(Exception):
    """The row of a recording cannot be written, or is not there yet: the next try is due later."""


async def take(place: Place, store: Store, rows: RecordingRows, now: Callable[[], datetime]) -> Outcome:
    """Take a recording that this process holds to the store; return what became of it.

    It can be broken off anywhere and done again. Raises StoreError where the store does not take it, RowsAwayError
    where the database does not, and ``OSError`` where the disk is full or broken.
    """
    about = place.about
    if await in_thread(place.is_forgotten):
        return await _forgotten(place, store)
    if about.keep_until is not None and about.keep_until <= now():
        await _noted(rows, about.call_key, "deleted")
        await store.delete(store.url_of(about.name))
        await in_thread(place.remove)
        return "expired"
    url = await in_thread(lambda: place.stored)
    if not url:
        url = await _sent(place, store, rows)
    if not url:
        await _noted(rows, about.call_key, "failed", detail="its file is gone")
        log.error("recording_lost", call_key=about.call_key, line=about.line)
        await in_thread(place.remove)
        return "lost"
    if await in_thread(place.is_forgotten):
        return await _forgotten(place, store)
    try:
        has_row = await _noted(rows, about.call_key, "stored", url)
    except RowsAwayError:
        await in_thread(place.mark_stored, url)
        raise
    if not has_row:
        if now() - about.started < ROW_IS_LATE:
            await in_thread(place.mark_stored, url)
            raise RowsAwayError("there is no row of the recording yet")
        log.warning("recording_without_row", call_key=about.call_key, line=about.line)
        return await _forgotten(place, store)
    await in_thread(place.remove)
    return "stored"


async def _sent(place: Place, store: Store, rows: RecordingRows) -> str:
    """Return the URL of a recording that the store has now; empty if its file is gone and the store never had it."""
    name = place.about.name
    with suppress(RowsAwayError):  # the store may be there all the same
        await _noted(rows, place.about.call_key, "uploading")
    try:
        return await store.keep(place.path, name)
    except FileNotFoundError:
        url = store.url_of(name)
        return url if await store.has(url) else ""


async def _forgotten(place: Place, store: Store) -> Outcome:
    await store.delete(store.url_of(place.about.name))
    await in_thread(place.remove)
    return "forgotten"


async def _noted(rows: RecordingRows, call_key: str, state: str, url: str = "", detail: str = "") -> bool:
    try:
        return await rows.state(call_key, state, url, detail)
    except Exception as error:  # noqa: BLE001 -- each database's driver has errors of its own
        raise RowsAwayError(f"{type(error).__name__}: {error}") from None


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)

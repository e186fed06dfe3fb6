"""The end of a call, as its record has it: in a few lines, for the page that made the call."""

from msgspec import Struct

from gateway.errors import InputError
from gateway.records.explain.explaining import explain
from gateway.records.explain.stored import of_stored
from gateway.records.search import read_call
from gateway.records.store.database import Database

MOST = 3
"""Findings that are shown; the page of the call has all."""


class Ended(Struct, frozen=True):
    """A call that has ended; ``findings`` say what was wrong with it, the likeliest first."""

    key: str
    findings: tuple[str, ...]


async def ended(database: Database, call_id: str) -> Ended | None:
    """Return what the record of a call says; ``None`` as long as there is none, or it has no end."""
    try:
        stored = await read_call(database, call_id)
    except InputError:
        return None
    if stored.call.state != "ended":
        return None
    found = explain(*of_stored(stored))
    return Ended(stored.call.call_key, tuple(f"{one.title}. {one.advice}" for one in found.findings[:MOST]))

"""The calls that are looked for, and the conditions of the database that find them. Pure."""

from datetime import datetime

from msgspec import Struct
from sqlalchemy import ColumnElement, and_, or_, select

from gateway.call.refusal import TURNED_AWAY
from gateway.records.store.tables import calls, recordings, tool_calls, transfers, turns
from gateway.report.ends import FINE

PLAYABLE = ("local", "uploading", "stored")
"""The states of a recording that is still there."""


class Wanted(Struct, frozen=True, kw_only=True):
    """The calls to find; what is not set takes any. The newest come first."""

    line: str = ""
    numbers: tuple[str, ...] = ()
    """Numbers of callers or called lines as the record may have them, masked or not."""
    hashes: tuple[str, ...] = ()
    """The keyed hashes of the number that is looked for."""
    reason: str = ""
    state: str = ""
    since: datetime | None = None
    until: datetime | None = None
    """The calls that began from ``since`` on and before ``until``."""
    longer_than_s: float | None = None
    tool_error: bool = False
    said: str = ""
    """Words of the caller or the bot, heard or not, in any case."""
    recorded: bool = False
    """``True`` for calls whose recording is still there."""
    problem: bool = False
    """``True`` for calls that broke off or ended by a failure, and those in which a tool or a transfer failed."""
    before: str = ""
    """The ``call_key`` behind which the list goes on."""


def conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    """Return the conditions that the wanted calls meet, but for their place in the list."""
    c = calls.c
    found: list[ColumnElement[bool]] = []
    for column, value in ((c.line, wanted.line), (c.reason, wanted.reason), (c.state, wanted.state)):
        if value:
            found.append(column == value)
    if wanted.numbers or wanted.hashes:
        found.append(
            or_(
                c.caller.in_(wanted.numbers),
                c.called.in_(wanted.numbers),
                c.caller_hash.in_(wanted.hashes),
                c.called_hash.in_(wanted.hashes),
            )
        )
    if wanted.since is not None:
        found.append(c.started >= wanted.since)
    if wanted.until is not None:
        found.append(c.started < wanted.until)
    if wanted.longer_than_s is not None:
        found.append(c.duration_s > wanted.longer_than_s)
    if wanted.tool_error:
        found.append(tool_failed())
    if wanted.recorded:
        found.append(has_recording())
    if wanted.problem:
        found.append(or_(ended_badly(), tool_failed(), transfer_failed()))
    if wanted.said:
        words = (column.icontains(wanted.said, autoescape=True) for column in (turns.c.words, turns.c.unheard))
        spoken = select(turns.c.n).where(turns.c.call_key == c.call_key, or_(*words)).limit(1)
        found.append(spoken.scalar_subquery().is_not(None))  # PostgreSQL would search all turns first for EXISTS
    return found


def ended_badly() -> ColumnElement[bool]:
    """Return the condition of calls that broke off, or ended by a failure."""
    failed = and_(calls.c.state == "ended", calls.c.reason.not_in(sorted(FINE)))
    return or_(calls.c.state == "interrupted", failed)


def cost_unknown() -> ColumnElement[bool]:
    """Return the condition of calls whose cost is not known; one that was turned away has none."""
    return and_(calls.c.cost_nanos.is_(None), calls.c.reason != TURNED_AWAY)


def tool_failed() -> ColumnElement[bool]:
    """Return the condition of calls in which a tool failed."""
    failed = and_(tool_calls.c.call_key == calls.c.call_key, tool_calls.c.outcome.not_in(("ok", "")))
    return select(tool_calls.c.n).where(failed).exists()


def transfer_failed() -> ColumnElement[bool]:
    """Return the condition of calls that could not be transferred."""
    failed = and_(transfers.c.call_key == calls.c.call_key, transfers.c.outcome == "failed")
    return select(transfers.c.n).where(failed).exists()


def has_recording() -> ColumnElement[bool]:
    """Return the condition of calls whose recording is still there."""
    there = and_(recordings.c.call_key == calls.c.call_key, recordings.c.state.in_(PLAYABLE))
    return select(recordings.c.call_key).where(there).exists()

"""Writes stored calls for other programs: JSON lines, and CSV for spreadsheets."""

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

from gateway.records.rows import CallRow
from gateway.records.stored_call import StoredCall, document, event_document, summary
from gateway.text import UNPRINTABLE, json_text, one_line

COLUMNS = (
    "call_key",
    "call_id",
    "line",
    "generation",
    "provider",
    "caller",
    "called",
    "started",
    "answered",
    "finished",
    "duration_ms",
    "state",
    "reason",
    "by",
    "detail",
    "replies",
    "model",
    "cost",
    "currency",
    "cost_note",
)
_FORMULA = re.compile(r"[=@\t\r]|[+-](?![0-9]+$)")
"""The beginning of a text that a spreadsheet would calculate; a phone number is one of its own."""


def as_json(value: Any) -> str:
    """Return JSON on one line that may be printed as it stands: what would act on a terminal is escaped."""
    return UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json_text(value))


def whole(stored: StoredCall) -> dict[str, Any]:
    """Return a call with its events, as ``call.json`` and ``events.jsonl`` have them."""
    return {**document(stored), "events": [event_document(event) for event in stored.events]}


def listed(call: CallRow) -> dict[str, Any]:
    """Return what a list has of a call."""
    return {"call_key": call.call_key, **summary(call)}


def csv_lines(calls: Iterator[CallRow] | list[CallRow], *, head: bool = True) -> Iterator[str]:
    """Yield the lines of a table, without their line ends."""
    if head:
        yield ",".join(COLUMNS)
    for call in calls:
        told = {**listed(call), "reason": call.reason, "by": call.by, "detail": call.detail}
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow([_cell(told[name]) for name in COLUMNS])
        yield line.getvalue()


def _cell(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula."""
    if not isinstance(value, str):
        return value
    text = one_line(value)
    return f"'{text}" if _FORMULA.match(text) else text

"""Names of recordings in a store: day, line and call, without the number of anybody. Pure."""

import hashlib
import re
from datetime import UTC, datetime

_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
_NUMBER = re.compile(r"(?:[0-9][._-]*){5,}")
"""Digits that may be a phone number, however they are grouped."""
_LONGEST = 60


def object_name(call_key: str, line: str, started: datetime, suffix: str = ".wav") -> str:
    """Return the name of a call's recording in a store, such as ``2026/11/29/support/<call_key>.wav``."""
    day = started.astimezone(UTC).strftime("%Y/%m/%d")
    return f"{day}/{_segment(line)}/{_safe(call_key)}{suffix}"


def file_stem(call_key: str) -> str:
    """Return the name of a call's files in the folder of what waits. Raises ``ValueError`` for a key without one."""
    stem = _safe(call_key)
    if not stem.strip("._-"):
        raise ValueError("expected the key of a call")
    return stem


def _safe(text: str) -> str:
    return _UNFIT.sub("-", text)[:_LONGEST].lstrip(".")


def _segment(line: str) -> str:
    """Return a line's name as a part of a path; a name that may be or hold a number is replaced by its digest."""
    name = _safe(line)
    if not name.strip("._-") or _NUMBER.search(name):
        return "line-" + hashlib.sha256(line.encode()).hexdigest()[:8]
    return name

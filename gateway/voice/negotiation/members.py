"""Finds the members of a session that a refusal names: by ``error.param``, or by their names in its text. Pure."""

import re
from collections.abc import Mapping, Sequence

from gateway.voice.negotiation.reductions import (
    ANSWERS,
    KEPT,
    NO_TRANSCRIPTION,
    NO_VOICE,
    SIMPLER_TURNS,
    TRANSCRIPTION,
    TURNS,
    VOICE,
    Session,
)
from gateway.voice.negotiation.refusal import Refusal

_HARDER: Mapping[str, str] = {VOICE: NO_VOICE, TRANSCRIPTION: NO_TRANSCRIPTION, TURNS: SIMPLER_TURNS}
"""For a member whose simplest form is refused as well, what is left to try."""
_PLAIN_WORDS = frozenset({"metadata", "temperature", "languages", "threshold", "eagerness"})
"""Names that mean nothing else in the text of a refusal, though they are words; others must be quoted or dotted."""
_UNNAMED = frozenset({"", "type", "session"})
"""Values of ``param`` that name no member of the session."""


def kept_by_name(refusal: Refusal) -> bool:
    """Return ``True`` if ``error.param`` names what must be sent, so that nothing else helps."""
    path = _path(refusal.param)
    return bool(path) and (path[0] in KEPT or (path[0] == TURNS and len(path) > 1 and path[1] in ANSWERS))


def named(refusal: Refusal, session: Session) -> Sequence[Sequence[str]]:
    """Return for each member that the refusal names the reductions to try, the smallest first."""
    path = _path(refusal.param)
    if path:
        return (_for_path(path, session),)
    return tuple(_for_path(found, session) for found in _in_text(refusal.message, session))


def _path(param: str) -> Sequence[str]:
    if param in _UNNAMED:
        return ()
    parts = [part for part in re.split(r"[.\[\]]+", param) if part]
    return parts[1:] if parts[0] == "session" else parts


def _for_path(path: Sequence[str], session: Session) -> Sequence[str]:
    top, harder = path[0], _HARDER.get(path[0])
    if harder is None:
        return (top,)
    value = session.get(top)
    inner = path[1] if len(path) > 1 else ""
    exact = f"{top}.{inner}"
    if exact == harder:
        return (harder,)
    if isinstance(value, Mapping) and inner in value:
        return (exact, top, harder)
    return (top, harder)


def _in_text(text: str, session: Session) -> Sequence[Sequence[str]]:
    """Return the paths of our members in ``text``; of a member and one inside it, the inner one."""
    found: list[Sequence[str]] = []
    for top, value in session.items():
        if top in KEPT:
            continue
        inner = value if top in _HARDER and isinstance(value, Mapping) else ()
        inside = [(top, key) for key in inner if key not in ANSWERS and _names(text, key, top)]
        found += inside or ([(top,)] if _names(text, top) else [])
    return found


def _names(text: str, member: str, within: str = "") -> bool:
    spelt = "[_ -]?".join(map(re.escape, member.split("_")))
    if "_" in member or member in _PLAIN_WORDS:
        pattern = rf"(?<![a-z0-9_]){spelt}(?![a-z0-9_])"
    else:
        pattern = rf"['\"`]{spelt}['\"`]|(?<![a-z0-9_]){within or 'session'}\.{spelt}(?![a-z0-9_])"
    return re.search(pattern, text, re.IGNORECASE) is not None

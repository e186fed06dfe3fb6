"""The items that a new session begins with: what was said and done in the call so far, the newest of it. Pure."""

from collections.abc import Iterable, Sequence

from gateway.call.history.entries import Entry, Reply, chars, is_open
from gateway.voice.commands import SeedItem, SeedMessage

MOST_ENTRIES = 200
"""A session is seeded with no more of them: each is a message of its own."""
_MOST_UNHEARD = 500
"""So many characters of what was not heard are quoted."""
GOES_ON = (
    "This call has been going on, and the conversation so far follows. Do not greet the caller again, and do not"
    " repeat what you have said."
)


def seed(entries: Sequence[Entry], limit_chars: int, dropped: int) -> list[SeedItem]:
    """Return the newest entries as items, oldest first, of at most ``limit_chars``, behind a note to the model.

    The note and the calls whose output is still to come are returned whatever the limit is. ``dropped`` entries are
    left out already. Nothing is returned for a call in which nothing was said.
    """
    kept: list[Sequence[SeedItem]] = []
    left_out, room, full = dropped, limit_chars, False
    for entry in reversed(entries):
        items = entry.items()
        if not items:
            continue
        full = full or chars(items) > room or len(kept) >= MOST_ENTRIES
        if full and not is_open(entry):
            left_out += 1
            continue
        room -= chars(items)
        kept.append(items)
    if not (kept or left_out):
        return []
    note = SeedMessage("system", " ".join(_note(entries, left_out)))
    return [note, *(item for items in reversed(kept) for item in items)]


def _note(entries: Sequence[Entry], left_out: int) -> Iterable[str]:
    yield GOES_ON
    if left_out:
        yield f"{left_out} earlier turns are left out."
    last = next((entry for entry in reversed(entries) if isinstance(entry, Reply)), None)
    if last is not None and last.unheard:
        quoted = last.unheard[:_MOST_UNHEARD] + ("…" if len(last.unheard) > _MOST_UNHEARD else "")
        yield f'The caller interrupted your last reply and did not hear this of it: "{quoted}"'

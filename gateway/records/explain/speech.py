"""The times at which each side of a call was heard. Pure."""

from msgspec import Struct

from gateway.records.explain.events import EventLog


class Reply(Struct, frozen=True, kw_only=True):
    """A reply of the bot; it was heard from ``start_ms`` to ``end_ms``, which are equal if nothing of it was."""

    item_id: str
    came_ms: float
    """Its first audio came from the service."""
    start_ms: float
    end_ms: float
    over_ms: float | None
    """It was over for the gateway; ``None`` where the record breaks off."""
    heard_ms: int
    received_ms: int
    words: str
    """All its words, heard or not."""
    heard_words: str
    unheard_words: str
    latency_ms: int | None
    late_frames: int


class Turn(Struct, frozen=True, kw_only=True):
    """Speech of the caller, as the service reports it."""

    item_id: str
    start_ms: float
    end_ms: float
    over_reply: bool
    words: str | None
    """``None`` where there is no transcript of it."""
    is_masked: bool = False
    """``True`` where there was one, and the record does not keep words."""


def replies_in(log: EventLog) -> list[Reply]:
    """Return the replies that began, in the order of time."""
    heard, played, said = (log.by(kind, "item_id") for kind in ("reply_heard", "reply_played", "reply_said"))
    found = []
    for begun in log.all("reply_started"):
        item_id, over, way = begun.text("item_id"), heard.get(begun.text("item_id")), played.get(begun.text("item_id"))
        heard_ms = over.ms("heard_ms") if over else 0
        start_ms = begun.at_ms + way.ms("heard_after_ms") if way else begun.at_ms
        if over is not None and way is None:
            start_ms = max(begun.at_ms, over.at_ms - heard_ms)
        end_ms = min(start_ms + heard_ms, over.at_ms) if over else log.end_ms
        words = said[item_id].text("text") if item_id in said else ""
        if over is not None and not words:
            words = f"{over.text('text')} {over.text('unheard')}".strip()
        latency = begun.number("latency_ms")
        found.append(
            Reply(
                item_id=item_id,
                came_ms=begun.at_ms,
                start_ms=start_ms,
                end_ms=max(start_ms, end_ms),
                over_ms=over.at_ms if over else None,
                heard_ms=heard_ms,
                received_ms=over.ms("received_ms") if over else 0,
                words=words,
                heard_words=over.text("text") if over else words,
                unheard_words=over.text("unheard") if over else "",
                latency_ms=None if latency is None else round(latency),
                late_frames=way.ms("late_frames") if way else 0,
            )
        )
    return found


def turns_in(log: EventLog) -> list[Turn]:
    """Return the caller's turns; one whose end is not known lasts until the next one, or to the end of the record."""
    words = log.by("caller_said", "item_id")
    begun = log.all("caller_spoke")
    found = []
    for index, spoke in enumerate(begun):
        limit_ms = begun[index + 1].at_ms if index + 1 < len(begun) else log.end_ms
        over = log.after(spoke, "caller_paused", "speech_ignored")
        said = words.get(spoke.text("item_id"))
        found.append(
            Turn(
                item_id=spoke.text("item_id"),
                start_ms=spoke.at_ms,
                end_ms=min(over.at_ms, limit_ms) if over else limit_ms,
                over_reply=bool(spoke.fields.get("over_reply")),
                words=said.text("text") or None if said else None,
                is_masked=said is not None and not said.text("text"),
            )
        )
    return found


def greeting_of(replies: list[Reply], turns: list[Turn]) -> Reply | None:
    """Return the first reply, if it answers nobody."""
    first = replies[0] if replies else None
    if first is None or first.latency_ms is not None:
        return None
    return None if any(turn.end_ms <= first.came_ms for turn in turns) else first

"""What the bot did besides talk, and the caller besides speak: joined from the gateway's notes and the phone's events.

Which key was pressed only the gateway tells, because only it knows when a caller keys in a secret.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.sim.timeline import TimelineEvent

Clock = Callable[[TimelineEvent], int]
"""An event's time in milliseconds of the call."""
ActionKind = Literal["tool", "key", "transfer", "entry", "note"]
_RUNS = (("tool_called", "tool_returned", "call_id"), ("mcp_called", "mcp_returned", "item_id"))
_KEY_MATCH_S = 1.0
"""A key is told by the gateway at most so long after it was pressed."""


@dataclass(frozen=True)
class Action:
    """Something done at ``at_ms`` from the call's start; ``took_ms`` is known once it has come to an end.

    ``name`` is a tool's, a target's, or a key (empty where it is nobody's to know); ``outcome`` is ``ok``, ``error`` …
    """

    kind: ActionKind
    at_ms: int
    name: str = ""
    outcome: str = ""
    took_ms: int | None = None

    @property
    def text(self) -> str:
        """The action in a few words."""
        match self.kind:
            case "tool":
                took = f" after {self.took_ms / 1000:.1f} s" if self.took_ms is not None else ""
                return f"{self.name}: {self.outcome or 'not finished'}{took}"
            case "key":
                return self.name or "a key that is not shown"
            case "transfer":
                return f"{self.outcome or 'asked for'}: {self.name}"
            case _:
                return f"{self.name} {self.outcome}".strip()


def actions(notes: Sequence[TimelineEvent], phone: Sequence[TimelineEvent], started_at: float) -> tuple[Action, ...]:
    """All actions of a call in the order of time; ``started_at`` is ``loop.time()`` of its first frame."""

    def at_ms(event: TimelineEvent) -> int:
        return max(0, round((event.at - started_at) * 1000))

    told = [note for note in notes if note.kind == "digit_pressed"]
    found = [*_tools(notes, at_ms), *_transfers(notes, at_ms), *_others(notes, at_ms), *_keys(told, phone, at_ms)]
    return tuple(sorted(found, key=lambda action: action.at_ms))


def _tools(notes: Sequence[TimelineEvent], at_ms: Clock) -> Iterator[Action]:
    """Functions and MCP calls: from their beginning to their return; one that never returned has no outcome."""
    for called, returned, key in _RUNS:
        ends = {note.fields.get(key): note for note in notes if note.kind == returned}
        for note in notes:
            if note.kind != called:
                continue
            server = f"{note.fields['server']}: " if "server" in note.fields else ""
            name = f"{server}{note.fields.get('tool', '')}"
            end = ends.get(note.fields.get(key))
            if end is None:
                yield Action("tool", at_ms(note), name)
            else:  # it may have had to wait for what the caller keyed in
                took_ms = round(float(str(end.fields.get("took_ms", 0))))
                outcome = str(end.fields.get("outcome", ""))
                yield Action("tool", max(0, at_ms(end) - took_ms), name, outcome, took_ms)


def _transfers(notes: Sequence[TimelineEvent], at_ms: Clock) -> Iterator[Action]:
    outcomes = {"transfer_started": "asked for", "transferred": "transferred", "transfer_failed": "failed"}
    for note in notes:
        if note.kind in outcomes:
            yield Action("transfer", at_ms(note), str(note.fields.get("target", "")), outcomes[note.kind])


def _others(notes: Sequence[TimelineEvent], at_ms: Clock) -> Iterator[Action]:
    for note in notes:
        match note.kind:
            case "secure_entry_started":
                yield Action("entry", at_ms(note), str(note.fields.get("parameter", "")), "is keyed in, unseen")
            case "secure_entry_ended":
                told = str(note.fields.get("outcome", ""))
                yield Action("entry", at_ms(note), str(note.fields.get("parameter", "")), told)
            case "approval_given":
                allowed = "allowed" if note.fields.get("approved") else "denied"
                yield Action("note", at_ms(note), f"{note.fields.get('server')}: {note.fields.get('tool')}", allowed)
            case "hang_up_cancelled":
                yield Action("note", at_ms(note), "the caller spoke: the call goes on")
            case "closed_line":
                yield Action("note", at_ms(note), "the line is closed")
            case "digits_sent":
                yield Action("note", at_ms(note), "digits were dialled")


def _keys(told: Sequence[TimelineEvent], phone: Iterable[TimelineEvent], at_ms: Clock) -> Iterator[Action]:
    """Keys as the phone pressed them, each with what the gateway told of it."""
    left = list(told)
    for pressed in (event for event in phone if event.kind == "key_pressed"):
        if left and 0 <= left[0].at - pressed.at <= _KEY_MATCH_S:
            yield Action("key", at_ms(pressed), str(left.pop(0).fields.get("digit", "")))
        else:
            yield Action("key", at_ms(pressed))
    for note in left:
        yield Action("key", at_ms(note), str(note.fields.get("digit", "")))

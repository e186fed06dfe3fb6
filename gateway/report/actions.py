"""The acts in a call besides talking, as the gateway notes them: tools run, keys pressed, the caller transferred."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

_TOGETHER_MS = 1500
"""Keys less than this apart are shown as one number."""
_UNTOLD = "•"
_RETURNS = {"tool_called": "tool_returned", "mcp_called": "mcp_returned"}
_ID_OF = {"tool_called": "call_id", "tool_returned": "call_id", "mcp_called": "item_id", "mcp_returned": "item_id"}
"""The field that a call and its return have in common."""
_BAD = frozenset(("error", "timeout", "refused", "failed", "abandoned", "nothing"))
Fields = Mapping[str, object]


class Noted(Protocol):
    """Something that was noted at a time, in seconds, with its fields as JSON would hold them."""

    @property
    def at(self) -> float:
        """The time."""

    @property
    def kind(self) -> str:
        """The name of its kind."""

    @property
    def fields(self) -> Fields:
        """Its fields by name."""


@dataclass(frozen=True)
class ToolRun:
    """A run of a tool from ``at_ms`` on; without ``outcome`` it had not returned when the call ended.

    ``server`` is the label of the MCP server that it belongs to, if it does.
    """

    name: str
    outcome: str | None
    took_ms: int | None
    at_ms: int
    server: str = ""


@dataclass(frozen=True)
class Key:
    """A key that the caller pressed; ``digit`` is ``None`` where the gateway withholds it, as it may be secret."""

    at_ms: int
    digit: str | None


@dataclass(frozen=True)
class TransferRun:
    """A transfer from where it began; ``outcome`` is started, failed or transferred."""

    target: str
    outcome: str
    at_ms: int
    detail: str = ""


@dataclass(frozen=True)
class Happening:
    """One line of the account: ``who`` is tool, key or call; ``failed`` where it is bad news."""

    at_ms: int
    who: str
    text: str
    failed: bool = False


@dataclass(frozen=True)
class Actions:
    """All acts, each kind in the order of time."""

    tools: tuple[ToolRun, ...] = ()
    keys: tuple[Key, ...] = ()
    transfers: tuple[TransferRun, ...] = ()
    happenings: tuple[Happening, ...] = field(default=(), repr=False)


def actions_of(
    notes: Sequence[Noted], started_at: float = 0.0, keys_ms: Sequence[int] = (), ordered: Sequence[Noted] = ()
) -> Actions:
    """List what was done in a call that began at ``started_at``.

    ``keys_ms`` are the times of all keys, told or not; ``ordered`` are transfers that the phone was ordered to make.
    """
    tools, keys = _tools(notes, started_at), _keys(notes, started_at, keys_ms)
    transfers = _transfers(notes, started_at, ordered)
    told = [Happening(run.at_ms, "tool", tool_text(run), _failed(run.outcome)) for run in tools]
    told += [Happening(group[0].at_ms, "key", _shown(group)) for group in together(keys)]
    known = {"tool_returned", "mcp_returned", "digit_pressed"}
    told += [
        Happening(_at_ms(started_at, note), *line, _failed(note.fields.get("outcome", note.kind.rpartition("_")[2])))
        for note in notes
        if note.kind not in known and (line := action_text(note.kind, note.fields)) is not None
    ]
    if transfers and not any(note.kind.startswith("transfer") for note in notes):
        told += [Happening(run.at_ms, "call", f"transferred to {run.target}") for run in transfers]
    told.sort(key=lambda happening: happening.at_ms)
    return Actions(tools, keys, transfers, tuple(told))


_TOLD = {
    "approval_asked": ("tool", "{server}/{tool}: the caller is asked for approval"),
    "approval_given": ("tool", "{server}/{tool}: {answer} by {how}"),
    "digit_pressed": ("key", "{digit}"),
    "digits_entered": ("key", "entered {digits}"),
    "secure_entry_started": ("key", "the caller keys in {parameter}, unseen"),
    "secure_entry_ended": ("key", "{parameter}, unseen: {entered}"),
    "digits_sent": ("call", "keys sent"),
    "transfer_started": ("call", "transfer to {target} begins"),
    "transfer_failed": ("call", "transfer to {target} failed{reason}"),
    "transferred": ("call", "transferred to {target}"),
    "hang_up_cancelled": ("call", "{not_left}: the caller spoke into the last words"),
    "closed_line": ("call", "the line is closed at this hour"),
}


def action_text(kind: str, fields: Fields) -> tuple[str, str] | None:
    """Describe who did what, from a note of the gateway; ``None`` for a note of no act."""
    if kind in _RETURNS.values():
        outcome, took_ms = str(fields.get("outcome", "")), _ms(fields.get("took_ms"))
        return "tool", tool_text(
            ToolRun(str(fields.get("tool", "")), outcome, took_ms, 0, str(fields.get("server", "")))
        )
    if kind not in _TOLD:
        return None
    who, text = _TOLD[kind]
    ended = fields.get("outcome")
    made = {
        "answer": "approved" if fields.get("approved") else "not approved",
        "entered": "nothing entered" if ended == "nothing" else ended,
        "not_left": f"not transferred to {fields['target']}" if fields.get("target") else "not hung up",
        "reason": f": {fields['detail']}" if fields.get("detail") else "",
    }
    return who, text.format_map(defaultdict(str, {**fields, **made}))


def tool_text(run: ToolRun) -> str:
    """Describe a run, such as ``order_status: ok after 0.4 s``."""
    name = f"{run.server}/{run.name}" if run.server else run.name
    if run.outcome is None:
        return f"{name}: had not returned when the call ended"
    return f"{name}: {run.outcome}" + (f" after {duration_text(run.took_ms)}" if run.took_ms is not None else "")


def duration_text(took_ms: int) -> str:
    """Write a duration, such as ``12 ms`` or ``0.4 s``."""
    return f"{took_ms} ms" if took_ms < 100 else f"{took_ms / 1000:.1f} s"


def together(keys: Sequence[Key]) -> list[list[Key]]:
    """Group the keys that were pressed as one number."""
    groups: list[list[Key]] = []
    for key in keys:
        if groups and key.at_ms - groups[-1][-1].at_ms < _TOGETHER_MS:
            groups[-1].append(key)
        else:
            groups.append([key])
    return groups


def keys_shown(keys: Sequence[Key]) -> str:
    """Return the keys in a row, with a dot for each that is withheld."""
    return "".join(key.digit or _UNTOLD for key in keys)


def _shown(keys: Sequence[Key]) -> str:
    return keys_shown(keys) + (" (withheld)" if all(key.digit is None for key in keys) else "")


def _failed(outcome: object) -> bool:
    return outcome is None or outcome in _BAD


def _at_ms(started_at: float, event: Noted) -> int:
    return round((event.at - started_at) * 1000)


def _ms(value: object) -> int | None:
    return round(value) if isinstance(value, int | float) else None


def _tools(notes: Sequence[Noted], started_at: float) -> tuple[ToolRun, ...]:
    """Return a run for each call, with the first return of the same call or item."""
    ends: dict[tuple[str, str], Noted] = {}
    for note in notes:
        if note.kind in _ID_OF:
            ends.setdefault((note.kind, str(note.fields.get(_ID_OF[note.kind]))), note)
    runs = []
    for note in notes:
        if note.kind not in _RETURNS:
            continue
        name = _ID_OF[note.kind]
        end = ends.get((_RETURNS[note.kind], str(note.fields.get(name))))
        outcome, took_ms, at_ms = None, None, _at_ms(started_at, note)
        if end is not None:
            outcome, took_ms = str(end.fields.get("outcome", "")), _ms(end.fields.get("took_ms"))
            if took_ms is not None:  # it may have waited for what the caller had to key in
                at_ms = max(at_ms, _at_ms(started_at, end) - took_ms)
        runs.append(
            ToolRun(str(note.fields.get("tool", "")), outcome, took_ms, at_ms, str(note.fields.get("server", "")))
        )
    return tuple(sorted(runs, key=lambda run: run.at_ms))


def _keys(notes: Sequence[Noted], started_at: float, keys_ms: Sequence[int]) -> tuple[Key, ...]:
    """Match each press of the phone with the gateway's last digit after it, from the last press to the first."""
    untold = sorted(keys_ms)
    keys = []
    for note in sorted((note for note in notes if note.kind == "digit_pressed"), key=lambda note: -note.at):
        at_ms = _at_ms(started_at, note)
        while untold and untold[-1] > at_ms:
            keys.append(Key(untold.pop(), None))
        keys.append(Key(untold.pop() if untold else at_ms, str(note.fields.get("digit", ""))))
    keys += [Key(at_ms, None) for at_ms in untold]
    return tuple(sorted(keys, key=lambda key: key.at_ms))


def _transfers(notes: Sequence[Noted], started_at: float, ordered: Sequence[Noted]) -> tuple[TransferRun, ...]:
    """Return each transfer that began, with its outcome; without a note of one, what the phone was ordered."""
    runs: list[TransferRun] = []
    for note in notes:
        target, at_ms = str(note.fields.get("target", "")), _at_ms(started_at, note)
        match note.kind:
            case "transfer_started":
                runs.append(TransferRun(target, "started", at_ms))
            case "transfer_failed" | "transferred":
                outcome = "failed" if note.kind == "transfer_failed" else "transferred"
                if runs and (runs[-1].target, runs[-1].outcome) == (target, "started"):
                    at_ms = runs.pop().at_ms
                runs.append(TransferRun(target, outcome, at_ms, str(note.fields.get("detail", ""))))
    if not runs:
        runs = [TransferRun(str(one.fields.get("to", "")), "transferred", _at_ms(started_at, one)) for one in ordered]
    return tuple(runs)

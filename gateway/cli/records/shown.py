"""Shows stored calls on a terminal: lists as tables, one call as its conversation."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.console import Console
from rich.text import Text

from gateway.call.refusal import TURNED_AWAY
from gateway.cli.tables import UNBOUNDED, drawn
from gateway.logs.outlet import styled_output
from gateway.records.pricing import money
from gateway.records.rows import CallRow, TurnRow
from gateway.records.search import CostOf
from gateway.records.stored_call import StoredCall
from gateway.report.actions import action_text
from gateway.text import one_line

BOLD, DIM, UNHEARD = "bold", "dim", "strike dim"
UNKNOWN = "unknown"
HEAD = ("began (UTC)", "call", "line", "caller", "lasted", "replies", "end", "cost")


def console() -> Console:
    """Return the console of standard output; one that is no terminal has room for every table, a row on each line."""
    made = Console(file=styled_output(), highlight=False, markup=False, emoji=False)
    if not made.is_terminal:
        made.width = UNBOUNDED
    return made


def short(call: CallRow) -> str:
    """Return as much of a call's key as names it: its last part, which is by chance."""
    return call.call_key.rpartition("-")[2] or call.call_key


def print_calls(calls: Sequence[CallRow]) -> None:
    """Print a list, a row for each call."""
    out = console()
    rows = [[one_line(cell) for cell in _cells(call)] for call in calls]
    out.print(drawn(HEAD, rows, out))


def _cells(call: CallRow) -> tuple[str, ...]:
    return (
        f"{call.started:%Y-%m-%d %H:%M:%S}",
        short(call),
        call.line,
        call.caller or "-",
        length(call.duration_s),
        str(call.turns),
        end(call),
        cost(call),
    )


def end(call: CallRow) -> str:
    """Return how a call ended, in a few words."""
    if call.reason == TURNED_AWAY:
        return f"{call.reason}: {call.detail}"
    return f"{call.reason}, by {call.by}" if call.reason else call.state


def cost(call: CallRow) -> str:
    """Return what a call has cost; a cost in which something is missing is marked."""
    if call.cost_nanos is None:
        return UNKNOWN if call.cost_note else "-"
    return money(call.cost_nanos, call.currency) + (" +" if call.cost_note else "")


def length(seconds: float | None) -> str:
    """Return a length, such as ``1:02``."""
    return "-" if seconds is None else f"{round(seconds) // 60}:{round(seconds) % 60:02}"


def print_costs(costs: Sequence[CostOf], by: str, notes: Sequence[str]) -> None:
    """Print the cost of each line or day, and below it which prices it was made with."""
    out = console()
    rows = [
        (
            one_line(each.name),
            str(each.calls),
            f"{each.seconds / 60:.1f}",
            money(each.nanos, each.currency),
            str(each.unknown),
        )
        for each in costs
    ]
    out.print(drawn((by, "calls", "minutes", "cost", "of unknown cost"), rows, out))
    for note in notes:
        out.print(Text(one_line(note), DIM), soft_wrap=True)


def print_call(stored: StoredCall) -> None:
    """Print one call: who and when, then what was said and done, with the words that were not heard struck out."""
    out = console()
    for name, value in _about(stored):
        out.print(Text(f"{name:<10}", DIM).append(one_line(value), "not dim"), soft_wrap=True)
    out.print()
    for at_ms, who, words in sorted(_lines(stored), key=lambda line: line[0]):
        out.print(Text(f"{max(at_ms, 0) / 1000:6.1f} s  {who:<6}  ").append_text(words), soft_wrap=True)


def _about(stored: StoredCall) -> Iterator[tuple[str, str]]:
    call = stored.call
    yield "call", f"{call.call_key}  ({call.provider} {call.call_id})"
    yield "line", f"{call.line} {call.generation}".rstrip()
    yield "from", f"{call.caller or 'somebody'} to {call.called or 'a line'}"
    yield "began", f"{_point(call.started)}, {length(call.duration_s)} long"
    yield "end", end(call) + (f": {call.detail}" if call.detail and call.reason != TURNED_AWAY else "")
    if call.model:
        yield "model", call.model
    if call.cost_nanos is not None or call.cost_note:
        yield "cost", cost(call).removesuffix(" +") + (f" ({call.cost_note})" if call.cost_note else "")
    for recording in stored.recordings:
        yield "recording", f"{recording.url} ({recording.state})"


def _point(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"


def _lines(stored: StoredCall) -> Iterator[tuple[float, str, Text]]:
    for turn in stored.turns:
        yield turn.started_ms, turn.who, _words(turn)
    for event in stored.events:
        if act := action_text(event.kind, event.fields):
            who, told = act
            yield event.at_ms, who, Text(one_line(told), DIM)


def _words(turn: TurnRow) -> Text:
    words = Text(one_line(turn.words), BOLD if turn.who == "caller" else "")
    if not turn.words and not turn.unheard:
        return Text("(words not known)", DIM)
    if turn.unheard:
        space = " " if turn.words else ""
        if console().is_terminal:
            words.append(space).append(one_line(turn.unheard), UNHEARD)
        else:
            words.append(f"{space}(not heard: {one_line(turn.unheard)})", DIM)
    return words

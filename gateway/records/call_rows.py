"""The rows of one call, made from its notes as they come. Pure."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from msgspec.structs import replace

from gateway.call import notes
from gateway.call.notes import Note
from gateway.call.record import CallIdentity, TimedNote
from gateway.records.rows import (
    CallRow,
    EventRow,
    KeyRow,
    Row,
    ToolCallRow,
    TransferRow,
    TurnRow,
    UsageRow,
    new_key,
)

Priced = Callable[[CallRow, Sequence[UsageRow]], CallRow]
"""Returns a call with what it has cost so far."""


class CallRows:
    """Makes the rows of one call. A row that changes is returned again, as a whole, under its old ``n``.

    ``started`` is the time of the stream's start, in UTC. ``priced`` adds the cost; without it there is none.
    """

    def __init__(
        self,
        identity: CallIdentity,
        started: datetime,
        *,
        key: str = "",
        worker: str = "",
        priced: Priced | None = None,
    ) -> None:
        self._started_at = identity.started_at
        self._priced = priced
        self.call = CallRow(
            call_key=key or new_key(started),
            call_id=identity.call_id,
            provider=identity.provider,
            line=identity.line,
            caller=identity.caller,
            called=identity.called,
            audio_format=identity.audio_format,
            started=started,
            worker=worker,
            trace_id=identity.trace_id,
        )
        """The call as it stands."""
        self._turns: dict[str, TurnRow] = {}
        self._tools: dict[str, ToolCallRow] = {}
        self._transfer: TransferRow | None = None
        self._usage: list[UsageRow] = []
        self._spoke_ms: dict[str, int] = {}
        self._counts: dict[type[Row], int] = {}

    def add(self, timed: TimedNote) -> list[Row]:
        """Return the rows that are new or have changed by this note."""
        at_ms = round((timed.at - self._started_at) * 1000, 1)
        return self.add_at(at_ms, timed.note)

    def add_at(self, at_ms: float, note: Note) -> list[Row]:
        """Return them for a note that was made ``at_ms`` after the start of the stream."""
        if isinstance(note, notes.CallerPartlySaid):  # one for each word, and CallerSaid has them all
            return []
        event = self._made(EventRow, at_ms=at_ms, kind=note.event, fields=note.fields())
        react = self._REACTIONS.get(type(note))
        return [event] if react is None else [event, *react(self, note, round(at_ms))]

    def _made(self, row: type[Any], /, **values: object) -> Any:
        """Make a row with the next number of its table."""
        n = self._counts.get(row, 0)
        self._counts[row] = n + 1
        return row(call_key=self.call.call_key, n=n, **values)

    def _point(self, at_ms: float) -> datetime:
        return self.call.started + timedelta(milliseconds=at_ms)

    def _changed(self, **values: object) -> list[Row]:
        self.call = replace(self.call, **values)
        return [self.call]

    def _with_cost(self) -> list[Row]:
        if self._priced is not None:
            self.call = self._priced(self.call, self._usage)
        return [self.call]

    # The call

    def _call_started(self, note: notes.CallStarted, _: int) -> list[Row]:
        return self._changed(generation=note.generation)

    def _session_ready(self, note: notes.SessionReady, at_ms: int) -> list[Row]:
        return self._changed(
            answered=self.call.answered or self._point(at_ms), session_id=note.session_id, model=note.model
        )

    def _next_session(self, note: notes.SessionRecovered | notes.SessionRolledOver, at_ms: int) -> list[Row]:
        return self._changed(
            answered=self.call.answered or self._point(at_ms), session_id=note.session_id, model=note.model
        )

    def _call_ended(self, note: notes.CallEnded, at_ms: int) -> list[Row]:
        self._changed(
            ended=self._point(at_ms),
            state="ended",
            reason=str(note.reason),
            by=note.by,
            detail=note.detail,
            duration_s=note.duration_s,
            turns=note.turns,
            session_s=note.session_s,
            caller_audio_s=note.caller_audio_s,
            bot_audio_s=round(sum(turn.received_ms or 0 for turn in self._turns.values()) / 1000, 1),
        )
        return self._with_cost()

    def _tokens_used(self, note: notes.TokensUsed, at_ms: int) -> list[Row]:
        row: UsageRow = self._made(UsageRow, at_ms=at_ms, **note.fields())
        self._usage.append(row)
        return [row, *self._with_cost()]

    # What is said

    def _turn(self, turn: TurnRow) -> list[Row]:
        self._turns[turn.item_id] = turn
        return [turn]

    def _new_turn(self, who: str, item_id: str, started_ms: int, **values: object) -> TurnRow:
        made: TurnRow = self._made(TurnRow, who=who, item_id=item_id, started_ms=max(started_ms, 0), **values)
        return made

    def _caller_paused(self, note: notes.CallerPaused, at_ms: int) -> list[Row]:
        started_ms = self._spoke_ms.pop(note.item_id, at_ms)
        if turn := self._turns.get(note.item_id):
            return self._turn(replace(turn, ended_ms=at_ms))
        return self._turn(self._new_turn("caller", note.item_id, started_ms, ended_ms=at_ms))

    def _caller_spoke(self, note: notes.CallerSpoke, at_ms: int) -> list[Row]:
        """Remember the time; speech is a turn once it is over."""
        self._spoke_ms[note.item_id] = at_ms
        return []

    def _caller_said(self, note: notes.CallerSaid, at_ms: int) -> list[Row]:
        turn = self._turns.get(note.item_id) or self._new_turn("caller", note.item_id, at_ms, ended_ms=at_ms)
        return self._turn(replace(turn, words=note.text))

    def _reply_begins(self, item_id: str, at_ms: int, latency_ms: int | None = None) -> list[Row]:
        if turn := self._turns.get(item_id):
            return self._turn(replace(turn, started_ms=at_ms, latency_ms=latency_ms))
        return self._turn(self._new_turn("bot", item_id, at_ms, latency_ms=latency_ms))

    def _reply_said(self, note: notes.ReplySaid, at_ms: int) -> list[Row]:
        """Keep the words as unheard: that they are heard is known once the reply is over."""
        turn = self._turns.get(note.item_id) or self._new_turn("bot", note.item_id, at_ms)
        if turn.ended_ms is None:
            return self._turn(replace(turn, unheard=note.text))
        if turn.words or turn.unheard:
            return []
        return self._turn(replace(turn, **({"unheard" if turn.interrupted else "words": note.text})))

    def _reply_heard(self, note: notes.ReplyHeard, at_ms: int) -> list[Row]:
        turn = self._turns.get(note.item_id) or self._new_turn("bot", note.item_id, at_ms - note.heard_ms)
        words, unheard = note.text, note.unheard
        is_cut = note.heard_ms < note.received_ms
        if not words and not unheard:
            words, unheard = ("", turn.unheard) if is_cut else (turn.unheard, "")
        return self._turn(
            replace(
                turn,
                ended_ms=max(at_ms, turn.started_ms),
                words=words,
                unheard=unheard,
                heard_ms=note.heard_ms,
                received_ms=note.received_ms,
                interrupted=turn.interrupted or is_cut,
            )
        )

    def _barge_in(self, note: notes.BargeIn, _: int) -> list[Row]:
        rows: list[Row] = []
        for cut in note.replies:
            if turn := self._turns.get(cut.item_id):
                figures = {"heard_ms": cut.heard_ms, "received_ms": cut.received_ms}
                rows += self._turn(replace(turn, interrupted=True, **figures))
        return rows

    # What is done

    def _tool_called(self, tool: str, call_id: str, at_ms: int, server: str = "") -> list[Row]:
        self._tools[call_id] = row = self._made(
            ToolCallRow, tool=tool, server=server, tool_call_id=call_id, started_ms=at_ms
        )
        return [row]

    def _tool_returned(
        self, note: notes.ToolReturned | notes.McpReturned, call_id: str, at_ms: int, server: str = ""
    ) -> list[Row]:
        if call_id not in self._tools:
            self._tool_called(note.tool, call_id, max(at_ms - note.took_ms, 0), server)
        row = self._tools[call_id]
        if row.outcome:
            return []
        self._tools[call_id] = row = replace(row, ended_ms=at_ms, took_ms=note.took_ms, outcome=note.outcome)
        return [row]

    def _transfer_started(self, note: notes.TransferStarted, at_ms: int) -> list[Row]:
        self._transfer = self._made(TransferRow, target=note.target, outcome="started", started_ms=at_ms)
        return [self._transfer]

    def _transfer_over(
        self, note: notes.Transferred | notes.TransferFailed, outcome: str, at_ms: int, detail: str = ""
    ) -> list[Row]:
        row, self._transfer = self._transfer, None
        if row is None or row.target != note.target:
            row = self._made(TransferRow, target=note.target, outcome="started", started_ms=at_ms)
        return [replace(row, outcome=outcome, ended_ms=at_ms, detail=detail)]

    _REACTIONS: ClassVar[dict[type[Note], Callable[[Any, Any, int], list[Row]]]] = {
        notes.CallStarted: _call_started,
        notes.SessionReady: _session_ready,
        notes.SessionRecovered: _next_session,
        notes.SessionRolledOver: _next_session,
        notes.CallEnded: _call_ended,
        notes.TokensUsed: _tokens_used,
        notes.CallerSpoke: _caller_spoke,
        notes.CallerPaused: _caller_paused,
        notes.CallerSaid: _caller_said,
        notes.GreetingPlayed: lambda self, note, at_ms: self._reply_begins(note.item_id, at_ms),
        notes.ReplyStarted: lambda self, note, at_ms: self._reply_begins(note.item_id, at_ms, note.latency_ms),
        notes.ReplySaid: _reply_said,
        notes.ReplyHeard: _reply_heard,
        notes.BargeIn: _barge_in,
        notes.ToolCalled: lambda self, note, at_ms: self._tool_called(note.tool, note.call_id, at_ms),
        notes.ToolReturned: lambda self, note, at_ms: self._tool_returned(note, note.call_id, at_ms),
        notes.McpCalled: lambda self, note, at_ms: self._tool_called(note.tool, note.item_id, at_ms, note.server),
        notes.McpReturned: lambda self, note, at_ms: self._tool_returned(note, note.item_id, at_ms, note.server),
        notes.TransferStarted: _transfer_started,
        notes.Transferred: lambda self, note, at_ms: self._transfer_over(note, "transferred", at_ms),
        notes.TransferFailed: lambda self, note, at_ms: self._transfer_over(note, "failed", at_ms, note.detail),
        notes.DigitPressed: lambda self, note, at_ms: [self._made(KeyRow, at_ms=at_ms, digit=note.digit)],
    }

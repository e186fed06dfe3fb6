"""Takes the notes of calls in their turn of the event loop, and makes rows of them later."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from gateway.call.notes import CallEnded, CallStarted
from gateway.call.record import CallIdentity, TimedNote
from gateway.call.refusal import TURNED_AWAY, TurnedAway
from gateway.records.call_rows import CallRows, Priced
from gateway.records.rows import CallRow, EventRow, Row, new_key
from gateway.records.store.keepable import Keepable

AT_ONCE = 20
"""Notes of which rows are made in one turn of the event loop: less than a millisecond."""

TURNED_AWAY_A_MINUTE = 600
"""Calls without room that are recorded in a minute: nobody who calls and calls again may fill the database."""

_Of = tuple[str, str, float]


class CallEvents(Protocol):
    """Makes the deliveries of one call."""

    def add(self, timed: TimedNote) -> Sequence[Row]:
        """Return the deliveries of a note."""


EventsOf = Callable[[str, CallIdentity, datetime, Callable[[str], str]], CallEvents | None]
"""Returns the events of a call of this key, identity and start, if somebody gets them.

The last argument returns a message as it may be kept.
"""


class Intake:
    """A queue of ``most`` notes; of what does not fit, the beginnings and ends of calls are taken all the same.

    ``clock`` is that of the calls, ``now`` gives the time of day in UTC.
    """

    def __init__(
        self,
        most: int,
        keepable: Keepable,
        *,
        worker: str,
        clock: Callable[[], float],
        now: Callable[[], datetime],
        priced: Priced | None = None,
        events_of: EventsOf | None = None,
    ) -> None:
        self._most = most
        self._keepable = keepable
        self._text = keepable.text
        self._worker = worker
        self._clock = clock
        self._now = now
        self._priced = priced
        self._events_of = events_of
        self._queue: deque[tuple[CallIdentity, TimedNote] | Row] = deque()
        self._calls: dict[_Of, CallRows] = {}
        self._events: dict[_Of, CallEvents] = {}
        self._lost = 0
        self._turned_away, self._turned_away_until = 0, datetime.min.replace(tzinfo=UTC)

    def __len__(self) -> int:
        return len(self._queue)

    def observe(self, identity: CallIdentity, note: TimedNote) -> None:
        """Take a note."""
        if len(self._queue) < self._most or isinstance(note.note, CallStarted | CallEnded):
            self._queue.append((identity, note))
        else:
            self._lost += 1

    def put(self, row: Row) -> None:
        """Take a row that is made elsewhere, such as that of a recording."""
        if len(self._queue) < self._most:
            self._queue.append(row)
        else:
            self._lost += 1

    def turned_away(self, call: TurnedAway) -> None:
        """Take a call for which there was no room; of a flood, so many in a minute."""
        now = self._now()
        if now >= self._turned_away_until:
            self._turned_away_until, self._turned_away = now + timedelta(minutes=1), 0
        self._turned_away += 1
        if self._turned_away > TURNED_AWAY_A_MINUTE:
            return
        key, by, detail = new_key(now), "gateway", call.reason.value
        self.put(
            CallRow(
                call_key=key,
                call_id=call.call_id,
                provider=call.provider,
                line=call.line,
                caller=call.caller,
                called=call.called,
                started=now,
                ended=now,
                state="ended",
                reason=TURNED_AWAY,
                by=by,
                detail=detail,
                duration_s=0.0,
                worker=self._worker,
            )
        )
        fields = {"reason": TURNED_AWAY, "by": by, "detail": detail}
        self.put(EventRow(call_key=key, n=0, at_ms=0.0, kind=CallEnded.event, fields=fields))

    def take_lost(self) -> int:
        """Return how much did not fit since this was last asked."""
        lost, self._lost = self._lost, 0
        return lost

    @property
    def live(self) -> list[str]:
        """The keys of the calls that go on."""
        return [rows.call.call_key for rows in self._calls.values()]

    def key_of(self, identity: CallIdentity) -> str:
        """Return the ``call_key`` of a call that goes on."""
        return self._rows_of(identity).call.call_key

    def _rows_of(self, identity: CallIdentity) -> CallRows:
        of = identity.provider, identity.call_id, identity.started_at
        rows = self._calls.get(of)
        if rows is None:
            started = self._now() - timedelta(seconds=self._clock() - identity.started_at)
            self._calls[of] = rows = CallRows(
                identity, started, key=new_key(started), worker=self._worker, priced=self._priced
            )
            if self._events_of and (events := self._events_of(rows.call.call_key, identity, started, self._text)):
                self._events[of] = events
        return rows

    async def rows(self) -> list[Row]:
        """Return the rows of everything that waits, as they may be kept."""
        made: list[Row] = []
        left = len(self._queue)
        while left:
            for _ in range(min(left, AT_ONCE)):
                made += self._made(self._queue.popleft())
            left = max(0, left - AT_ONCE)
            await asyncio.sleep(0)
        return made

    def _made(self, taken: tuple[CallIdentity, TimedNote] | Row) -> list[Row]:
        if not isinstance(taken, tuple):
            return [self._keepable.row(taken)]
        identity, note = taken
        rows = self._rows_of(identity)
        of = identity.provider, identity.call_id, identity.started_at
        made = rows.add(note)
        if events := self._events.get(of):  # in the same batch, so that both are written or neither is
            made += events.add(note)
        if isinstance(note.note, CallEnded):
            del self._calls[of]
            self._events.pop(of, None)
        return [self._keepable.row(row) for row in made]

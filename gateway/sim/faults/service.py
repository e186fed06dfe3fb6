"""The faults of the service, connection by connection: what strikes at a time, or right after a server event."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

from gateway.sim.faults.plan import (
    Expire,
    Fault,
    LateDeltas,
    Moment,
    Mute,
    NoAnswer,
    Planned,
    Refuse,
    ServiceFault,
    Struck,
    kind_of,
)

FaultT = TypeVar("FaultT", bound=ServiceFault)
_DELTA, _CREATED = "response.audio.delta", "response.created"


class ConnectionFaults:
    """The faults of one connection. Times are those of the event loop's clock."""

    def __init__(self, planned: Sequence[Planned] = (), number: int = 0, struck: list[Struck] | None = None) -> None:
        self._number = number
        self._struck = [] if struck is None else struck
        self._left = list(planned)
        self._begun_at = 0.0
        self._counts: Counter[str] = Counter()
        self._reply = 0
        self._deltas = 0
        self._is_mute: Mute | None = None

    @property
    def lifetime_s(self) -> float | None:
        """The session's lifetime; ``None`` for the service's own."""
        found = self._of(Expire)
        return found.after_s if found else None

    @property
    def late_deltas(self) -> int | None:
        """The audio deltas that follow a cancellation; ``None`` for the script's own number."""
        found = self._of(LateDeltas)
        return found.count if found else None

    @property
    def follows_events(self) -> bool:
        """True if something may strike after a server event."""
        return any(planned.at.s is None for planned in self._left)

    def _of(self, kind: type[FaultT]) -> FaultT | None:
        return next((planned.fault for planned in self._left if isinstance(planned.fault, kind)), None)

    def refuses(self, now: float) -> Refuse | NoAnswer | None:
        """Return the failure of the handshake, if there is one."""
        found = self._of(Refuse) or self._of(NoAnswer)
        if found is not None:
            self._note(found, now)
        return found

    def begin(self, now: float) -> None:
        """Begin the session."""
        self._begun_at = now
        if (late := self._of(LateDeltas)) is not None:
            self._note(late, now)

    def expired(self, now: float) -> None:
        """Note that the session has ended by its lifetime."""
        if (found := self._of(Expire)) is not None:
            self._note(found, now)

    def next_at(self) -> float:
        """Return when ``due`` has something; infinite for never."""
        return min((self._begun_at + (planned.at.s or 0.0) for planned in self._timed()), default=math.inf)

    def due(self, now: float) -> list[Fault]:
        """Return what strikes by now, each once."""
        return self._strike([one for one in self._timed() if self._begun_at + (one.at.s or 0.0) <= now + 1e-6], now)

    def _timed(self) -> list[Planned]:
        """Return the faults that strike at a time; a service that falls silent does at its next response."""
        return [one for one in self._left if _has_deed(one.fault) and one.at.s is not None]

    def response_begins(self, now: float) -> Mute | None:
        """Count a response; return how the service is mute in it, if it is."""
        self._reply += 1
        self._deltas = 0
        mute = next((one for one in self._left if isinstance(one.fault, Mute) and self._is_reached(one.at, now)), None)
        if mute is not None and isinstance(mute.fault, Mute):
            self._is_mute = mute.fault
            self._strike([mute], now)
        return self._is_mute

    def _is_reached(self, at: Moment, now: float) -> bool:
        if at.s is not None:
            return now >= self._begun_at + at.s
        return self._reply >= (at.reply or 1)

    def after(self, event_type: str, now: float) -> list[Fault]:
        """Return what strikes right after this server event."""
        self._counts[event_type] += 1
        self._deltas += event_type == _DELTA
        return self._strike(
            [one for one in self._left if _has_deed(one.fault) and self._is_at(one.at, event_type)], now
        )

    def _is_at(self, at: Moment, event_type: str) -> bool:
        if at.reply is not None:
            if at.delta is None:
                return event_type == _CREATED and self._reply == at.reply
            return event_type == _DELTA and (self._reply, self._deltas) == (at.reply, at.delta)
        return at.event == event_type and self._counts[event_type] == at.nth

    def _strike(self, planned: Sequence[Planned], now: float) -> list[Fault]:
        for one in planned:
            self._left.remove(one)
            self._note(one.fault, now)
        return [one.fault for one in planned]

    def _note(self, fault: Fault, now: float) -> None:
        self._struck.append(Struck(now, "service", kind_of(type(fault)), fault, self._number))


def _has_deed(fault: Fault) -> bool:
    """Return whether the fault is something done at a moment, and no property of the connection."""
    return not isinstance(fault, Refuse | NoAnswer | Mute | LateDeltas | Expire)


class ServiceFaults:
    """The faults of all connections of a call, in the order in which they are made."""

    def __init__(self, planned: Sequence[Planned] = (), struck: list[Struck] | None = None) -> None:
        self._planned = planned
        self._struck = [] if struck is None else struck
        self._connections = 0

    def connect(self) -> ConnectionFaults:
        """Return the faults of the next connection."""
        self._connections += 1
        mine = [
            one
            for one in self._planned
            if isinstance(one.fault, ServiceFault) and one.fault.concerns(self._connections)
        ]
        return ConnectionFaults(mine, self._connections, self._struck)

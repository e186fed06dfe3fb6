"""Decides whether a call may be taken: drain, limits of gateway, line and caller, and Voice Live's quota and health."""

from collections.abc import Callable
from datetime import UTC, datetime

from gateway.call.calls import Calls
from gateway.call.refusal import Refusal
from gateway.config import Line
from gateway.fleet.board import Board
from gateway.fleet.places import CallKey, KnownCall, Place
from gateway.voice.bot import Answering, Model, answering_for
from gateway.voice.endpoints.pool import Lack, Pool

MARGIN_S = 1.0
"""Seconds for which a place is kept beyond the validity of the stream's token, which counts whole seconds."""
NOT_ANNOUNCED = KnownCall()
_LACK = {
    Lack.QUOTA: Refusal.VOICE_FULL,
    Lack.UNREACHABLE: Refusal.VOICE_UNREACHABLE,
    Lack.NO_MODEL: Refusal.VOICE_UNREACHABLE,
}


class Admission:
    """The admission to one process. What is counted is shared by all workers.

    A call that a webhook announces has its place and its session kept a little longer than the token of its stream is
    valid. ``clock`` is the machine's clock.
    """

    def __init__(self, calls: Calls, board: Board, pool: Pool, clock: Callable[[], float], token_ttl_s: float) -> None:
        self._calls = calls
        self._board = board
        self._pool = pool
        self._clock = clock
        self._life_s = token_ttl_s + MARGIN_S

    def why_not(self, line: Line | None = None, caller: str = "") -> Refusal | None:
        """Return why no new call may be taken now; ``None`` where one may. Nothing is kept for it.

        Without a line, any line's call is meant.
        """
        if self._calls.draining:
            return Refusal.DRAINING
        if not self._calls.willing:
            return Refusal.FULL
        if line is not None and (rate := self._rate(line, caller)) is not None:
            return rate
        lack = self._pool.lack(self._clock(), self._answering(line) if line is not None else ())
        return None if lack is None or (line is not None and not _needs_session(line)) else _LACK[lack]

    def take(self, key: CallKey, line: Line, caller: str) -> Refusal | None:
        """Keep a place and a session for a call that a webhook announces; return why that cannot be done.

        ``caller`` is empty for one who withholds the number.
        """
        limits = line.settings.limits
        if self._calls.draining:
            return Refusal.DRAINING
        if (rate := self._rate(line, caller)) is not None:
            return rate
        full = self._calls.reserve(key, line.name, limits.calls, self._life_s, caller, limits.caller_calls)
        if full is not None:
            return full
        if _needs_session(line):
            lack = self._pool.reserve(key[1], self._answering(line), self._clock(), self._life_s)
            if lack is not None:
                self._calls.cancel(key)
                return _LACK[lack]
        self._note(line, caller)
        return None

    def cancel(self, key: CallKey) -> KnownCall | None:
        """Give back what is kept for a call whose stream will not come; return what was known of the call."""
        self._pool.cancel(key[1], self._clock())
        return self._calls.cancel(key)

    def name(
        self, place: Place, key: CallKey, line: Line, caller: str, announced: KnownCall = NOT_ANNOUNCED
    ) -> Refusal | None:
        """Note whose stream holds a place; return why it is turned away, where no webhook had kept the place for it.

        ``announced`` is the call as its webhook named it: where the stream names it otherwise, the session that was
        kept for it is given back, and another one is opened.
        """
        limits = line.settings.limits
        if announced.call_id not in ("", key[1]):
            self._pool.cancel(announced.call_id, self._clock())
        is_new = not self._calls.is_reserved_for(place, line.name)
        if is_new and (rate := self._rate(line, caller)) is not None:
            return rate
        full = self._calls.name(place, key, line.name, limits.calls, caller, limits.caller_calls)
        if full is not None:
            return full
        if is_new:
            self._note(line, caller)
        return None

    def _rate(self, line: Line, caller: str) -> Refusal | None:
        limits, now = line.settings.limits, self._clock()
        with self._board.memory.locked():
            count = self._board.hours.count
            of_caller = limits.caller_calls_per_hour
            if of_caller is not None and caller and count(_caller_key(line, caller), now) >= of_caller:
                return Refusal.CALLER_RATE
            if limits.calls_per_hour is not None and count(_line_key(line), now) >= limits.calls_per_hour:
                return Refusal.LINE_RATE
        return None

    def _note(self, line: Line, caller: str) -> None:
        limits, now = line.settings.limits, self._clock()
        if limits.calls_per_hour is None and limits.caller_calls_per_hour is None:
            return
        with self._board.memory.locked():
            self._board.hours.note(_line_key(line), now)
            if caller:
                self._board.hours.note(_caller_key(line, caller), now)

    @staticmethod
    def _answering(line: Line) -> tuple[Answering, ...]:
        return tuple(map(Model, line.models)) or (answering_for(line),)


def _needs_session(line: Line) -> bool:
    """Return ``False`` for a closed line whose words need no service."""
    hours = line.settings.hours
    return hours is None or bool(hours.closed.say) or hours.is_open(datetime.now(UTC), line.settings.timezone)


def _line_key(line: Line) -> str:
    return f"line {line.name}"


def _caller_key(line: Line, caller: str) -> str:
    return f"caller {line.name} {caller}"

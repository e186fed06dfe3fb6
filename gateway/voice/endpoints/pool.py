"""The choice of an endpoint for the next session: by priority, then weight, among those with quota and health. Pure.

Time is the machine's clock, in seconds, and an argument. Sessions and circuits are shared by all workers.
"""

import enum
import random
from collections.abc import Callable, Collection, Sequence

from msgspec import Struct

from gateway.fleet.sessions import CircuitState, Quota, Session, Sessions
from gateway.voice.bot import Answering
from gateway.voice.endpoints.circuit import Circuit, Failure, circuit_of, failed, may_try, probing
from gateway.voice.endpoints.endpoint import Endpoint
from gateway.voice.endpoints.watch import PoolWatch, UnwatchedPool

PROBE_LIMIT_S = 30.0
"""A probe that has not ended by then is given up: connection, negotiation and acceptance take less."""


class Lack(enum.StrEnum):
    """The reasons for which no session can be opened now."""

    QUOTA = "quota"
    """Every endpoint that can be reached has as many sessions as its quota allows."""
    UNREACHABLE = "unreachable"
    """The circuit of every endpoint is open."""
    NO_MODEL = "no_model"
    """No endpoint has the model."""


class Health(Struct):
    """The record of an endpoint in this process."""

    failures: dict[str, int] = {}
    """Failed attempts by their kind, since the start."""
    last_failure: str = ""
    ready_s: float | None = None
    """The time from the attempt to the accepted session: a mean that forgets."""


class Shown(Struct, frozen=True):
    """An endpoint at present, for display."""

    name: str
    circuit: Circuit
    sessions: int
    """Sessions at once, those that webhooks have reserved included."""
    in_minute: int
    last_failure: str
    ready_s: float | None


class Pool:
    """The endpoints of a deployment. ``chance`` returns numbers from 0 to 1, for the weights."""

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        sessions: Sessions,
        chance: Callable[[], float] = random.random,
        watch: PoolWatch | None = None,
    ) -> None:
        self.endpoints = endpoints
        self._sessions = sessions
        self._chance = chance
        self._watch = watch or UnwatchedPool()
        self._health = {endpoint.name: Health() for endpoint in endpoints}
        self.opened: Callable[[], None] = lambda: None
        """Called when a circuit opens."""

    def lack(self, now: float, answering: Sequence[Answering] = ()) -> Lack | None:
        """Return why no session can be opened now; ``None`` where one can. Without ``answering``, with any model."""
        able = self._able(answering)
        if not able:
            return Lack.NO_MODEL
        usable = [one for one in able if may_try(self._sessions.circuit(one.name), now)]
        if not usable:
            return Lack.UNREACHABLE
        return None if any(self._sessions.has_room(one.quota, now) for one in usable) else Lack.QUOTA

    def reserve(self, call: str, answering: Sequence[Answering], now: float, life_s: float) -> Lack | None:
        """Keep a session for a call that is about to be answered; return why there is none."""
        usable = [one for one in self._able(answering) if may_try(self._sessions.circuit(one.name), now)]
        chosen = self._sessions.reserve(call, self._in_turn(usable), now, life_s)
        if chosen is None:
            return self.lack(now, answering) or Lack.QUOTA
        self._probe(chosen, now, life_s)
        return None

    def cancel(self, call: str, now: float) -> None:
        """Give back the session that is kept for a call which does not come."""
        self._sessions.cancel(call, now)

    def open(
        self,
        answering: Answering,
        now: float,
        call: str = "",
        tried: Collection[str] = (),
        poor: Collection[str] = (),
    ) -> Session | None:
        """Count a session at the endpoint to try next; ``None`` where none is left.

        Endpoints in ``tried`` are not tried again, those in ``poor`` only where there is no other. An endpoint whose
        circuit is open comes last: the caller is on the line already, and there is nothing better to try.
        """
        able = [one for one in self._able((answering,)) if one.name not in tried]
        good = [one for one in able if one.name not in poor]
        usable = [one for one in good if may_try(self._sessions.circuit(one.name), now)]
        choices: list[Quota] = []
        for group in (usable, good, able):
            choices += self._in_turn([one for one in group if one.quota not in choices])
        session = self._sessions.open(call, choices, now)
        if session is not None:
            self._probe(session.endpoint, now, PROBE_LIMIT_S)
            self._watch.session_begun(session.endpoint)
        return session

    def has_other(self, answering: Answering, now: float, tried: Collection[str]) -> int:
        """Return how many endpoints are left that may be tried next in good hope."""
        able = [one for one in self._able((answering,)) if one.name not in tried]
        return sum(
            may_try(self._sessions.circuit(one.name), now) and self._sessions.has_room(one.quota, now) for one in able
        )

    def probe(self, now: float) -> Session | None:
        """Count a session at an endpoint whose circuit is half open, to probe it; ``None`` where none is due."""
        for one in self.endpoints:
            state = self._sessions.circuit(one.name)
            if circuit_of(state, now) is Circuit.HALF_OPEN and may_try(state, now):
                session = self._sessions.open("", (one.quota,), now)
                if session is not None:
                    self._probe(one.name, now, PROBE_LIMIT_S)
                    self._watch.session_begun(one.name)
                    return session
        return None

    def probe_due(self, now: float) -> float | None:
        """Return when the next probe is due; ``None`` where all circuits are closed."""
        states = [self._sessions.circuit(one.name) for one in self.endpoints]
        return min((max(one.open_until, one.probe_until, now) for one in states if one.failures), default=None)

    def begin_again(self, session: Session, now: float) -> None:
        """Count one more connection for a session."""
        self._sessions.begin_again(session, now)
        self._watch.session_begun(session.endpoint)

    def note_ready(self, endpoint: str, took_s: float | None) -> None:
        """Note that an endpoint answered: with an accepted session after ``took_s``, or a refusal of this one alone."""
        health = self._health[endpoint]
        if took_s is not None:
            health.ready_s = took_s if health.ready_s is None else 0.8 * health.ready_s + 0.2 * took_s
            self._watch.session_opened(endpoint, took_s)
        if self._sessions.circuit(endpoint).failures:
            self._sessions.set_circuit(endpoint, CircuitState())
            self._watch.circuit_closed(endpoint)

    def note_failed(self, endpoint: str, failure: Failure, now: float, retry_after_s: float = 0.0) -> None:
        """Note a failed attempt: the circuit opens."""
        health = self._health[endpoint]
        health.failures = {**health.failures, failure.value: health.failures.get(failure.value, 0) + 1}
        health.last_failure = failure.value
        self._watch.attempt_failed(endpoint, failure.value)
        before = self._sessions.circuit(endpoint)
        state = failed(before, failure, now, retry_after_s)
        self._sessions.set_circuit(endpoint, state)
        if circuit_of(before, now) is not Circuit.OPEN:
            self._watch.circuit_opened(endpoint, failure.value, state.open_until - now)
        self.opened()

    def note_over(self, session: Session) -> None:
        """Note that a session, or the attempt at it, is over."""
        self._sessions.free(session)

    def give_up_probe(self, endpoint: str) -> None:
        """Let another session probe an endpoint: this one ended without telling anything of it."""
        state = self._sessions.circuit(endpoint)
        if state.probe_until:
            self._sessions.set_circuit(endpoint, probing(state, 0.0, 0.0))

    def shown(self, now: float) -> Sequence[Shown]:
        """Return the endpoints at present."""
        return [self._shown(one, now) for one in self.endpoints]

    def _shown(self, endpoint: Endpoint, now: float) -> Shown:
        used = self._sessions.usage(endpoint.name, now)
        health = self._health[endpoint.name]
        return Shown(
            endpoint.name,
            circuit_of(self._sessions.circuit(endpoint.name), now),
            used.open + used.reserved,
            used.in_minute,
            health.last_failure,
            health.ready_s,
        )

    def _able(self, answering: Sequence[Answering]) -> list[Endpoint]:
        return [one for one in self.endpoints if not answering or any(map(one.answers, answering))]

    def _in_turn(self, endpoints: Sequence[Endpoint]) -> list[Quota]:
        """Return the quotas of endpoints in the order in which to try them.

        Within a priority, the order is drawn by weight (Efraimidis and Spirakis, 2006).
        """
        if len(endpoints) < 2:
            return [one.quota for one in endpoints]
        drawn = {one.name: max(self._chance(), 1e-9) ** (1 / one.weight) for one in endpoints}
        return [one.quota for one in sorted(endpoints, key=lambda one: (one.priority, -drawn[one.name]))]

    def _probe(self, endpoint: str, now: float, limit_s: float) -> None:
        state = self._sessions.circuit(endpoint)
        if circuit_of(state, now) is Circuit.HALF_OPEN:
            self._sessions.set_circuit(endpoint, probing(state, now, limit_s))

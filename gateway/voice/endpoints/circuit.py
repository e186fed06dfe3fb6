"""The circuit of an endpoint: closed while sessions open, open after a failure, then half open for one probe. Pure."""

import enum

from gateway.fleet.sessions import CircuitState

LONGEST_S = 120.0
"""The longest time for which a circuit stays open; a longer Retry-After is cut to it."""


class Failure(enum.StrEnum):
    """The ways in which an attempt at a session fails because of its endpoint."""

    UNREACHABLE = "unreachable"
    """No connection, or no answer in time."""
    TROUBLE = "trouble"
    """Trouble of the service's own: a status from 500 on, or a session that it closed before it was ready."""
    CREDENTIAL = "credential"
    """The key or the token was refused (401, 403), or no token could be had."""
    QUOTA = "quota"
    """Too many requests (429)."""


class Circuit(enum.StrEnum):
    """The states of a circuit."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    """One session may be tried."""


OPEN_S = {Failure.UNREACHABLE: 2.0, Failure.TROUBLE: 2.0, Failure.CREDENTIAL: 15.0, Failure.QUOTA: 5.0}
"""The time for which a circuit is open after the first failure, in seconds. It doubles with each further one."""


def failure_of(status: int, *, refused: bool) -> Failure | None:
    """Return what a failed connection says of its endpoint; ``None`` where only this model or request was refused.

    ``status`` is the HTTP status of the answer, 0 without one; ``refused`` tells a refusal without an answer, such as
    a token that could not be had.
    """
    if status == 429:
        return Failure.QUOTA
    if status in (401, 403) or (status == 0 and refused):
        return Failure.CREDENTIAL
    if status == 0:
        return Failure.UNREACHABLE
    return Failure.TROUBLE if status >= 500 else None


def circuit_of(state: CircuitState, now: float) -> Circuit:
    """Return the state of a circuit."""
    if not state.failures:
        return Circuit.CLOSED
    return Circuit.OPEN if now < state.open_until else Circuit.HALF_OPEN


def may_try(state: CircuitState, now: float) -> bool:
    """Return whether a session may be tried: the circuit is closed, or half open without a probe under way."""
    circuit = circuit_of(state, now)
    return circuit is Circuit.CLOSED or (circuit is Circuit.HALF_OPEN and state.probe_until <= now)


def probing(state: CircuitState, now: float, limit_s: float) -> CircuitState:
    """Return the state with a probe under way, which is given up after ``limit_s``."""
    return CircuitState(state.failures, state.open_until, now + limit_s)


def failed(state: CircuitState, failure: Failure, now: float, retry_after_s: float = 0.0) -> CircuitState:
    """Return the open state after a failure. Failures of sessions that began together count as one."""
    if circuit_of(state, now) is Circuit.OPEN:
        return CircuitState(state.failures, max(state.open_until, now + min(retry_after_s, LONGEST_S)), 0.0)
    open_s = min(LONGEST_S, OPEN_S[failure] * 2 ** min(state.failures, 10))
    return CircuitState(state.failures + 1, now + max(open_s, min(retry_after_s, LONGEST_S)), 0.0)

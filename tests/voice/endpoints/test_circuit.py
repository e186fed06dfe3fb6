"""The circuit of an endpoint."""

import pytest

from gateway.fleet.sessions import CircuitState
from gateway.voice.endpoints.circuit import Circuit, Failure, circuit_of, failed, failure_of, may_try, probing

NOW = 1000.0


def test_a_circuit_opens_then_lets_one_probe_through() -> None:
    """A probe that does not end is given up."""
    assert circuit_of(CircuitState(), NOW) is Circuit.CLOSED
    state = failed(CircuitState(), Failure.UNREACHABLE, NOW)
    assert circuit_of(state, NOW) is Circuit.OPEN
    assert not may_try(state, NOW)
    half = NOW + 2.0
    assert circuit_of(state, half) is Circuit.HALF_OPEN
    assert may_try(state, half)
    state = probing(state, half, 30.0)
    assert not may_try(state, half)
    assert may_try(state, half + 30)


def test_each_failed_probe_doubles_the_time() -> None:
    """Up to two minutes."""
    state, now, times = CircuitState(), NOW, []
    for _ in range(8):
        state = failed(state, Failure.QUOTA, now)
        times.append(state.open_until - now)
        now = state.open_until
    assert times == [5, 10, 20, 40, 80, 120, 120, 120]


def test_failures_of_calls_that_began_together_count_as_one() -> None:
    """A hundred calls that are refused at once do not close an endpoint for minutes."""
    state = failed(CircuitState(), Failure.TROUBLE, NOW)
    assert failed(state, Failure.TROUBLE, NOW + 0.1) == state
    assert failed(state, Failure.QUOTA, NOW + 0.1, 7.0) == CircuitState(1, NOW + 7.1, 0.0)


def test_retry_after_is_kept_to_within_reason() -> None:
    """An hour is cut to two minutes; less than the usual time does not shorten it."""
    assert failed(CircuitState(), Failure.QUOTA, NOW, 60).open_until == NOW + 60
    assert failed(CircuitState(), Failure.QUOTA, NOW, 3600).open_until == NOW + 120
    assert failed(CircuitState(), Failure.QUOTA, NOW, 1).open_until == NOW + 5


@pytest.mark.parametrize(
    ("status", "refused", "failure"),
    [
        (429, True, Failure.QUOTA),
        (401, True, Failure.CREDENTIAL),
        (403, True, Failure.CREDENTIAL),
        (0, True, Failure.CREDENTIAL),
        (0, False, Failure.UNREACHABLE),
        (503, False, Failure.TROUBLE),
        (400, True, None),
        (404, True, None),
    ],
)
def test_what_a_failed_connection_says_of_its_endpoint(status: int, refused: bool, failure: Failure | None) -> None:
    """A model that is not there is no fault of the endpoint."""
    assert failure_of(status, refused=refused) is failure

"""The service's faults at their moments: a time, an event, a place in a reply; on the connection that is meant."""

import math
from typing import Any

import pytest

from gateway.sim.faults import FaultPlan, drawn
from gateway.sim.faults.service import ConnectionFaults, ServiceFaults

DELTA, CREATED = "response.audio.delta", "response.created"


def faults(*service: dict[str, Any]) -> ServiceFaults:
    """The service's faults of a call."""
    return drawn(FaultPlan.model_validate({"service": list(service)}), 1).service


def connection(*service: dict[str, Any]) -> ConnectionFaults:
    """A session with these faults, begun at 100 s."""
    found = faults(*service).connect()
    found.begin(100.0)
    return found


def reply(held: ConnectionFaults, deltas: int) -> list[int]:
    """Let a response pass; return after which of its events something struck, 0 for ``response.created``."""
    held.response_begins(101.0)
    events = [CREATED, *[DELTA] * deltas]
    return [number for number, event in enumerate(events) if held.after(event, 101.0)]


def test_a_time_comes_once() -> None:
    """``next_at`` says when; afterwards there is nothing left."""
    held = connection({"kind": "cut", "when": {"s": 2.5}})
    assert held.next_at() == 102.5
    assert held.due(102.4) == []
    assert [fault.kind for fault in held.due(102.5)] == ["cut"]  # type: ignore[attr-defined]
    assert (held.due(200.0), held.next_at()) == ([], math.inf)


def test_right_after_a_delta_of_a_reply() -> None:
    """``{reply: 2, delta: 3}`` is the third delta of the second response, and no other."""
    held = connection({"kind": "reset", "when": {"reply": 2, "delta": 3}})
    assert [reply(held, 4) for _ in range(3)] == [[], [3], []]


def test_right_after_the_beginning_of_a_reply() -> None:
    """Without a delta it is ``response.created``."""
    held = connection({"kind": "half_open", "when": {"reply": 2}})
    assert [reply(held, 4) for _ in range(3)] == [[], [0], []]


def test_right_after_an_event() -> None:
    """The nth of its type."""
    held = connection({"kind": "malformed", "when": {"event": "session.updated", "nth": 2}})
    assert [bool(held.after(event, 101.0)) for event in ("session.updated", "x", "session.updated")] == [0, 0, 1]
    assert not held.follows_events


@pytest.mark.parametrize(
    ("which", "struck"), [(None, [1]), (2, [2]), ([1, 3], [1, 3]), ("every", [1, 2, 3, 4])], ids=str
)
def test_the_connection_that_is_meant(which: Any, struck: list[int]) -> None:
    """The first, a certain one, some, or every one."""
    some = {"kind": "refuse", "status": 503, **({} if which is None else {"connection": which})}
    held = faults(some)
    assert [number for number in range(1, 5) if held.connect().refuses(1.0) is not None] == struck


def test_a_service_that_falls_silent_stays_so() -> None:
    """From the reply on that is named, or from the first one after the time."""
    by_reply = connection({"kind": "mute", "when": {"reply": 2}})
    assert [by_reply.response_begins(101.0) is not None for _ in range(3)] == [False, True, True]
    by_time = connection({"kind": "mute", "when": {"s": 5}})
    assert [by_time.response_begins(at) is not None for at in (104.9, 105.0, 106.0)] == [False, True, True]
    assert by_time.next_at() == math.inf


def test_what_is_a_property_of_the_session() -> None:
    """Its lifetime, and what still comes after a cancellation."""
    held = connection({"kind": "expire", "after_s": 20}, {"kind": "late_deltas", "count": 4})
    assert (held.lifetime_s, held.late_deltas) == (20, 4)
    assert held.next_at() == math.inf
    assert (ConnectionFaults().lifetime_s, ConnectionFaults().late_deltas) == (None, None)

"""The choice of an endpoint."""

import random
from collections import Counter

from gateway.fleet.memory import Memory
from gateway.fleet.sessions import Session, Sessions, bytes_for
from gateway.voice.bot import Agent, Model
from gateway.voice.endpoints.circuit import Circuit, Failure
from gateway.voice.endpoints.endpoint import Endpoint
from gateway.voice.endpoints.pool import Lack, Pool

MODEL = Model("gpt-realtime")
NOW = 1000.0


def pool(*endpoints: Endpoint, seed: int = 1) -> Pool:
    """A pool of one process."""
    return Pool(endpoints, Sessions(Memory(bytes_for(100)), 0, 100), random.Random(seed).random)


def opened(held: Pool, now: float = NOW, **how: object) -> str:
    """The name of the endpoint that opens the next session."""
    session = held.open(MODEL, now, **how)  # type: ignore[arg-type]  # as a test writes them
    return session.endpoint if session is not None else ""


def test_the_first_priority_is_used_until_it_is_full() -> None:
    """Then the next; with none left, no session is opened."""
    held = pool(Endpoint("second", priority=2, sessions=1), Endpoint("first", priority=1, sessions=2))
    assert [opened(held) for _ in range(4)] == ["first", "first", "second", ""]
    assert held.lack(NOW) is Lack.QUOTA


def test_endpoints_of_a_priority_share_by_weight() -> None:
    """Three to one."""
    held = pool(Endpoint("large", weight=3), Endpoint("small", weight=1))
    counts = Counter[str]()
    for _ in range(400):
        session = held.open(MODEL, NOW)
        assert session is not None
        counts[session.endpoint] += 1
        held.note_over(session)
    assert 270 <= counts["large"] <= 330


def test_an_endpoint_that_failed_is_left_alone_then_probed_once() -> None:
    """A second session goes elsewhere while the probe is under way; its success closes the circuit."""
    held = pool(Endpoint("first"), Endpoint("second", priority=2))
    held.note_failed("first", Failure.QUOTA, NOW)
    assert opened(held) == "second"
    later = NOW + 5
    assert [opened(held, later) for _ in range(2)] == ["first", "second"]
    held.note_ready("first", 0.3)
    assert opened(held, later) == "first"
    assert [one.circuit for one in held.shown(later)] == [Circuit.CLOSED, Circuit.CLOSED]


def test_a_probe_without_a_result_lets_another_through() -> None:
    """As where the caller hangs up meanwhile."""
    held = pool(Endpoint("first"), Endpoint("second", priority=2))
    held.note_failed("first", Failure.UNREACHABLE, NOW)
    assert [opened(held, NOW + 2) for _ in range(2)] == ["first", "second"]
    held.give_up_probe("first")
    assert opened(held, NOW + 2) == "first"


def test_with_every_circuit_open_no_call_is_taken_but_one_on_the_line_is_tried() -> None:
    """A webhook can say so; a caller who is there already has nothing to lose."""
    held = pool(Endpoint("only"))
    assert held.reserve("call", (MODEL,), NOW, 60) is None
    held.note_failed("only", Failure.UNREACHABLE, NOW)
    assert held.lack(NOW) is Lack.UNREACHABLE
    assert held.reserve("other", (MODEL,), NOW, 60) is Lack.UNREACHABLE
    assert opened(held, call="call") == "only"
    assert held.lack(NOW + 2) is None


def test_half_open_one_call_is_taken() -> None:
    """It is the probe; until it has ended the next is refused."""
    held = pool(Endpoint("only"))
    held.note_failed("only", Failure.UNREACHABLE, NOW)
    assert held.reserve("call", (MODEL,), NOW + 2, 60) is None
    assert held.reserve("other", (MODEL,), NOW + 2, 60) is Lack.UNREACHABLE
    assert opened(held, NOW + 3, call="call") == "only"
    held.note_ready("only", 0.1)
    assert held.reserve("other", (MODEL,), NOW + 3, 60) is None


def test_what_a_webhook_reserved_is_opened_first() -> None:
    """Though another endpoint stands before it now."""
    held = pool(Endpoint("first", sessions=1), Endpoint("second", priority=2))
    taken = held.open(MODEL, NOW)
    assert taken is not None
    assert held.reserve("call", (MODEL,), NOW, 60) is None
    held.note_over(taken)
    assert opened(held, call="call") == "second"
    held.cancel("call", NOW)


def test_each_endpoint_is_tried_once_and_those_that_refuse_the_model_last() -> None:
    """``tried`` and ``poor`` are those of one call."""
    held = pool(Endpoint("first"), Endpoint("second", priority=2), Endpoint("third", priority=3))
    assert opened(held, poor=["first"]) == "second"
    assert opened(held, poor=["first"], tried=["second", "third"]) == "first"
    assert opened(held, tried=["first", "second", "third"]) == ""
    assert held.has_other(MODEL, NOW, ["first"]) == 2


def test_a_model_is_asked_for_where_it_is() -> None:
    """An agent nowhere else than at endpoints without models."""
    held = pool(Endpoint("west", models={"gpt-4.1": "gpt-4.1"}), Endpoint("east", priority=2, models={"a": "b"}))
    assert held.lack(NOW, (MODEL,)) is Lack.NO_MODEL
    assert held.lack(NOW, (MODEL, Model("gpt-4.1"))) is None
    assert held.lack(NOW, (Agent("desk", "contoso"),)) is Lack.NO_MODEL
    session = held.open(Model("a"), NOW)
    assert isinstance(session, Session)
    assert session.endpoint == "east"


def test_a_background_probe_is_due_when_a_circuit_is_half_open() -> None:
    """And at no other time: a healthy pool costs no session."""
    held = pool(Endpoint("first"), Endpoint("second"))
    opens: list[None] = []
    held.opened = lambda: opens.append(None)
    assert (held.probe_due(NOW), held.probe(NOW)) == (None, None)
    held.note_failed("second", Failure.UNREACHABLE, NOW)
    assert len(opens) == 1
    assert (held.probe_due(NOW), held.probe(NOW)) == (NOW + 2, None)
    probe = held.probe(NOW + 2)
    assert probe is not None
    assert probe.endpoint == "second"
    assert held.probe(NOW + 2) is None


def test_the_record_of_an_endpoint_is_shown() -> None:
    """Its sessions, its last failure, and a mean of the time to an accepted session."""
    held = pool(Endpoint("only"))
    assert opened(held) == "only"
    held.note_ready("only", 1.0)
    held.note_ready("only", 0.5)
    held.note_failed("only", Failure.TROUBLE, NOW)
    (shown,) = held.shown(NOW)
    assert (shown.sessions, shown.in_minute, shown.circuit, shown.last_failure) == (1, 1, Circuit.OPEN, "trouble")
    assert shown.ready_s is not None
    assert round(shown.ready_s, 3) == 0.9

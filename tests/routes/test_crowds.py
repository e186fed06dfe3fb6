"""Which connection makes way for a new one, and which are counted: without a network."""

from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Gauge

from gateway.call.refusal import Refusal
from gateway.routes.refusing.connections import Connections
from gateway.routes.refusing.refusals import Refused


class Peer:
    """A connection that rests, or does not; it notes that it was closed."""

    def __init__(self, bounds: Connections, *, rests: bool = True, reads: bool = True) -> None:
        self.bounds, self.is_waiting, self.writing_paused = bounds, rests, not reads
        self.closed = False

    def drop(self) -> None:
        self.closed = True
        self.bounds.gone(self)  # type: ignore[arg-type]  # as good as one


class Listener:
    """A listener's connections, and what is told of them."""

    def __init__(self, limit: int, descriptors: int | None = None) -> None:
        self.told: list[tuple[str, Refused]] = []
        self.gauge = Gauge("open", "Open.", registry=CollectorRegistry())
        self.bounds: Any = Connections(limit, descriptors, lambda *told: self.told.append(told), self.gauge)

    def opened(self, count: int = 1, **how: bool) -> list[Peer]:
        """Open so many connections, each of which is admitted."""
        peers = [Peer(self.bounds, **how) for _ in range(count)]
        assert [self.bounds.admits(peer) for peer in peers] == [True] * count
        return peers

    @property
    def counted(self) -> float:
        """What the gauge shows."""
        (family,) = self.gauge.collect()
        return float(family.samples[0].value)


def test_the_one_that_was_quiet_for_longest_makes_way() -> None:
    """Whoever has asked for something meanwhile is behind all others."""
    listener = Listener(3)
    first, second, third = listener.opened(3)
    listener.bounds.active(first)
    (fourth,) = listener.opened()
    (fifth,) = listener.opened()
    assert [peer.closed for peer in (first, second, third, fourth, fifth)] == [False, True, True, False, False]
    assert [(what, refused.reason, refused.detail) for what, refused in listener.told] == [
        ("request", Refusal.CROWDED, "3 connections are open: the one that was idle for longest was closed")
    ] * 2
    assert "limits.connections" in listener.told[0][1].hint
    assert listener.counted == 3


def test_one_that_works_is_not_closed_for_another() -> None:
    """The new one is refused where all work; one that does not read its answer makes way."""
    listener = Listener(2)
    working = listener.opened(2, rests=False)
    late = Peer(listener.bounds)
    assert listener.bounds.admits(late) is False
    assert [refused.detail for _, refused in listener.told] == ["2 connections are open: a new one was closed"]
    working[1].writing_paused = True
    listener.opened()
    assert [peer.closed for peer in working] == [False, True]
    assert listener.counted == 2


def test_a_connection_that_is_closed_leaves_its_room() -> None:
    """Nobody is closed for the next one; to close it again changes nothing."""
    listener = Listener(2)
    first, second = listener.opened(2)
    listener.bounds.gone(first)
    listener.bounds.gone(first)
    assert listener.counted == 1
    listener.opened()
    assert (second.closed, listener.told, listener.counted) == (False, [], 2)


def test_a_stream_needs_no_room_of_those_that_carry_none() -> None:
    """Nor does it make way; nothing that it asks for brings it back among them."""
    listener = Listener(2)
    stream, other = listener.opened(2)
    listener.bounds.upgraded(stream)
    listener.bounds.upgraded(stream)
    listener.bounds.active(stream)
    assert listener.counted == 1
    listener.opened()
    assert (stream.closed, other.closed, listener.told) == (False, False, [])
    listener.opened()
    assert (stream.closed, other.closed) == (False, True)
    assert listener.told[0][1].detail.startswith("3 connections are open")


@pytest.mark.parametrize(("descriptors", "room"), [(5, 3), (4, 2)])
def test_descriptors_bound_both_together(descriptors: int, room: int) -> None:
    """A stream needs two, for its session has a connection too; one that is closed gives them back."""
    listener = Listener(100, descriptors)
    (stream,) = listener.opened()
    listener.bounds.upgraded(stream)
    resting = listener.opened(room)
    assert listener.told == []
    listener.opened()
    assert (resting[0].closed, len(listener.told)) == (True, 1)
    assert "limit of open files" in listener.told[0][1].hint
    listener.bounds.gone(stream)
    listener.opened(2)
    assert len(listener.told) == 1


def test_without_a_gauge_nothing_is_shown() -> None:
    """The listener of those who watch has none."""
    bounds: Any = Connections(1, None, lambda *_: None)
    assert bounds.admits(Peer(bounds))

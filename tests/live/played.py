"""Calls that look as a test wants them to."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from gateway.call.call import Call
from gateway.call.calls import Calls
from gateway.call.ending import Order
from gateway.call.history.glance import Glance, LastWords
from gateway.call.record import CallIdentity


class PlayedCall:
    """A call without legs: it looks as its test says, and keeps its orders."""

    def __init__(self, call_id: str, glance: Glance | None = None) -> None:
        self.identity = CallIdentity(call_id, "twilio", "support", "+14155550123", "+14255550100", "g711_ulaw", 40.0)
        self.now = glance or Glance("talking", "caller", LastWords("caller", "Where is my order?"), ("desk",))
        self.orders: list[Order] = []
        self.looks = 0

    def glance(self) -> Glance:
        """Return what it looks like."""
        self.looks += 1
        return self.now

    def order(self, order: Order) -> None:
        """Keep an order."""
        self.orders.append(order)


@contextmanager
def going_on(calls: Calls, *played: PlayedCall) -> Iterator[None]:
    """Let calls go on in a process until the block ends."""
    if not played:
        yield
        return
    first, *others = played
    with calls.running(cast("Call", first), ("twilio", first.identity.call_id)), going_on(calls, *others):
        yield

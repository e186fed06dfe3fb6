"""Messages that come in, without a connection: handed on, or kept."""

from contextvars import ContextVar

import pytest

from gateway.sockets.inlet import MESSAGE_COST, UNREAD_LIMIT, Inlet

CALL: ContextVar[str] = ContextVar("CALL", default="none")


class Peer:
    """Notes whether it may send."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.inlet = Inlet(lambda: self.said.append("pause"), lambda: self.said.append("resume"))


async def test_messages_are_kept_until_somebody_takes_them() -> None:
    """In their order, and up to a limit: then the peer has to wait until all were taken."""
    peer = Peer()
    piece = "x" * (UNREAD_LIMIT // 2 - MESSAGE_COST)
    for message in (piece, piece):
        peer.inlet.deliver(message)
    assert peer.said == []
    peer.inlet.deliver("")
    peer.inlet.deliver(b"")
    assert peer.said == ["pause"]
    assert [peer.inlet.next_unread() for _ in range(4)] == [piece, piece, "", b""]
    assert (peer.said, peer.inlet.has_unread) == (["pause", "resume"], False)


async def test_messages_are_handed_on_with_the_context_of_whoever_takes_them() -> None:
    """The lines of the log that are written meanwhile have the call's id."""
    inlet, taken = Peer().inlet, []

    def take(message: str | bytes) -> bool:
        taken.append((message, CALL.get()))
        return message != "last"

    token = CALL.set("call-1")
    inlet.begin(take, lambda: taken.append(("alive", CALL.get())))
    CALL.reset(token)
    arrival = inlet.wait()
    inlet.deliver("one")
    inlet.sign_of_life()
    assert not arrival.done()
    inlet.deliver("last")
    assert arrival.done()
    inlet.deliver("later")
    inlet.sign_of_life()
    assert taken == [("one", "call-1"), ("alive", "call-1"), ("last", "call-1")]
    assert inlet.next_unread() == "later"


@pytest.mark.parametrize("by", ["take", "alive"])
async def test_what_a_taker_raises_is_raised_where_messages_are_awaited(by: str) -> None:
    """And not where they arrive, in the transport."""
    inlet = Peer().inlet

    def fail(*_: object) -> bool:
        raise LookupError(by)

    inlet.begin(fail, fail)  # type: ignore[arg-type]  # as good as what returns nothing: it raises
    arrival = inlet.wait()
    inlet.deliver("one") if by == "take" else inlet.sign_of_life()
    with pytest.raises(LookupError, match=by):
        await arrival


async def test_the_end_wakes_whoever_waits_and_lets_nothing_more_in() -> None:
    """A second wait at once is a bug, one after the other is not."""
    inlet = Peer().inlet
    arrival = inlet.wait()
    with pytest.raises(RuntimeError, match="awaited twice"):
        inlet.wait()
    inlet.end()
    inlet.end()
    await arrival
    inlet.waited()
    inlet.wait()
    inlet.deliver("late")
    assert (inlet.is_over, inlet.has_unread) == (True, False)

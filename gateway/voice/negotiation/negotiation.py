"""The session to ask for next: the one that was asked for, without what was refused. Pure."""

from collections.abc import Sequence

from gateway.voice.negotiation.members import kept_by_name, named
from gateway.voice.negotiation.reductions import Policy, Session, in_order, reduced
from gateway.voice.negotiation.refusal import Refusal


class Negotiation:
    """The state of one session's negotiation. ``session`` is what to send; ``left_out`` names what is not in it."""

    def __init__(self, session: Session, policy: Policy, left_out: Sequence[str] = ()) -> None:
        """Begin with the whole session, or without what was refused before."""
        self.session = session
        self.left_out: tuple[str, ...] = ()
        self._policy = policy
        self._reduce(left_out)

    def refused(self, refusal: Refusal, *, last: bool = False) -> Sequence[str]:
        """Leave out what was refused, and return the names of it; nothing where nothing may be left out.

        What the refusal names goes first. Where it names nothing, or nothing that can be left out, the next group of
        the order goes. ``last``: one more try is all there is, so everything goes that may. So it is after a connection
        that was closed without a name: there is one more alone.
        """
        if refusal.is_of_the_model or kept_by_name(refusal):
            return ()
        gone: list[str] = []
        for names in named(refusal, self.session):
            gone += next((one for name in names if (one := self._reduce((name,)))), ())
        all_at_once = last or (refusal.closed and not gone)
        if all_at_once or not gone:
            for group in in_order(self.session, self._policy):
                gone += self._reduce(group)
                if gone and not all_at_once:
                    break
        return tuple(gone)

    def _reduce(self, names: Sequence[str]) -> Sequence[str]:
        gone = []
        for name in names:
            session = reduced(self.session, name, self._policy)
            if session is not None:
                self.session = session
                gone.append(name)
        self.left_out = (*self.left_out, *gone)
        return gone

"""The sessions of those who have signed in."""

from gateway.console.access.sessions import MOST, Sessions
from gateway.console.visitors import NOBODY, Need, Visitor

ANNA = Visitor("anna", frozenset({Need.VIEWER}))


def test_a_session_ends_when_it_is_idle_or_old() -> None:
    """Each request puts the first end off, and never the second."""
    sessions = Sessions(idle_s=10, life_s=25)
    sessions.begin("c", ANNA, 0)
    assert sessions.visitor("c", 9) is ANNA
    assert sessions.visitor("c", 18) is ANNA
    assert sessions.visitor("c", 26) is NOBODY
    sessions.begin("c", ANNA, 0)
    assert sessions.visitor("c", 11) is NOBODY
    assert sessions.visitor("c", 1) is NOBODY


def test_a_session_belongs_to_its_cookie() -> None:
    """Another has none, and the end of one ends no other."""
    sessions = Sessions(10, 10)
    sessions.begin("c", ANNA, 0)
    sessions.begin("d", ANNA, 0)
    assert sessions.visitor("", 1) is NOBODY
    sessions.end("c")
    sessions.end("e")
    assert (sessions.visitor("c", 1), sessions.visitor("d", 1)) == (NOBODY, ANNA)


def test_sessions_are_bounded() -> None:
    """The one that was idle for longest goes."""
    sessions = Sessions(10, 10)
    for n in range(MOST):
        sessions.begin(str(n), ANNA, 0)
    sessions.visitor("0", 1)
    sessions.begin("one more", ANNA, 1)
    assert (sessions.visitor("0", 1), sessions.visitor("1", 1)) == (ANNA, NOBODY)

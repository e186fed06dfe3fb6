"""What visitors may do."""

import pytest

from gateway.console.visitors import LOCAL, NOBODY, ROLES, Need, Visitor


@pytest.mark.parametrize("need", sorted(ROLES))
def test_nobody_has_a_role(need: Need) -> None:
    """Who has not signed in gets what needs nothing."""
    assert not NOBODY.may(need)
    assert NOBODY.may(Need.NOTHING)


def test_each_role_sees_calls_and_stands_for_itself() -> None:
    """An operator does not hear, a listener does not end."""
    operator, listener = Visitor("a", frozenset({Need.OPERATOR})), Visitor("b", frozenset({Need.LISTENER}))
    assert operator.may(Need.VIEWER)
    assert listener.may(Need.VIEWER)
    assert not operator.may(Need.LISTENER)
    assert not listener.may(Need.OPERATOR)
    assert all(LOCAL.may(need) for need in Need)

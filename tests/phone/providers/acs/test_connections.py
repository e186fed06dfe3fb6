"""The memory of calls at ACS."""

import pytest

from gateway.phone.providers.acs.connections import CALLERS_LIMIT, Connections


def test_so_many_are_remembered_and_the_oldest_goes() -> None:
    """A process that runs for months forgets."""
    connections = Connections()
    for number in range(CALLERS_LIMIT + 1):
        connections.note(f"c{number}", "told")
        connections.note_caller(f"told{number}", "+14158675309")
    assert (connections.find("c0"), connections.caller("told0")) == ("", "")
    assert (connections.find("c1"), connections.caller("told1")) == ("told", "+14158675309")


@pytest.mark.parametrize(("correlation_id", "connection_id"), [("", "told"), ("c", ""), ("c", "a/b")])
def test_what_is_no_connection_is_not_remembered(correlation_id: str, connection_id: str) -> None:
    """An id with a path in it would change a URL."""
    connections = Connections()
    connections.note(correlation_id, connection_id)
    assert connections.find(correlation_id) == ""


@pytest.mark.parametrize(("connection_id", "caller"), [("", "+1"), ("told", ""), ("told", "anonymous")])
def test_nobody_is_dialled_to_who_is_not_known(connection_id: str, caller: str) -> None:
    """A caller who withholds the number is nobody to dial to."""
    connections = Connections()
    connections.note_caller(connection_id, caller)
    assert connections.caller(connection_id) == ""

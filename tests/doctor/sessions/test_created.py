"""What a session has that is new."""

from gateway.doctor.sessions.created import unknown_members
from gateway.sim.emulator.settings.engine import Engine


def test_new_members_are_named_in_order() -> None:
    """As the service has them."""
    assert unknown_members({"id": "s", "b": 1, "voice": {}, "a": 2}) == ["b", "a"]


def test_the_sessions_that_are_documented_have_nothing_new() -> None:
    """The emulator's, native and cascaded, which are written from recordings."""
    for model in ("gpt-realtime", "gpt-4.1"):
        session = Engine.of(model, "2026-07-15").new_session(None)
        assert unknown_members(session) == []

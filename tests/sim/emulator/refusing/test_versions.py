import pytest

from gateway.sim.emulator.record import Rejected
from gateway.sim.emulator.refusing.versions import check_response, check_session
from tests.sim.emulator.wire import Event, conversation, scripted


@pytest.mark.parametrize(
    ("member", "newest_without", "oldest_with"),
    [
        ("metadata", "2026-01-01-preview", "2026-04-10"),
        ("include", "2026-01-01-preview", "2026-04-10"),
        ("parallel_tool_calls", "2026-04-10", "2026-06-01-preview"),
        ("reasoning_effort", "2025-10-01", "2026-01-01-preview"),
        ("interim_response", "2025-10-01", "2026-01-01-preview"),
    ],
)
def test_a_member_is_known_since_a_version(member: str, newest_without: str, oldest_with: str) -> None:
    """The version before it refuses the member by its name, null included."""
    with pytest.raises(Rejected) as refused:
        check_session({member: None}, newest_without)
    assert refused.value.param == f"session.{member}"
    check_session({member: None}, oldest_with)
    check_session({}, "2025-05-01-preview")
    check_session({"input_audio_echo_cancellation": {"channels": 1, "reference_source": "server"}}, "2025-10-01")


def test_a_response_has_members_with_versions_too() -> None:
    """A ready-made message is as new as the metadata of a session."""
    ready: Event = {"pre_generated_assistant_message": {}}
    with pytest.raises(Rejected, match="pre_generated_assistant_message"):
        check_response(ready, "2026-01-01-preview")
    check_response(ready, "2026-04-10")
    check_response(None, "2025-10-01")


async def test_a_session_is_checked_against_the_version_of_its_handshake() -> None:
    """Unless the script says otherwise; a client that sends it breaks a rule."""
    script = scripted({"say": "A"})
    async with conversation(script, version="2025-10-01") as (wire, session):
        await wire.send("session.update", session={"metadata": {"a": "b"}})
        assert (await wire.error())["param"] == "session.metadata"
        assert session.violations == ["invalid_request_error: Unknown parameter: 'session.metadata'."]
        await wire.update()
        await wire.send("response.create", response={"pre_generated_assistant_message": {}})
        assert (await wire.error())["param"] == "response.pre_generated_assistant_message"
    lenient = scripted({"say": "A"}, refuse={"versions": False})
    async with conversation(lenient, version="2025-10-01") as (wire, _):
        await wire.update(metadata={"a": "b"})

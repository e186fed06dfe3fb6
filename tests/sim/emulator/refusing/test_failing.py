from typing import Any

import pytest

from gateway.sim.emulator.refusing.failing import failure_of
from gateway.sim.emulator.settings.engine import Engine
from gateway.sim.emulator.settings.fields import ResponseFields
from tests.sim.emulator.wire import answered, quick

READY = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hello."}]}


def failure(model: str, session: dict[str, Any], **request: Any) -> str:
    """Why a response fails; empty where it does not."""
    return failure_of(Engine.of(model, "2026-07-15"), session, ResponseFields(**request)) or ""


@pytest.mark.parametrize(
    ("model", "session", "member"),
    [
        ("gpt-4.1", {"reasoning_effort": "low"}, "reasoning_effort"),
        ("gpt-5-chat", {"reasoning_effort": "low"}, "reasoning_effort"),
        ("phi4-mm-realtime", {"reasoning_effort": "low"}, "reasoning_effort"),
        ("gpt-5", {"temperature": 0.8}, "temperature"),
        ("gpt-5-mini", {"temperature": 0.8, "reasoning_effort": "minimal"}, "temperature"),
        ("gpt-5", {"temperature": 0.8, "reasoning_effort": "none"}, "temperature"),
        ("gpt-5.1", {"temperature": 0.8, "reasoning_effort": "low"}, "temperature"),
    ],
)
def test_settings_with_which_every_response_fails(model: str, session: dict[str, Any], member: str) -> None:
    """The reason names the member."""
    assert f"'{member}'" in failure(model, session)


@pytest.mark.parametrize(
    ("model", "session"),
    [
        ("gpt-4.1", {"temperature": 0.8}),
        ("gpt-5", {"temperature": 1.0, "reasoning_effort": "high"}),
        ("gpt-5.1", {"temperature": 0.8}),
        ("gpt-5.1", {"temperature": 0.8, "reasoning_effort": "none"}),
        ("gpt-5-chat", {"temperature": 0.8}),
        ("gpt-9", {"temperature": 0.8, "reasoning_effort": "none"}),
        ("gpt-realtime-2", {"temperature": 0.8, "reasoning_effort": "low"}),
    ],
)
def test_settings_with_which_responses_succeed(model: str, session: dict[str, Any]) -> None:
    """A model that does not reason has a temperature; a speech model has both."""
    assert failure(model, session) == ""


def test_a_response_has_settings_of_its_own() -> None:
    """They replace those of the session; a ready-made message passes by the model."""
    assert failure("gpt-5", {"temperature": 1.0}, temperature=0.7)
    assert failure("gpt-4.1", {}, reasoning_effort="low")
    assert not failure("gpt-4.1", {"reasoning_effort": "low"}, pre_generated_assistant_message=READY)


def test_a_deployment_of_the_clients_is_not_judged_by_its_name() -> None:
    """Bring-your-own models have any name."""
    own = Engine.of("gpt-4.1", "2026-07-15", profile="byom-azure-openai-chat-completion")
    assert failure_of(own, {"reasoning_effort": "low"}, ResponseFields()) is None


async def test_settings_that_fail_every_response() -> None:
    """The session is accepted, no response is; the reason stands in the response and among the violations."""
    response, violations = await answered(quick(), reasoning_effort="low")
    assert response["status"] == "failed"
    assert violations == [
        "failing_settings: Unsupported parameter: 'reasoning_effort' is not supported with 'gpt-4.1'."
    ]

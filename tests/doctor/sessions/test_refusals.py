"""The remedies for refusals."""

import pytest

from gateway.doctor.sessions.refusals import handshake_remedy, refusal_remedy
from gateway.voice.bot import Agent, Model

MODEL, AGENT = Model("gpt-4.1"), Agent("desk", "contoso")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "voice_live.api_version"),
        (401, "Keys and Endpoint"),
        (403, "Foundry User"),
        (404, "voice_live.endpoint"),
        (429, "quota"),
        (503, "later"),
        (0, "rows above"),
    ],
)
def test_a_handshake(status: int, words: str) -> None:
    """Each status has its own."""
    assert words in handshake_remedy(status, MODEL)


def test_an_agent_takes_no_key() -> None:
    """A 401 is a matter of roles."""
    assert "Foundry User" in handshake_remedy(401, AGENT)


@pytest.mark.parametrize(
    ("codes", "answering", "words"),
    [
        (["invalid_request_error", "invalid_model"], MODEL, "region"),
        (["invalid_session_update_message"], AGENT, "kind: voice"),
        (["invalid_session_update_message"], MODEL, "take the named member out"),
        ([], MODEL, "take the named member out"),
    ],
)
def test_a_session(codes: list[str], answering: Model | Agent, words: str) -> None:
    """The code decides."""
    assert words in refusal_remedy(codes, answering)

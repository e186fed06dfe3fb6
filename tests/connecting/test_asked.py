"""What a connection is asked for."""

import pytest

from gateway.connecting.asked import voice_agent_url

AGENT = {"agent_name": "my desk", "project_name": "contoso", "agent_version": "3", "conversation_id": "conv_1"}


@pytest.mark.parametrize(
    "url", ["wss://host/root/voice-live/realtime?api-version=1", "wss://host/root", "wss://host/root/"]
)
def test_an_agent_of_kind_voice_has_a_route_of_its_own(url: str) -> None:
    """On the endpoint's host and below its path, whether the SDK prepared the address or not."""
    assert voice_agent_url(url, AGENT) == (
        "wss://host/root/api/projects/contoso/agents/my%20desk/endpoint/protocols/voice"
        "?api-version=2025-11-15-preview&agent-version=3&conversation-id=conv_1"
    )

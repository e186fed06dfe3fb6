"""A Foundry agent that answers a line instead of a model (Voice Live API reference 2026-07-15, agent mode)."""

from typing import Literal

from gateway.config.reading.section import Section, Text, Wording

AGENTS_HOST = ".services.ai.azure.com"
"""The end of the hosts that take agents."""
OLD_HOST = ".cognitiveservices.azure.com"
"""The end of the hosts of older resources, which answer an agent's connection with 400."""


class Agent(Section):
    """A Foundry agent; it has its own instructions, model and tools. Reached with Microsoft Entra ID alone."""

    name: Text
    """The name of the agent in its project."""
    project: Text
    """The Foundry project that it belongs to."""
    kind: Literal["prompt", "voice"] = "prompt"
    """voice for an agent that was made as a voice agent: it is reached by another route."""
    version: Wording | None = None
    """The agent's version, in quotes; defaults to the newest."""
    conversation_id: Text | None = None
    """A conversation of the same agent and project to continue."""
    foundry_resource_override: Text | None = None
    """The Foundry resource, where the agent is in another than the Voice Live endpoint's."""
    identity_client_id: Text | None = None
    """The client id of the managed identity that reaches that other resource."""

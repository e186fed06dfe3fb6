"""The bot that answers a call: a model of Voice Live, or an agent of Microsoft Foundry."""

from dataclasses import dataclass

from gateway.config.line.line import Line


@dataclass(frozen=True)
class Model:
    """A model by its name, such as ``gpt-realtime``."""

    name: str


@dataclass(frozen=True)
class Agent:
    """A Foundry agent, which has its own instructions, model and tools (Voice Live API reference, agent mode).

    Empty values are left to the service: the newest version, a new conversation, the endpoint's own resource.
    """

    name: str
    project: str
    version: str = ""
    conversation_id: str = ""
    foundry_resource_override: str = ""
    """The resource of the agent, where it is not the endpoint's."""
    identity_client_id: str = ""
    """The managed identity that reaches that other resource."""
    kind: str = "prompt"
    """``voice`` for an agent that has a route of its own, and its own greeting."""


Answering = Model | Agent


def answering_for(line: Line) -> Answering:
    """Return the model or agent that answers the line's calls."""
    agent = line.settings.agent
    if agent is None:
        return Model(line.model)
    return Agent(
        name=agent.name,
        project=agent.project,
        version=agent.version or "",
        conversation_id=agent.conversation_id or "",
        foundry_resource_override=agent.foundry_resource_override or "",
        identity_client_id=agent.identity_client_id or "",
        kind=agent.kind,
    )


def name_of(answering: Answering) -> str:
    """Return the name of a model, or of an agent with its project."""
    return answering.name if isinstance(answering, Model) else f"agent {answering.name} of {answering.project}"

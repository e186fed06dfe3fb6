"""The remedies for what Voice Live refuses: by the status of a handshake, by the code of an error. Pure."""

from collections.abc import Iterable

from gateway.voice.bot import Agent, Answering

_ROLES = (
    "assign the identity the roles Cognitive Services User and Foundry User on the resource; they take effect after "
    "5 to 10 minutes"
)
_HANDSHAKE = {
    400: "correct voice_live.api_version; an agent needs the resource's address at services.ai.azure.com",
    403: _ROLES,
    404: "correct voice_live.endpoint: the portal shows the resource's address, https://<resource>.services.ai.azure.com",
    429: "wait a minute, and raise the resource's quota of new connections if calls meet it",
}
_KEY = "use a key of this resource, as the portal shows it under Keys and Endpoint; a 401 can be a missing role as well"
_BY_CODE = {
    "invalid_model": "name a model that the resource's region has, such as gpt-realtime",
    "invalid_profile": "correct the profile of the model that you brought",
    "byom_realtime_connection_error": "correct the deployment of the model that you brought",
    "agent_initialization_failed": "correct the agent in Foundry: its voice settings must fit one key, 512 characters",
}
_AGENT_KIND = (
    "write the kind into the line, agent: {kind: voice}: such agents are reached by another address; or correct the "
    "name and the roles: the agent may not exist, or may not be allowed"
)


def handshake_remedy(status: int, answering: Answering) -> str:
    """Return the remedy for a handshake that was answered with ``status``; 0 where it was not answered."""
    if status == 401:
        return _ROLES if isinstance(answering, Agent) else _KEY
    if status >= 500:
        return "try again later; the status page of Azure tells of outages"
    return _HANDSHAKE.get(status, "see what the rows above say of the way to the endpoint")


def refusal_remedy(codes: Iterable[str], answering: Answering) -> str:
    """Return the remedy for a session that was refused with errors of these codes."""
    known = list(codes)
    for code in known:
        if code in _BY_CODE:
            return _BY_CODE[code]
    if isinstance(answering, Agent) and "invalid_session_update_message" in known:
        return _AGENT_KIND
    return "take the named member out of the line, or use another model"

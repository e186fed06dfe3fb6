"""The service's words in HTTP: what an answer says, which request it was, and what usually helps. Pure."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from gateway.config.line.agent import AGENTS_HOST, OLD_HOST
from gateway.voice.bot import Agent, Answering
from gateway.voice.negotiation.refusal import POLICY, Refusal, shortened

_REQUEST_IDS = ("apim-request-id", "x-ms-request-id", "x-request-id", "x-ms-client-request-id")
"""Headers in which Azure's services name a request, the most useful first."""
_ADVICE: Mapping[int, str] = {
    401: "the API key or token is wrong for this resource",
    403: "the identity lacks the roles Cognitive Services User and Foundry User",
    404: "the endpoint has no Voice Live, or the region lacks the model",
    429: "the resource's quota of new connections is used up",
}
_OF_THE_ROUTE = frozenset({"invalid_session_update_message", "max_config_attempts_exceeded"})
"""Codes with which an agent of the other kind answers whatever it is asked for."""


def advice_for(status: int, endpoint: str, answering: Answering, said: str = "") -> str:
    """Return what a refused handshake usually means, by its status and what it ``said``; empty if that is open."""
    if status == 401 and "PermissionDenied" in said:  # the credential is right, and may not do this
        status = 403
    host = urlsplit(endpoint).hostname or ""
    if status == 400 and isinstance(answering, Agent) and host.endswith(OLD_HOST):
        return f"agents are reached at {host.removesuffix(OLD_HOST)}{AGENTS_HOST}"
    return _ADVICE.get(status, "")


def advice_for_refusal(refusal: Refusal, answering: Answering) -> str:
    """Return what a refusal of every session usually means; empty where it may mean anything."""
    is_of_the_route = refusal.close_code == POLICY or refusal.code in _OF_THE_ROUTE
    if not is_of_the_route or not isinstance(answering, Agent):
        return ""
    if answering.kind == "voice":
        return "the agent may be none of kind voice, or the identity may lack Foundry User on its project"
    return (
        "the agent may be of kind voice, which the line must say (agent: {kind: voice}), or may not exist, or the "
        "identity may lack Foundry User on its project"
    )


def said_in(body: str) -> str:
    """Return what an HTTP body says: the message of a JSON error in any of its shapes, else the text itself."""
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return "" if body.lstrip().startswith("<") else shortened(body)  # a page for browsers says nothing more
    if not isinstance(answer, dict):
        return ""
    error = answer.get("error")
    if isinstance(error, str):
        return shortened(str(answer.get("message") or error))
    found = error if isinstance(error, dict) else answer
    message, code = str(found.get("message") or ""), str(found.get("code") or found.get("statusCode") or "")
    return shortened(f"{code}: {message}" if message and code and not code.isdigit() else message or code)


def request_id_in(headers: Mapping[str, str]) -> str:
    """Return the id by which the service knows the request, for a support case; empty without one."""
    return next((shortened(headers[name]) for name in _REQUEST_IDS if headers.get(name)), "")

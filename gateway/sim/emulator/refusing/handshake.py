"""Refuses the WebSocket handshake: credentials, quota, parameters, and what the script asks for."""

import asyncio
from collections import deque
from uuid import uuid4

from aiohttp import web

from gateway.sim.emulator.faults import HandshakeFault
from gateway.sim.emulator.outgoing import reset
from gateway.sim.emulator.script import Script
from gateway.sim.emulator.settings.old_names import agent_key

_WRONG_KEY = (
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an "
    "active subscription and use a correct regional API endpoint for your resource."
)
_NO_ROLE = (
    "The principal lacks the required data action Microsoft.CognitiveServices/accounts/VoiceLive/realtime/action to "
    "perform GET /voice-live/realtime operation."
)
_WORDS = {
    400: ("400", "The request is invalid."),
    401: ("401", _WRONG_KEY),
    403: ("PermissionDenied", _NO_ROLE),
    404: ("404", "Resource not found"),
    429: ("429", "Requests to the realtime operation have exceeded the rate limit of your current tier."),
    500: ("InternalServerError", "The server had an error while processing your request."),
    503: ("ServiceUnavailable", "The service is temporarily unavailable."),
}
"""Code and message of a status, where the script has none of its own."""


class Handshakes:
    """The handshakes of one emulator."""

    def __init__(self, script: Script, api_key: str | None) -> None:
        self._script = script
        self._api_key = api_key
        self._times: deque[float] = deque()
        self._refused = 0

    def fault(self) -> HandshakeFault | None:
        """Return the failure that the script has for this handshake, and count it."""
        fault = self._script.faults.handshake
        if fault is None or (fault.times is not None and self._refused >= fault.times):
            return None
        self._refused += 1
        return fault

    def refusal(self, request: web.Request) -> web.Response | None:
        """Return the answer to a handshake that the service refuses by itself, or None."""
        if self._too_many():
            return refused(429, retry_after_s=60)
        query = request.query
        if not query.get("api-version"):
            return refused(400, "Missing required query parameter: api-version")
        agent = bool(query.get(agent_key(query["api-version"])) and query.get("agent-project-name"))
        if not (query.get("model") or agent):
            return refused(400, "Missing required query parameter: model, or agent-name and agent-project-name")
        if not self._admits(request, agent_mode=agent):
            return refused(401)
        host = (self._script.host or request.host).partition(":")[0]
        if agent and host.endswith(".cognitiveservices.azure.com"):
            return refused(400, f"Agents are not supported at {host}.")
        return None

    def _too_many(self) -> bool:
        limit = self._script.faults.connections_per_minute
        if limit is None:
            return False
        now = asyncio.get_running_loop().time()
        while self._times and now - self._times[0] >= 60:
            self._times.popleft()
        self._times.append(now)
        return len(self._times) > limit

    def _admits(self, request: web.Request, *, agent_mode: bool) -> bool:
        bearer = request.headers.get("Authorization") or request.query.get("Authorization") or ""
        if bearer.startswith("Bearer ") and bearer.removeprefix("Bearer ").strip():
            return True
        key = request.headers.get("api-key") or request.query.get("api-key")
        return bool(key) and not agent_mode and self._api_key in (None, key)


def request_ids() -> dict[str, str]:
    """Return the headers by which Azure names a request, in answers of either kind."""
    return {"apim-request-id": str(uuid4()), "x-ms-request-id": str(uuid4())}


def refused_by(fault: HandshakeFault, request: web.Request) -> web.Response:
    """Return the answer of a script's failure; a connection that is to be reset is reset at once."""
    if fault.reset and request.transport is not None:
        reset(request.transport)
    response = refused(fault.status or 503, fault.message, code=fault.code, retry_after_s=fault.retry_after_s)
    if fault.body is not None:
        response.text = fault.body
        response.content_type = "text/html" if fault.body.lstrip().startswith("<") else "text/plain"
    response.headers.update(fault.headers)
    return response


def refused(
    status: int, message: str | None = None, *, code: str | None = None, retry_after_s: int | None = None
) -> web.Response:
    """Return an answer as Azure words it: a code and a message in JSON, and the ids of the request."""
    known_code, known_message = _WORDS.get(status, (str(status), "The request was refused."))
    headers = request_ids()
    if 300 <= status < 400:
        headers["Location"] = "/elsewhere"
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    error = {"code": code or known_code, "message": message or known_message}
    return web.json_response({"error": error}, status=status, headers=headers)

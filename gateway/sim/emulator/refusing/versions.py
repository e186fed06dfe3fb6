"""The members that an API version does not know yet.

Versions are those whose SDK was the first with the member (azure-ai-voicelive, release history). What the service
itself took earlier is unconfirmed, but for members that the SDK's live tests send at an earlier version, such as the
``channels`` of an echo cancellation at 2025-10-01: they are not listed.
"""

from collections.abc import Mapping

from gateway.sim.emulator.record import Rejected
from gateway.sim.emulator.refusing.rules import has_member

_SESSION_SINCE: Mapping[str, str] = {
    "interim_response": "2026-01-01-preview",
    "reasoning_effort": "2026-01-01-preview",
    "voice.custom_text_normalization_url": "2026-01-01-preview",
    "include": "2026-04-10",
    "metadata": "2026-04-10",
    "parallel_tool_calls": "2026-06-01-preview",
}
_RESPONSE_SINCE: Mapping[str, str] = {
    "interim_response": "2026-01-01-preview",
    "reasoning_effort": "2026-01-01-preview",
    "metadata": "2026-01-01-preview",
    "pre_generated_assistant_message": "2026-04-10",
    "invoke_input": "2026-06-01-preview",
}


def check_session(session: object, api_version: str) -> None:
    """Raise :class:`Rejected` for the first member of a ``session`` that is newer than the version."""
    _check(session, api_version, _SESSION_SINCE, "session")


def check_response(response: object, api_version: str) -> None:
    """Raise :class:`Rejected` for the first member of a ``response`` that is newer than the version."""
    _check(response, api_version, _RESPONSE_SINCE, "response")


def _check(body: object, api_version: str, since: Mapping[str, str], name: str) -> None:
    for member, version in since.items():
        if api_version < version and has_member(body, member):
            param = f"{name}.{member}"
            raise Rejected(f"Unknown parameter: '{param}'.", code="invalid_request_error", param=param)

"""The kinds of agents, which differ in what they take of a client's session.

Seen at the service: an agent that carries ``microsoft.voice-live.configuration`` refuses a voice, turn detection and
transcription; one without needs them; an agent of ``kind: voice`` fails on the route of Voice Live.
"""

from gateway.sim.emulator.record import Rejected
from gateway.sim.emulator.refusing.rules import AgentKind, has_member

OF_THE_AGENT = ("voice", "turn_detection", "input_audio_transcription")
_NEEDED = ("voice", "turn_detection")


def check(session: object, kind: AgentKind) -> None:
    """Raise :class:`Rejected` where an agent of this kind refuses the update."""
    if kind == "configured":
        for key in OF_THE_AGENT:
            if has_member(session, key):
                raise _rejected(key, f"Overriding {key} is not supported: the agent has its own configuration.")
    if kind == "bare":
        for key in _NEEDED:
            if not has_member(session, key):
                raise _rejected(key, f"Missing required parameter: 'session.{key}'.")


def invalid_message() -> Rejected:
    """Return the error by which the route of Voice Live answers for an agent of ``kind: voice``."""
    return Rejected(
        "Invalid session update message: the agent's configuration is not supported by this endpoint.",
        code="invalid_session_update_message",
        param="type",
        harmless=True,
    )


def _rejected(key: str, message: str) -> Rejected:
    return Rejected(message, code="invalid_request_error", param=f"session.{key}", harmless=True)

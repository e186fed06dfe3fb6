"""The names that earlier versions of the API had, each accepted up to the version that dropped it.

Versions are those whose SDK dropped the name (azure-ai-voicelive, release history); what the service itself still took
after that is unconfirmed.
"""

from collections.abc import Mapping

from gateway.sim.emulator.record import Rejected
from gateway.sim.emulator.refusing.rules import has_member, member_of

FIRST_GENERAL = "2025-10-01"
"""The first version that is no preview."""
_MEMBERS_UNTIL: Mapping[str, str] = {
    "turn_detection.end_of_utterance_detection.threshold": FIRST_GENERAL,
    "turn_detection.end_of_utterance_detection.timeout": FIRST_GENERAL,
    "input_audio_transcription.enabled": FIRST_GENERAL,
    "input_audio_transcription.custom_model": FIRST_GENERAL,
}
_VALUES_UNTIL: Mapping[tuple[str, str], str] = {
    ("turn_detection.type", "azure_multilingual_semantic_vad"): FIRST_GENERAL,
    ("output_audio_format", "pcm16-8000hz"): "2026-04-10",
    ("output_audio_format", "pcm16-16000hz"): "2026-04-10",
}
_SMART_END = "smart_end_of_turn_detection"
_AGENT_ID_UNTIL = "2026-01-01-preview"
_IMAGE_URL_SINCE = "2026-06-01-preview"


def check_old_names(session: object, api_version: str) -> None:
    """Raise :class:`Rejected` for the first name in a ``session`` that the version does not have any more."""
    for member, until in _MEMBERS_UNTIL.items():
        if api_version >= until and has_member(session, member):
            param = f"session.{member}"
            raise Rejected(f"Unknown parameter: '{param}'.", code="unknown_parameter", param=param)
    for (member, value), until in _VALUES_UNTIL.items():
        if api_version >= until and member_of(session, member) == value:
            raise _invalid(f"session.{member}", value)
    end = "turn_detection.end_of_utterance_detection.model"
    if member_of(session, end) == _SMART_END and not _has_smart_end(api_version):
        raise _invalid(f"session.{end}", _SMART_END)


def agent_key(api_version: str) -> str:
    """Return the key of the query that names an agent: classic agents had an id."""
    return "agent-id" if api_version < _AGENT_ID_UNTIL else "agent-name"


def image_keys(api_version: str) -> tuple[str, ...]:
    """Return the members of an ``input_image`` that may have its address."""
    return ("image_url",) if api_version >= _IMAGE_URL_SINCE else ("url", "image_url")


def _has_smart_end(api_version: str) -> bool:
    """Return whether the version has the model that ends turns smartly: previews since 2026 alone do."""
    return api_version.endswith("-preview") and api_version >= "2026-01-01"


def _invalid(param: str, value: str) -> Rejected:
    return Rejected(f"Invalid value for '{param}': '{value}'.", code="invalid_value", param=param)

"""Names what a ``session.created`` has that this version does not know (Voice Live API reference 2026-07-15). Pure."""

from collections.abc import Mapping
from typing import Any

_MEMBERS = frozenset(
    (
        *("id", "object", "model", "modalities", "instructions", "voice", "expires_at", "agent", "metadata"),
        *("input_audio_format", "output_audio_format", "input_audio_sampling_rate", "output_audio_timestamp_types"),
        *("input_audio_transcription", "input_audio_noise_reduction", "input_audio_echo_cancellation"),
        *("turn_detection", "tools", "tool_choice", "parallel_tool_calls", "temperature", "interim_response"),
        *("max_response_output_tokens", "reasoning_effort", "animation", "avatar", "include"),
        *("truncation_strategy", "greeting", "handoff"),
    )
)
"""The members of a session that the reference names, and those that recorded sessions have."""


def unknown_members(session: Mapping[str, Any]) -> list[str]:
    """Return the names in the session of a ``session.created`` that are new, in the order of the service."""
    return [name for name in session if name not in _MEMBERS]

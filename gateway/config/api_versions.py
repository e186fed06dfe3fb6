"""The versions of the Voice Live API, and the members that each one does not know yet.

A version here is that of the first SDK with the member (azure-ai-voicelive, release history), unless live tests of the
SDK send it at an earlier one. A service that is asked
by an older version refuses the member, and with it the whole session.
"""

import re
from collections.abc import Mapping
from typing import Any

DEFAULT_API_VERSION = "2026-07-15"
"""The version that the gateway is made for."""
API_VERSION = r"\d{4}-\d{2}-\d{2}(-preview)?"
FIRST_GENERAL = "2025-10-01"
"""The first version that is no preview; the one before it had names of its own."""
MCP_SINCE = "2026-01-01-preview"
"""The first version that supports MCP servers (Microsoft's quickstart of MCP)."""

SESSION_SINCE: Mapping[str, str] = {
    "interim_response": "2026-01-01-preview",
    "reasoning_effort": "2026-01-01-preview",
    "voice.custom_text_normalization_url": "2026-01-01-preview",
    "include": "2026-04-10",
    "metadata": "2026-04-10",
    "parallel_tool_calls": "2026-06-01-preview",
}
"""The members of ``session.update`` that came later than the first version, by their path in the session."""
RESPONSE_SINCE: Mapping[str, str] = {
    "metadata": "2026-01-01-preview",
    "pre_generated_assistant_message": "2026-04-10",
}
"""The members of ``response.create`` that came later than the first version."""


_OLD_TURNS = {"azure_semantic_vad_multilingual": "azure_multilingual_semantic_vad"}
_JUDGE = "end_of_utterance_detection"


def is_api_version(text: str) -> bool:
    """Return ``True`` if ``text`` is written as a version of the API."""
    return bool(re.fullmatch(API_VERSION, text))


def newer_members(api_version: str, since: Mapping[str, str] = SESSION_SINCE) -> list[str]:
    """Return the members that are newer than ``api_version``."""
    return [member for member, version in since.items() if version > api_version]


def without_newer(
    body: Mapping[str, Any], api_version: str, since: Mapping[str, str] = SESSION_SINCE
) -> tuple[dict[str, Any], list[str]]:
    """Return a copy of a ``session`` (or ``response``) without members that are newer, and the paths of those.

    ``body`` and what is in it stay as they are.
    """
    known = dict(body)
    left_out = []
    for path in newer_members(api_version, since):
        outer, _, inner = path.partition(".")
        section = known.get(outer)
        if not inner and outer in known:
            del known[outer]
        elif inner and isinstance(section, Mapping) and inner in section:
            known[outer] = {key: value for key, value in section.items() if key != inner}
        else:
            continue
        left_out.append(path)
    return known, left_out


def with_old_names(session: Mapping[str, Any], api_version: str) -> dict[str, Any]:
    """Return a copy of a ``session`` with the names that ``api_version`` has for its members.

    The first preview calls the multilingual turn detection otherwise, counts the time-out of an end of utterance in
    seconds, and has a number in place of its level, which has no documented equivalent and is left out.
    """
    turns = session.get("turn_detection")
    if api_version >= FIRST_GENERAL or not isinstance(turns, Mapping):
        return dict(session)
    renamed = {**turns, "type": _OLD_TURNS.get(turns["type"], turns["type"])}
    if isinstance(judge := turns.get(_JUDGE), Mapping):
        renamed[_JUDGE] = {key: value for key, value in judge.items() if key not in ("threshold_level", "timeout_ms")}
        if "timeout_ms" in judge:
            renamed[_JUDGE]["timeout"] = judge["timeout_ms"] / 1000
    return {**session, "turn_detection": renamed}

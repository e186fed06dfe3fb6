"""The ends of calls, in words. Pure."""

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "caller_hung_up": "The caller hung up",
    "bot_hung_up": "The bot hung up",
    "transferred": "The bot transferred the caller",
    "line_closed": "The bot hung up: the line is closed at this hour",
    "silence": "The caller stayed silent",
    "time_limit": "The call reached its time limit",
    "shut_down": "The gateway was shut down",
    "shut_down_announced": "The gateway was shut down, and said so",
    "stream_lost": "The media stream was lost",
    "stream_stalled": "The provider stopped reading",
    "stream_broken": "The media stream was broken",
    "voice_unavailable": "Voice Live could not be reached",
    "voice_refused": "Voice Live refused the session",
    "voice_lost": "Voice Live dropped the session",
    "voice_stalled": "Voice Live stopped reading",
    "ended_by_operator": "An operator ended the call",
    "turned_away": "There was no room for the call",
    "fault": "The gateway failed: a bug, with its traceback in the log",
}
FINE = frozenset(
    {"caller_hung_up", "bot_hung_up", "transferred", "line_closed", "silence", "time_limit", "ended_by_operator"}
)
"""The ends that are no failure."""


def sentence_of(reason: str, by: str) -> str:
    """Return the sentence of an end reason, without a full stop; a reason that is not known is told as it is."""
    return SENTENCES.get(reason, f"{reason.replace('_', ' ').capitalize()}, by the {by}")

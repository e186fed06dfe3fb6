"""A burst of errors, after which a session counts as lost. Pure."""

from collections import deque

MOST_ERRORS = 10
WINDOW_S = 10.0
"""So many errors within this time, and nothing that the service is asked for can be trusted to come."""
HARMLESS = frozenset(
    {
        "conversation_already_has_active_response",
        "response_cancel_not_active",
        "input_audio_buffer_commit_empty",
        "item_already_truncated",
        "item_truncate_invalid_item_id",
    }
)
"""Codes of errors that follow from two sides that act at once."""


class ErrorBurst:
    """Counts the errors of one session. Times are in seconds."""

    def __init__(self) -> None:
        self._at: deque[float] = deque(maxlen=MOST_ERRORS)

    def count(self, code: str, now: float) -> bool:
        """Count an error; return ``True`` if it is one too many."""
        if code in HARMLESS:
            return False
        self._at.append(now)
        return len(self._at) == MOST_ERRORS and now - self._at[0] <= WINDOW_S

    def forget(self) -> None:
        """Begin anew, with another session."""
        self._at.clear()

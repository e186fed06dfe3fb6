"""The turns of a call as a report shows them, and how soon each side reacted. Pure."""

from dataclasses import dataclass
from typing import Literal

GOOD_STOP_MS = 500
"""A bot that is silent this soon after the caller's first sound was interrupted as a person is."""


@dataclass(frozen=True)
class Latency:
    """The bot became audible ``ms`` after the caller's speech had ended at ``at_ms``."""

    at_ms: int
    ms: int


@dataclass(frozen=True)
class BargeIn:
    """The caller began to speak over the bot at ``at_ms``.

    The last sound of the bot came ``stopped_after_ms`` later; ``None`` if it was not stopped and spoke to its end.
    """

    at_ms: int
    stopped_after_ms: int | None

    @property
    def good(self) -> bool:
        """True if the bot fell silent as fast as a person would."""
        return self.stopped_after_ms is not None and self.stopped_after_ms <= GOOD_STOP_MS


@dataclass(frozen=True)
class Turn:
    """One turn, in milliseconds from the start of the call. ``text`` is empty where the words are not known.

    Of the bot's, ``text`` is what the caller heard, and ``unheard`` was generated behind it; ``heard_ms`` of
    ``generated_ms`` reached the caller's ear, where the gateway noted both; it was ``interrupted`` if not all of it
    did; ``answered_after_ms`` is its latency. Of the caller's, ``barge_in`` tells of words over the bot's.
    """

    speaker: Literal["caller", "bot"]
    start_ms: int
    end_ms: int
    text: str = ""
    recording: str = ""
    item_id: str = ""
    unheard: str = ""
    heard_ms: int | None = None
    generated_ms: int | None = None
    interrupted: bool = False
    answered_after_ms: int | None = None
    barge_in: BargeIn | None = None

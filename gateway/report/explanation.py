"""The explanation of a call, as the page and the terminal show it. Pure."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

Whose = Literal["service", "tool", "gateway", "provider", "caller", "recovery"]
"""Those to whom a silence belongs: Voice Live, a tool, the gateway itself, the phone and its provider, the caller, or
the change to another session."""


class Finding(Struct, frozen=True, kw_only=True):
    """Something that explains a bad call, in plain words."""

    kind: str
    title: str
    detail: str = ""
    """The figures of this call."""
    settings: Sequence[str] = ()
    """The keys that would help, as paths: of a line's file, or of gateway.yaml."""
    advice: str
    page: str
    """The part of the documentation that tells more."""
    at_ms: Sequence[int] = ()
    """The moments of the call that it is about."""
    score: float
    """The likelihood that it explains a bad call; findings are ranked by it."""


class Silence(Struct, frozen=True, kw_only=True):
    """A time in which neither side was heard."""

    start_ms: int
    end_ms: int
    whose: Whose
    why: str
    parts: Sequence[tuple[str, int]] = ()
    """All that it consists of: why, and for how many milliseconds."""

    @property
    def length_ms(self) -> int:
        """Its length in milliseconds."""
        return self.end_ms - self.start_ms


class Interruption(Struct, frozen=True, kw_only=True):
    """The bot was cut short, or speech did not cut it short by the line's rules."""

    at_ms: int
    kind: Literal["true", "echo", "noise", "key", "ignored", "unknown"]
    evidence: str
    speech_ms: int | None = None
    unheard_ms: int = 0
    """Milliseconds of the bot's replies that were there and that nobody heard."""


class Explanation(Struct, frozen=True, kw_only=True):
    """The whole account of one call; ``findings`` are ranked, the likeliest first."""

    call: str
    ended: str
    """One sentence: what ended the call, and by whom."""
    about: Sequence[tuple[str, str]]
    findings: Sequence[Finding]
    silences: Sequence[Silence]
    interruptions: Sequence[Interruption]
    figures: Sequence[tuple[str, str]]
    unknown: Sequence[str] = ()
    """All that the record does not say."""

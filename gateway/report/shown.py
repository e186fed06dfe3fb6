"""All that the page of a call shows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gateway.report.actions import Actions
from gateway.report.explanation import Explanation
from gateway.report.heard import Heard
from gateway.report.turns import Turn


@dataclass(frozen=True)
class Row:
    """A line of the timeline."""

    at_ms: int
    source: str
    kind: str
    detail: str


@dataclass(frozen=True)
class Player:
    """The sound in the page: ``source`` is a data URL or a file beside it, and empty where there is none.

    ``file`` is what may be downloaded beside it, and ``hint`` a sentence below. ``waveforms`` is the address of the
    shapes of the sound, where the picture is made without it.
    """

    source: str = ""
    file: str = ""
    hint: str = ""
    waveforms: str = ""


@dataclass(frozen=True)
class ShownCall:
    """One call; ``outcome`` is a sentence without its full stop, ``failures`` are empty where all was well.

    ``about`` are facts, each with its name; ``warnings`` are of the phone about the gateway, each with its code.
    """

    caller: str
    called: str
    line: str
    started: datetime | None
    outcome: str
    heard: Heard
    turns: Sequence[Turn]
    done: Actions
    failures: Sequence[str] = ()
    is_emulated: bool = False
    words_hint: str = ""
    """The sentence that stands where no words are known."""
    about: Sequence[tuple[str, str]] = ()
    warnings: Sequence[tuple[str, str]] = ()
    rows: Sequence[Row] = ()
    player: Player = field(default_factory=Player)
    footer: str = ""
    explanation: Explanation | None = None

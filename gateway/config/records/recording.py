"""``recording`` of a line: what is recorded of its calls, and what callers are told and asked before."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from gateway.config.line.keys import Key
from gateway.config.reading.section import Number, Section, Switch, Text
from gateway.config.records.records import Days


class Announcement(Section):
    """The words that tell callers of the recording: one of say and play. Nothing interrupts them."""

    say: Text | None = None
    """A text to say word for word."""
    play: Text | None = None
    """An audio file to play (WAV, FLAC, Ogg, MP3, AIFF), at most 60 s; the path is relative to this file."""
    text: Text | None = None
    """The words of the file, so that the model knows what was said; placeholders are not filled in."""


class Consent(Section):
    """Asks callers whether they agree; without the key, the call goes on and is not recorded."""

    ask: Text
    """The question, word for word; it names the key."""
    key: Key = "1"
    """The key by which the caller agrees, in quotes; any other declines."""
    wait_s: Annotated[Number, Field(ge=1, le=60)] = 5
    """Seconds after the question within which the key must come."""


def _by_text(value: Any) -> Any:
    return {"say": value} if isinstance(value, str) else value


class Recording(Section):
    """Records the calls of the line, with what callers are told and asked before."""

    channels: Literal["stereo", "mono"] = "stereo"
    """stereo: the caller left and the bot right, as the caller heard it; mono: both mixed."""
    announce: Annotated[Announcement, BeforeValidator(_by_text, json_schema_input_type=Announcement | Text)] | None = (
        None
    )
    """The announcement before the greeting: a text, or {play: …} for a file. Where it was not heard to its end,
    nothing of the recording is kept."""
    consent: Consent | None = None
    """Asks for consent by a key before anything is recorded; without it, the recording begins with the call."""
    pause_while_secret: Switch = True
    """Record silence on both sides while the caller keys in secret digits, and as long after it as keys may be late."""
    keep_days: Days | None = None
    """Days after which a recording is deleted, or forever; without it, as recordings of gateway.yaml says."""


def _switched(value: Any) -> Any:
    """Read ``false`` as no recording, and ``true`` as one with the defaults."""
    if value is False:
        return None
    return {} if value is True else value


AnyRecording = Annotated[Recording | None, BeforeValidator(_switched, json_schema_input_type=Recording | Switch | None)]
"""A section; ``false`` for none, ``true`` for one with the defaults."""

"""``on_trouble``: what a caller hears while the Voice Live session of the call is lost, and how another is sought."""

from typing import Annotated

from pydantic import Field

from gateway.config.reading.section import Number, Section, Text, Whole


class OnTrouble(Section):
    """Keeps a call whose session is lost: words for the caller, and tries at another session."""

    say: Text | None = None
    """The words, in the line's own voice; placeholders are not filled in. They are rendered ahead, at the start."""
    play: Text | None = None
    """An audio file in place of say (WAV, FLAC, Ogg, MP3, AIFF), at most 60 s; the path is relative to this file.
    Without either, or before say is rendered, the caller hears a soft tone."""
    tries: Annotated[Whole, Field(ge=0, le=20)] = 6
    """Number of sessions that are tried; 0 ends a call with its session."""
    limit_s: Annotated[Number, Field(gt=0, le=120)] = 20
    """Seconds within which another session must be there; then on_failure follows."""


class OnTroubleOfAll(OnTrouble):
    """The same for all lines that have no on_trouble of their own."""

    cache: Text | None = None
    """A folder that keeps rendered words between starts; the path is relative to this file. Without it, they are kept
    in memory alone."""

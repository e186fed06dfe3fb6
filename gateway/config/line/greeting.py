"""The first words of a line."""

from typing import Annotated, Any

from pydantic import BeforeValidator

from gateway.config.reading.section import Section, Switch, Text


class Greeting(Section):
    """The first words: one of say, prompt and play."""

    say: Text | None = None
    """A text to say word for word."""
    prompt: Text | None = None
    """Instructions for a greeting in the model's own words."""
    play: Text | None = None
    """An audio file to play (WAV, FLAC, Ogg, MP3, AIFF), at most 60 s; the path is relative to this file."""
    text: Text | None = None
    """The words of the recording, so that the model knows what was said; placeholders are not filled in."""
    interruptible: Switch = True
    """Let the caller interrupt the greeting; false for a sentence that must be heard to its end."""


def _by_text(value: Any) -> Any:
    return {"say": value} if isinstance(value, str) else value


AnyGreeting = Annotated[Greeting, BeforeValidator(_by_text, json_schema_input_type=Greeting | Text)]
"""A greeting, or the text to say alone."""

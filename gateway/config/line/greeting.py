"""The first words of a line."""

from typing import Annotated, Any

from pydantic import BeforeValidator

from gateway.config.reading.section import Section, Switch, Text


class Greeting(Section):
    """The first words: one of say, prompt and play."""

    say: Text | None = None
    """A text that is said word for word."""
    prompt: Text | None = None
    """What a greeting in the model's own words shall be like."""
    play: Text | None = None
    """An audio file that is played (WAV, FLAC, Ogg, MP3, AIFF), 60 s at most; its path starts at this file."""
    text: Text | None = None
    """The words of the recording, so that the model knows what was said; as they are, without placeholders."""
    interruptible: Switch = True
    """Whether the caller may interrupt the greeting; false for a sentence that must be heard to its end."""


def _by_text(value: Any) -> Any:
    return {"say": value} if isinstance(value, str) else value


AnyGreeting = Annotated[Greeting, BeforeValidator(_by_text, json_schema_input_type=Greeting | Text)]
"""A greeting, or the text to say alone."""

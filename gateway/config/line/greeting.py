"""The first words of a line, and the messages before them."""

from typing import Annotated, Any

from pydantic import BeforeValidator

from gateway.config.reading.section import Section, Switch, Text


class Said(Section):
    """One message: one of system, user and assistant."""

    system: Text | None = None
    """A remark to the model, such as what is known of the caller."""
    user: Text | None = None
    """The words of the caller in an earlier conversation."""
    assistant: Text | None = None
    """The words of the bot in an earlier conversation."""

    @property
    def words(self) -> dict[str, str]:
        """The text by the role that it has; one where the message is right."""
        roles = {"system": self.system, "user": self.user, "assistant": self.assistant}
        return {role: text for role, text in roles.items() if text is not None}


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

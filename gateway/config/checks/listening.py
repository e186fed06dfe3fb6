"""Checks of a line that only listens: nothing on it may have the bot speak, because its session has no voice."""

from collections.abc import Iterator

from gateway.config.line.line import Settings
from gateway.config.reading.problems import Finding, KeyPath

_SPEAKS = "a line with modalities: [text] has no voice, expected no such key"
_KEYS = (
    *("voice", "silence", "tools", "digits", "on_key", "interim_response", "echo_cancellation", "strict"),
    *("temperature", "reasoning_effort", "max_response_output_tokens"),
)
"""Keys of what the bot says or does, or of how it is heard."""


def listening_alone(settings: Settings, model: str) -> Iterator[Finding]:
    """Refuse what a line that only listens cannot say; a recording is played to callers all the same."""
    if not settings.only_listens:
        return
    for key in _KEYS:
        if key in settings.model_fields_set and getattr(settings, key):
            yield (key,), _SPEAKS
    for path in _words(settings):
        yield path, "a line with modalities: [text] has no voice, expected a recording (play) or nothing"
    if settings.recording and settings.recording.consent:
        yield ("recording", "consent"), _SPEAKS
    if settings.on_shutdown and settings.on_shutdown.say:
        yield ("on_shutdown", "say"), _SPEAKS


def _words(settings: Settings) -> Iterator[KeyPath]:
    if (greeting := settings.greeting) and not greeting.play:
        yield ("greeting",)
    if settings.hours and settings.hours.closed.say:
        yield ("hours", "closed", "say")
    if settings.recording and settings.recording.announce and settings.recording.announce.say:
        yield ("recording", "announce")
    if settings.on_trouble and settings.on_trouble.say:
        yield ("on_trouble", "say")


RULES = (listening_alone,)

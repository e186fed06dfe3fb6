"""Compares a session that was asked for with the one that ``session.updated`` shows. Pure.

Only what is shown counts: a member that is missing or ``null`` in the echo says nothing.
"""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from gateway.config.session_formats import PCM16
from gateway.voice.negotiation.reductions import RATE, Session

_FULL_NAMES = {"pcm16_24000hz": "pcm16"}
_AUDIO = ("output_audio_format", "input_audio_format", RATE)
_INNER = (
    ("voice", ("type", "name")),
    ("turn_detection", ("type", "create_response", "interrupt_response", "auto_truncate")),
)
DIFFERENCES = (*_AUDIO, "voice", "turn_detection")
"""The members of which a difference can be found."""


class Difference(Struct, frozen=True):
    """A member that the service has otherwise than it was asked for."""

    member: str
    asked: object
    echoed: object

    @property
    def is_refusal(self) -> bool:
        """``True`` if the call cannot go on with it: one side would hear noise."""
        return self.member in _AUDIO

    @property
    def words(self) -> str:
        """The difference in words."""
        return f"{self.member} is {self.echoed}, where {self.asked} was asked for"


def differences(asked: Session, echoed: Session) -> tuple[Difference, ...]:
    """Return how the session in force differs from what was asked for, the gravest first."""
    return (*_audio(asked, echoed), *_inner(asked, echoed))


def _audio(asked: Session, echoed: Session) -> Iterator[Difference]:
    for member in _AUDIO:
        wanted, found = asked.get(member), echoed.get(member)
        if wanted is None or found is None or (member == RATE and asked.get("input_audio_format") != PCM16):
            continue  # G.711 has one rate, whatever is shown
        if _spelt(found) != _spelt(wanted):
            yield Difference(member, wanted, found)


def _spelt(value: object) -> object:
    """Return a format by one of its names: those of the 2025 previews have a hyphen."""
    if not isinstance(value, str):
        return value
    name = value.lower().replace("-", "_")
    return _FULL_NAMES.get(name, name)


def _inner(asked: Session, echoed: Session) -> Iterator[Difference]:
    for member, keys in _INNER:
        wanted, found = asked.get(member), echoed.get(member)
        if member == "voice" and isinstance(found, str):
            found = {"name": found}
        if member in asked and wanted is None and isinstance(found, Mapping) and member == "turn_detection":
            yield Difference(member, None, found.get("type"))
        if not isinstance(wanted, Mapping) or not isinstance(found, Mapping):
            continue
        for key in keys:
            if wanted.get(key) is not None and found.get(key) is not None and wanted[key] != found[key]:
                yield Difference(f"{member}.{key}", wanted[key], found[key])

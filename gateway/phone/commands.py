"""What is asked of the phone leg. Every provider's wire encodes these."""

from msgspec import Struct


class PlayAudio(Struct, frozen=True, gc=False):
    """Play audio, in the call's format and whole frames, after what was sent before."""

    audio: bytes


class SendMark(Struct, frozen=True):
    """Return this name once all audio sent before has been played."""

    name: str


class StopPlayback(Struct, frozen=True):
    """Discard at once whatever is not yet played."""


class EndStream(Struct, frozen=True):
    """Say that we end the stream, before it is closed; for wires that have a word for it."""


PhoneCommand = PlayAudio | SendMark | StopPlayback
"""What the conversation asks; ``EndStream`` is the leg's own, on closing."""

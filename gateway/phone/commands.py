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


PhoneCommand = PlayAudio | SendMark | StopPlayback

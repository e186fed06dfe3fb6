"""The commands to the phone leg. Every provider's wire encodes these."""

from msgspec import Struct


class PlayAudio(Struct, frozen=True, gc=False):
    """Play audio, in the call's format and whole frames, after what was sent before.

    With ``more`` this is not the end of what is said. Wires that gather audio need it; an empty piece is the end.
    """

    audio: bytes
    more: bool = False


class SendMark(Struct, frozen=True):
    """Return this name once all audio sent before has been played."""

    name: str


class StopPlayback(Struct, frozen=True):
    """Discard at once whatever is not yet played."""


class AskForLife(Struct, frozen=True):
    """Send what the provider answers at once: a message of its wire, or a WebSocket ping where there is none."""


class EndStream(Struct, frozen=True):
    """Say that we end the stream, before it is closed; for wires that support it."""


class SendDigits(Struct, frozen=True):
    """Dial digits (``0-9*#``) into the call."""

    digits: str


class TransferCall(Struct, frozen=True):
    """Hand the call to a number (E.164) or a ``sip:`` address, on wires that support it."""

    target: str


PhoneCommand = PlayAudio | SendMark | StopPlayback | AskForLife
"""The commands of the conversation."""
StreamCommand = EndStream | SendDigits | TransferCall
"""The commands that end or leave the conversation; a wire that does not support one carries nothing."""

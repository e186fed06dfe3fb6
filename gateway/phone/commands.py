"""What is asked of the phone leg. Every provider's wire encodes these."""

from msgspec import Struct


class PlayAudio(Struct, frozen=True, gc=False):
    """Play audio, in the call's format and whole frames, after what was sent before.

    ``more``: this is not the end of what is said. Told to wires that gather audio; an empty one tells them the end.
    """

    audio: bytes
    more: bool = False


class SendMark(Struct, frozen=True):
    """Return this name once all audio sent before has been played."""

    name: str


class StopPlayback(Struct, frozen=True):
    """Discard at once whatever is not yet played."""


class AskForLife(Struct, frozen=True):
    """Send what the provider answers at once: a word of its wire, or a WebSocket ping where there is none."""


class EndStream(Struct, frozen=True):
    """Say that we end the stream, before it is closed; for wires that have a word for it."""


class SendDigits(Struct, frozen=True):
    """Dial digits (``0-9*#``) into the call."""

    digits: str


class TransferCall(Struct, frozen=True):
    """Hand the call to a number (E.164) or a ``sip:`` address, on wires that have a word for it."""

    target: str


PhoneCommand = PlayAudio | SendMark | StopPlayback | AskForLife
"""What the conversation asks."""
StreamCommand = EndStream | SendDigits | TransferCall
"""What ends or leaves the conversation; a wire that has no word for it carries nothing."""

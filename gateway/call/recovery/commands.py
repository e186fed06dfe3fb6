"""The commands about the voice legs of a call, and the events of those legs that are not in use. Pure.

Each leg of a call has a number. The events of the leg in use come as they are, without it.
"""

from msgspec import Struct

from gateway.voice.events import SessionReady, VoiceClosed

FIRST = 1
"""The number of the leg with which a call begins."""


class OpenVoice(Struct, frozen=True):
    """Open one more voice leg. With ``conversation_id`` its agent goes on with that conversation."""

    leg: int
    conversation_id: str = ""


class UseVoice(Struct, frozen=True):
    """Send commands to this leg, which is ready, and take its events, from now on."""

    leg: int


class CloseVoice(Struct, frozen=True):
    """Close a leg, and hear no more of it; if it is in use, commands go nowhere until another one is used."""

    leg: int


LegCommand = OpenVoice | UseVoice | CloseVoice


class VoiceOpened(Struct, frozen=True):
    """The session of a leg that is not in use is ready."""

    leg: int
    ready: SessionReady


class VoiceFailed(Struct, frozen=True):
    """A leg that is not in use has ended, ready or not."""

    leg: int
    closed: VoiceClosed


LegEvent = VoiceOpened | VoiceFailed

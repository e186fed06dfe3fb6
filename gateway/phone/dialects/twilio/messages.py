"""The messages of the wire that Twilio coined, as far as they are read. Pure."""

from typing import Any

from msgspec import Struct, field


class Media(Struct, gc=False):
    """The audio of a message."""

    payload: bytes | None = None
    track: Any = "inbound"


class MediaMessage(Struct, gc=False):
    """A message as far as it matters where it is one of audio, which nearly all are."""

    event: str
    media: Media | None = None


class Message(Struct):
    """A message. All but audio is read member by member, so that an odd member does not end the call."""

    event: str
    stream_sid: Any = field(name="streamSid", default=None)
    media: Media | None = None
    start: Any = None
    dtmf: Any = None
    mark: Any = None

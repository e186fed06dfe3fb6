"""What a provider's module offers: all providers have the same names in the same order."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from gateway.phone.commands import PhoneCommand
from gateway.phone.events import PhoneEvent


class Codec(Protocol):
    """The wire of one stream: pure, one object a call. It learns the stream's id from the start message."""

    def decode(self, message: str | bytes) -> Sequence[PhoneEvent]:
        """Events of one WebSocket message, text as ``str``; ``WireError`` where it breaks the protocol."""

    def encode(self, command: PhoneCommand) -> Sequence[str | bytes]:
        """WebSocket messages that carry the command out."""


class WebhookRequest(Struct, frozen=True):
    """An HTTP request of a provider, as far as signatures and answers need it."""

    method: str
    url: str
    """The URL that the provider was given: our ``public_url`` with the request's path and query."""
    headers: Mapping[str, str]
    """Names in lower case."""
    form: Sequence[tuple[str, str]] = ()
    """Form fields in the order received, repeated ones included."""
    body: bytes = b""

    def field(self, name: str) -> str:
        """The first form field of that name, empty where there is none."""
        return next((value for key, value in self.form if key == name), "")


class AnswerDocument(Struct, frozen=True):
    """What answers an "incoming call" webhook."""

    content_type: str
    body: str


class Provider(Protocol):
    """A provider's module or object: its wire, its webhook, its signature."""

    name: str

    def codec(self) -> Codec:
        """A fresh wire for one stream."""

    def answer(self, request: WebhookRequest, stream_url: str) -> AnswerDocument:
        """The document that connects the call to ``stream_url``; ``WireError`` if the request names no call."""

    def verify(self, request: WebhookRequest, secret: str) -> bool:
        """Whether the request was signed with ``secret``."""

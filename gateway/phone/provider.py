"""What a provider's module offers: all providers have the same names in the same order.

Every provider is a :class:`Provider`: its wire. One whose incoming-call webhook is answered here is a
:class:`WebhookProvider` as well.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from msgspec import Struct

from gateway.phone.commands import EndStream, PhoneCommand
from gateway.phone.events import PhoneEvent, WireReply


class Upgrade(Struct, frozen=True):
    """The HTTP request that opened a stream, as far as some wires carry the call's identity there."""

    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    """Names in lower case."""


class Codec(Protocol):
    """The wire of one stream: pure, one object a call. It learns the stream's id from the start message."""

    def decode(self, message: str | bytes) -> Sequence[PhoneEvent | WireReply]:
        """Events of one WebSocket message, text as ``str``; ``WireError`` where it breaks the protocol.

        A ``WireReply`` among them is what the protocol wants sent back.
        """

    def encode(self, command: PhoneCommand | EndStream) -> Sequence[str | bytes]:
        """WebSocket messages that carry the command out, text as ``str``; none where the wire has no word for it."""


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
    """A provider's module: its wire."""

    @property
    def name(self) -> str:
        """As in the routes and in ``gateway.yaml``."""

    @property
    def subprotocols(self) -> Sequence[str]:
        """WebSocket sub-protocols (RFC 6455 §1.9), one of which the provider expects to be accepted."""

    def codec(self, upgrade: Upgrade) -> Codec:
        """A fresh wire for one stream."""


@runtime_checkable
class WebhookProvider(Provider, Protocol):
    """A provider whose incoming-call webhook is answered here."""

    def answer(self, request: WebhookRequest, stream_url: str) -> AnswerDocument:
        """The document that connects the call to ``stream_url``; ``WireError`` if the request names no call."""

    def verify(self, request: WebhookRequest, secret: str) -> bool:
        """Whether the request was signed with ``secret``."""

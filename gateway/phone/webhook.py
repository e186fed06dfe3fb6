"""A provider's webhooks: the requests that come, the answers to them, and the interface of a provider that sends them.

Pure: the requests that an answer needs are described as data, and other code makes them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from gateway.audio.formats import AudioFormat
from gateway.phone.requests import Requests, Steps
from gateway.phone.waiting import Wait

STREAM_ENDED = ("stream", "ended")
"""The query of ``Connect.then_url``, where the provider asks what follows a stream."""


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
    query: Sequence[tuple[str, str]] = ()

    def field(self, name: str) -> str:
        """Return the first form field of that name, else the first query parameter, else nothing."""
        return next((value for key, value in (*self.form, *self.query) if key == name), "")

    @property
    def asks_what_follows(self) -> bool:
        """True if the request is made to ``Connect.then_url``."""
        return STREAM_ENDED in self.query


class IncomingCall(Struct, frozen=True):
    """A call that a webhook announces; numbers as the provider writes them."""

    call_id: str
    caller: str
    called: str
    context: str = ""
    """An opaque id that the provider wants back in the answer; empty where it wants none."""


class After(Struct, frozen=True):
    """The steps after the stream, so that no caller is left on a silent line: words, then a transfer or the end."""

    say: str = ""
    language: str = ""
    transfer: str = ""
    """A number in E.164, or an address of SIP."""


class Connect(Struct, frozen=True):
    """The addresses to which an incoming call is connected."""

    stream_url: str
    """``wss://…`` with the token as the last part of its path."""
    on_failure: After = After()
    """The steps that the document itself has after the stream, for where ``then_url`` cannot be asked."""
    then_url: str = ""
    """The URL where the provider asks what follows the stream, which depends on the call's end; empty for none."""
    callback_url: str = ""
    """The URL for the call's further events: our ``/status/{provider}``."""
    call_url: str = ""
    """The URL for further documents: our ``/answer/{provider}``."""
    token: str = ""
    """The token of ``stream_url``, for a provider whose streams have a fixed address: their start message brings it."""


class Answer(Struct, frozen=True):
    """The answer to a webhook; ``requests`` are made before it, in order."""

    body: str = ""
    content_type: str = "text/plain"
    status: int = 200
    requests: Requests = ()
    otherwise: Requests = ()
    """Requests made where one of those is refused, so that the caller is not left in silence."""
    audio_format: AudioFormat | None = None
    """The format of the stream that the answer opens; ``None`` if it opens none, or its start alone says which."""


class StreamEnded(Struct, frozen=True):
    """A webhook that asks what follows a call's stream. ``answer`` writes the answer to it."""

    call_id: str
    called: str
    answer: Callable[[After], Answer]


class CallStatus(Struct, frozen=True):
    """The state of a call, as a status callback reports it."""

    call_id: str
    status: str
    """The provider's own word."""
    ended: bool
    stream_failed: bool = False
    """``True`` if the call goes on although its stream could not be opened."""
    answered_as: str = ""
    """The id that the call had in its webhook, where callbacks have another."""
    transfer_failed: bool = False
    """``True`` if a transfer that the REST API had accepted has failed: the caller is still there, alone."""


class Webhooks(Protocol):
    """The webhooks of a provider that asks us what to do with a call."""

    def verify(self, request: WebhookRequest, now_s: float) -> str:
        """Check a webhook's signature; return a text that only this request of the provider has, or an empty one.

        It is made of what is signed (a nonce with all the rest, an event's id), never of the signature's text, which
        has several spellings. Raises ``SignatureError`` where it is missing, wrong, too old, or no secret is set.
        """

    def incoming(self, request: WebhookRequest) -> IncomingCall | StreamEnded | Answer:
        """Return the call that a webhook announces, or the stream whose end it reports, or the answer to any other.

        :meth:`status` is asked about the same request where it is no call. Raises ``WireError`` where it is neither.
        """

    def answer(self, call: IncomingCall, connect: Connect) -> Answer | Steps[Answer]:
        """Return the answer that connects the call to its stream, or the steps that lead to it."""

    def refuse(self, call: IncomingCall) -> Answer:
        """Return the answer that rejects a call as busy, in place of :meth:`answer`."""

    def full(self, call: IncomingCall, follows: After, wait: Wait | None = None) -> Answer:
        """Return the answer to a call for which there is no room; by default that of :meth:`refuse`."""
        return self.refuse(call)

    def status(self, request: WebhookRequest) -> Sequence[CallStatus]:
        """Return what a status callback reports; raise ``WireError`` where it reports nothing."""
